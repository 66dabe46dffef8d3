"""A checkpoint of one's own becomes a base that training loads, whatever else lies in its folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import UserError
from training.base.adoption import adopt_base
from training.base.making import load_base
from training.base.tokens import load_tokenizer


@pytest.fixture
def downloaded(tiny_base: Path, tmp_path: Path) -> Path:
    """As an older checkpoint comes: the template in the tokenizer's configuration, weights behind a link, and more."""
    folder = tmp_path / "Small-Coder"
    shutil.copytree(tiny_base, folder)
    (folder / "base.json").unlink()
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").unlink()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": template}))
    (folder / "model.safetensors").rename(tmp_path / "blob")
    (folder / "model.safetensors").symlink_to(tmp_path / "blob")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "modeling_small.py").write_text("raise SystemExit")
    return folder


def test_a_folder_becomes_a_base_of_its_own(downloaded: Path, tiny_base: Path, tmp_path: Path) -> None:
    made = adopt_base(downloaded, tmp_path / "base")
    tiny = load_base(tiny_base)
    assert (made.name, made.revision) == ("Small-Coder", made.weights_hash[:12])
    assert (made.weights_hash, made.template_hash) == (tiny.weights_hash, tiny.template_hash)
    assert load_base(tmp_path / "base") == made
    assert not {"pytorch_model.bin", "modeling_small.py"} & {path.name for path in (tmp_path / "base").iterdir()}
    (tmp_path / "blob").write_bytes(b"changed at its source")
    assert load_base(tmp_path / "base") == made
    assert load_tokenizer(tmp_path / "base").raw.chat_template
    with pytest.raises(UserError, match="expected an empty or a new folder"):
        adopt_base(downloaded, tmp_path / "base")


def _edit(name: str, **changes: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | changes))

    return edit


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "config.json").unlink(), r"expected JSON in .*config\.json"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), r"expected JSON in .*tokenizer\.json"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"got no model\.safetensors"),
        (
            lambda folder: (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "2-of-2"}}'),
            "2-of",
        ),
        (_edit("config.json", dtype="float32"), "expected weights in bfloat16, got float32"),
        (_edit("config.json", auto_map={}), "code of its own"),
        (_edit("tokenizer_config.json", chat_template=None), "expected one chat template"),
        (
            _edit("tokenizer_config.json", chat_template="{{ raise_exception('no system role') }}"),
            "takes system, user and assistant, got no system role",
        ),
    ],
)
def test_what_cannot_be_a_base_is_named_and_leaves_nothing(
    spoil: Callable[[Path], None], words: str, downloaded: Path, tmp_path: Path
) -> None:
    spoil(downloaded)
    with pytest.raises(UserError, match=words):
        adopt_base(downloaded, tmp_path / "base")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Small-Coder", "blob"]
