"""Nothing is loaded that is not, byte for byte, what its manifest says."""

import json
from pathlib import Path

import pytest

from app.domain.adapters import AdapterManifest, BaseCheckpoint
from app.domain.errors import Refused, UserError
from serving.folder import ProvenAdapter, adopt, read_base
from tests.serving_fixture import seal
from tests.vllm_standin import CONFIG


def test_adopts_a_copy_of_its_own(adapter: Path, base: Path, tmp_path: Path) -> None:
    proven = _adopt(adapter, base, tmp_path)
    assert proven.path.parent == tmp_path / "kept"
    assert proven.probes[0].base_logprob == -2
    (adapter / "adapter/adapter_model.safetensors").write_bytes(b"changed later")
    assert _adopt_named(proven.manifest.name, adapter, base, tmp_path) == proven


def test_proves_its_copy_again_at_every_load(adapter: Path, base: Path, tmp_path: Path) -> None:
    proven = _adopt(adapter, base, tmp_path)
    (proven.path / "locator.skops").write_bytes(b"elsewhere")
    with pytest.raises(Refused, match=r"locator\.skops has sha256"):
        _adopt(adapter, base, tmp_path)


@pytest.mark.parametrize("name", ["adapter/adapter_model.safetensors", "adapter/adapter_config.json", "locator.skops"])
def test_names_the_file_that_was_tampered_with(adapter: Path, base: Path, tmp_path: Path, name: str) -> None:
    with (adapter / name).open("ab") as stream:
        stream.write(b" ")
    _refuses(adapter, base, tmp_path, reason="tampered", naming=name)


def test_refuses_a_pickle_beside_the_weights(adapter: Path, base: Path, tmp_path: Path) -> None:
    (adapter / "adapter/adapter_model.bin").write_bytes(b"\x80\x04.")
    _refuses(adapter, base, tmp_path, reason="extra_file", naming="adapter_model.bin")


@pytest.mark.parametrize("kind", [".bin", ".pt", ".pkl", ".pickle", ".py", ""])
def test_refuses_pickles_that_the_manifest_names(adapter: Path, base: Path, tmp_path: Path, kind: str) -> None:
    (adapter / f"adapter/extra{kind}").write_bytes(b"\x80\x04.")
    seal(adapter, base)
    _refuses(adapter, base, tmp_path, reason="file_kind", naming=f"extra{kind}")


@pytest.mark.parametrize(
    "inside", ["../outside.json", "/etc/passwd.json", "adapter/../x.json", "./x.json", "a\\b.json"]
)
def test_refuses_names_that_leave_the_folder(adapter: Path, base: Path, tmp_path: Path, inside: str) -> None:
    manifest = _manifest(adapter)
    files = manifest.files | {inside: "0" * 64}
    (adapter / "manifest.json").write_text(manifest.model_copy(update={"files": files}).model_dump_json())
    _refuses(adapter, base, tmp_path, reason="traversal", naming="outside" if "outside" in inside else "json")


def test_refuses_links(adapter: Path, base: Path, tmp_path: Path) -> None:
    (adapter / "locator.skops").unlink()
    (adapter / "locator.skops").symlink_to("/etc/hostname")
    _refuses(adapter, base, tmp_path, reason="symlink", naming="locator.skops")


def test_refuses_a_missing_file(adapter: Path, base: Path, tmp_path: Path) -> None:
    (adapter / "probes.json").unlink()
    _refuses(adapter, base, tmp_path, reason="missing_file", naming="probes.json")


def test_refuses_an_adapter_without_probes(adapter: Path, base: Path, tmp_path: Path) -> None:
    (adapter / "probes.json").write_text("[]")
    seal(adapter, base)
    _refuses(adapter, base, tmp_path, reason="probes", naming="probes.json")


def test_refuses_a_base_of_another_revision(adapter: Path, base: Path, tmp_path: Path) -> None:
    stated = json.loads((base / "base.json").read_text()) | {"revision": "r2"}
    (base / "base.json").write_text(json.dumps(stated))
    _refuses(adapter, base, tmp_path, reason="other_base", naming="revision")


def test_refuses_another_name_for_the_same_content(adapter: Path, base: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is named"):
        _adopt_named("7--000000000000", adapter, base, tmp_path)
    with pytest.raises(Refused, match="expected a name"):
        _adopt_named("../7--000000000000", adapter, base, tmp_path)


def test_refuses_an_unfinished_folder(adapter: Path, base: Path, tmp_path: Path) -> None:
    name = _manifest(adapter).name
    (adapter / "manifest.json").unlink()
    with pytest.raises(Refused, match="written last"):
        _adopt_named(name, adapter, base, tmp_path)


@pytest.mark.parametrize(
    "weights",
    [b"", b"\x80\x04pickle", b"\xff" * 64, (9).to_bytes(8, "little") + b'{"a": []}'],
    ids=["empty", "pickle", "noise", "bad header"],
)
def test_refuses_weights_that_are_no_safetensors(adapter: Path, base: Path, tmp_path: Path, weights: bytes) -> None:
    (adapter / "adapter/adapter_model.safetensors").write_bytes(weights)
    seal(adapter, base)
    _refuses(adapter, base, tmp_path, reason="weights", naming="adapter_model.safetensors")


def test_leaves_nothing_behind_after_a_refusal(adapter: Path, base: Path, tmp_path: Path) -> None:
    (adapter / "adapter/adapter_config.json").write_text(json.dumps(CONFIG | {"r": 64}))
    seal(adapter, base)
    _refuses(adapter, base, tmp_path, reason="rank", naming="64")
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "chat_template.jinja"])
def test_refuses_a_base_that_was_changed(base: Path, name: str) -> None:
    (base / name).write_text("changed")
    with pytest.raises(UserError, match="make it anew"):
        read_base(base)


def test_says_how_to_make_a_base(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="python -m training base"):
        read_base(tmp_path)


def _refuses(adapter: Path, base: Path, tmp_path: Path, *, reason: str, naming: str) -> None:
    with pytest.raises(Refused, match=naming.replace(".", r"\.")) as refused:
        _adopt(adapter, base, tmp_path)
    assert refused.value.reason == reason


def _adopt(adapter: Path, base: Path, tmp_path: Path) -> ProvenAdapter:
    return _adopt_named(_manifest(adapter).name, adapter, base, tmp_path)


def _adopt_named(name: str, adapter: Path, base: Path, tmp_path: Path) -> ProvenAdapter:
    kept = tmp_path / "kept"
    kept.mkdir(exist_ok=True)
    checkpoint = BaseCheckpoint.model_validate_json((base / "base.json").read_bytes())
    return adopt(adapter, name=name, base=checkpoint, into=kept, max_rank=8)


def _manifest(adapter: Path) -> AdapterManifest:
    return AdapterManifest.model_validate_json((adapter / "manifest.json").read_bytes())


def test_refuses_an_adapter_without_golden_tokens(adapter: Path, base: Path, tmp_path: Path) -> None:
    (adapter / "goldens.json").write_text('{"texts": [], "prompts": []}')
    seal(adapter, base)
    _refuses(adapter, base, tmp_path, reason="goldens", naming="goldens.json")


def test_refuses_an_adapter_that_names_another_base_itself(adapter: Path, base: Path, tmp_path: Path) -> None:
    options = json.loads((adapter / "adapter/adapter_config.json").read_text())
    (adapter / "adapter/adapter_config.json").write_text(json.dumps(options | {"base_model_name_or_path": "other"}))
    seal(adapter, base)
    _refuses(adapter, base, tmp_path, reason="other_base", naming="other")
