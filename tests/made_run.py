"""A run folder as a trainer leaves it, without a training: for tests of what becomes of one."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from app.domain.adapters import AdapterManifest, BaseCheckpoint
from app.domain.evals import GateDecision, GatePolicy
from app.domain.prompt import PROMPT_VERSION
from app.domain.snapshots import SnapshotManifest

BASE = BaseCheckpoint(name="tiny", revision="r1", weights_hash="a", tokenizer_hash="b", template_hash="c")
MOMENT = datetime(2026, 2, 1, tzinfo=UTC)
_FILES = {
    "adapter/adapter_config.json": b"{}",
    "adapter/adapter_model.safetensors": b"weights",
    "locator.skops": b"where",
    "filter.skops": b"whether",
    "probes.json": b"[]",
}


def write_base(folder: Path, base: BaseCheckpoint = BASE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "base.json").write_text(base.model_dump_json())
    return folder


def write_run(out: Path, snapshot: SnapshotManifest, *, base: BaseCheckpoint = BASE, verdict: str = "hold") -> str:
    """Everything the service reads of a finished run. Returns the version's name."""
    version = out / "version"
    for name, content in _FILES.items():
        (version / name).parent.mkdir(parents=True, exist_ok=True)
        (version / name).write_bytes(content)
    manifest = AdapterManifest(
        installation=snapshot.installation,
        base=base,
        prompt_version=PROMPT_VERSION,
        snapshot=snapshot.id,
        rank=8,
        seed=7,
        config={},
        packages={},
        files={name: hashlib.sha256(content).hexdigest() for name, content in _FILES.items()},
        created_at=MOMENT,
    )
    decision = GateDecision.model_validate(
        {"verdict": verdict, "reasons": [], "policy": GatePolicy(), "adapter": manifest.name, "suite": "s"}
    )
    run = {"snapshot": snapshot.id, "adapter": manifest.name, "verdict": verdict, "seconds": {}}
    (version / "manifest.json").write_text(manifest.model_dump_json())
    (out / "decision.json").write_text(decision.model_dump_json())
    (out / "run.json").write_text(json.dumps(run))
    return manifest.name


def progress_line(step: int, total: int = 10) -> bytes:
    """One line of progress.jsonl, with a key that the service does not know."""
    figures = {"stage": "sft", "step": step, "total": total, "loss": 1.5, "tokens_per_second": 80.0, "eta_seconds": 3.0}
    return json.dumps({**figures, "at": "2026-02-01", "text": "confidential words"}).encode() + b"\n"
