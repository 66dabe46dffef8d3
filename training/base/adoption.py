"""A base of one's own: a local Hugging Face folder becomes a base folder, by copy.

What decides the base's answers is copied and nothing else: no pickles, no code. A later change of the source changes
nothing here.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import UserError, spoken_place
from training.base.making import make_folder, read_fingerprints

_COPIED = ("*.json", "*.safetensors", "*.jinja", "*.txt", "tokenizer.model")
_TEMPLATE = "chat_template.jinja"
#: What adapters are measured in (training/base/precision.py), so what the base must be served in.
_DTYPE = "bfloat16"


def adopt_base(source: Path, out: Path, *, name: str | None = None) -> BaseCheckpoint:
    """`name` defaults to the folder's; the revision is taken from the weights' own hash.

    Raises:
        UserError: naming what the folder lacks, or what in it can't be served.
    """
    _check_source(source)

    def copy(folder: Path) -> tuple[str, str]:
        with spoken_place(out):
            for path in sorted({found for pattern in _COPIED for found in source.glob(pattern)}):
                shutil.copyfile(path, folder / path.name)
        _ensure_template(folder, source)
        called = name or source.resolve().name
        return called, read_fingerprints(folder, name=called, revision="").weights_hash[:12]

    return make_folder(out, copy)


def _check_source(source: Path) -> None:
    if not source.is_dir():
        raise UserError(f"expected a folder with a Hugging Face checkpoint, got {source}; download one and name it")
    config = _read_json(source / "config.json")
    _read_json(source / "tokenizer.json")
    if "auto_map" in config:
        raise UserError(f"{source} needs code of its own (auto_map in config.json), which is never run; take another")
    dtype = config.get("dtype", config.get("torch_dtype"))
    if dtype != _DTYPE:
        raise UserError(f"expected weights in {_DTYPE}, got {dtype} by {source}/config.json; save them in {_DTYPE}")
    index = source / "model.safetensors.index.json"
    shards = sorted(set(_read_json(index)["weight_map"].values())) if index.exists() else ["model.safetensors"]
    missing = [shard for shard in shards if not (source / shard).is_file()]
    if missing:
        raise UserError(f"expected safetensors weights in {source}, got no {', '.join(missing)}; download them as well")


def _ensure_template(folder: Path, source: Path) -> None:
    """The chat template as a file; older checkpoints keep it in the tokenizer's configuration."""
    from jinja2 import TemplateError
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not isinstance(tokenizer.chat_template, str):
        raise UserError(f"expected one chat template in {source}, got none; take an instruction-tuned checkpoint")
    (folder / _TEMPLATE).write_text(tokenizer.chat_template, encoding="utf-8")
    asked = [{"role": role, "content": "x"} for role in ("system", "user", "assistant")]
    try:
        tokenizer.apply_chat_template(asked, tokenize=False)
    except TemplateError as error:
        raise UserError(
            f"expected a chat template that takes system, user and assistant, got {error} from {source}; take another"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"expected JSON in {path}, got {error}; download the checkpoint again") from error
    if not isinstance(found, dict):
        raise UserError(f"expected an object in {path}, got something else; download the checkpoint again")
    return found
