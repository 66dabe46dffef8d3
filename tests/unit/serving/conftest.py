"""A base and an adapter as folders of files that are hashed, without any weights worth serving."""

import hashlib
import json
from pathlib import Path

import pytest

from app.domain.adapters import BaseCheckpoint, Probe
from app.domain.goldens import GoldenPrompt, Goldens, GoldenText
from app.domain.prompt import Message
from tests.serving_fixture import seal

MODULE = "base_model.model.model.layers.0.self_attn.q_proj"
CONFIG = {
    "peft_type": "LORA",
    "bias": "none",
    "init_lora_weights": True,
    "r": 2,
    "lora_alpha": 4,
    "target_modules": ["q_proj"],
}
#: What the stand-in for vLLM's routes in test_controller.py answers to any text and any prompt.
GOLDENS = Goldens(
    texts=(GoldenText(text="a 1", tokens=(7, 8)),),
    prompts=(GoldenPrompt(messages=(Message(role="user", content="x"),), tokens=(1, 7, 2)),),
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The files of a base that are hashed; their content does not matter here."""
    folder = tmp_path / "base"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"):
        (folder / name).write_text(name)
    weights = hashlib.sha256()
    for name in ("config.json", "model.safetensors"):
        weights.update(f"{name}:{_sha(folder / name)}\n".encode())
    checkpoint = BaseCheckpoint(
        name="b",
        revision="r1",
        weights_hash=weights.hexdigest(),
        tokenizer_hash=_sha(folder / "tokenizer.json"),
        template_hash=_sha(folder / "chat_template.jinja"),
    )
    (folder / "base.json").write_text(checkpoint.model_dump_json())
    return folder


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Path:
    folder = tmp_path / "adapter"
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter/adapter_config.json").write_text(json.dumps(CONFIG))
    (folder / "adapter/adapter_model.safetensors").write_bytes(_safetensors())
    probe = Probe(tokens=(1, 2, 3), completion_tokens=1, adapter_logprob=-1, base_logprob=-2)
    (folder / "probes.json").write_text(json.dumps([probe.model_dump(mode="json")]))
    (folder / "goldens.json").write_text(GOLDENS.model_dump_json())
    (folder / "locator.skops").write_bytes(b"where")
    seal(folder, base)
    return folder


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _safetensors() -> bytes:
    entries = {
        f"{MODULE}.lora_A.weight": {"dtype": "BF16", "shape": [2, 4], "data_offsets": [0, 16]},
        f"{MODULE}.lora_B.weight": {"dtype": "BF16", "shape": [4, 2], "data_offsets": [16, 32]},
    }
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + bytes(32)
