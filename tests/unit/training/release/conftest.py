"""A finished run folder, as a round leaves it: real reports, a real decision, files whose hashes hold."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.adapters import AdapterManifest, BaseCheckpoint
from app.domain.evals import Arm, CanaryRecord, EvalReport, Figure, Forgetting, GatePolicy, Sample
from training.gate.deciding import decide_promotion
from training.process.files import hash_file, save_record, save_text

BASE = BaseCheckpoint(name="base", revision="r1", weights_hash="w" * 64, tokenizer_hash="t", template_hash="c")
AT = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)> \u202e reversed"
ROWS = 24
OFF = dict.fromkeys(("general_nll", "humaneval", "mbpp"), "off: 0")


def figure(value: float) -> Figure:
    return Figure(value=value, low=value * 0.9, high=value, n=ROWS)


def make_report(adapter: str | None, arms: dict[str, Arm], answers: dict[str, str], **losses: float) -> EvalReport:
    rows = tuple(f"ex1:{index}" for index in range(ROWS))
    return EvalReport(
        suite="su1:a",
        prompt_version="p2",
        base=BASE,
        adapter=adapter,
        precision="bfloat16",
        arms=arms,
        rows=rows,
        paired={name: tuple(value + 0.01 * index for index in range(ROWS)) for name, value in losses.items()},
        packages={"torch": "2.13.0"},
        code_commit="abc",
        seconds=1.0,
        created_at=AT,
        samples=tuple(Sample(example=row, prompt=f"{row} {HOSTILE}", reference=f"team on {row}") for row in rows),
        answers={name: tuple(f"{text} {row}" for row in rows) for name, text in answers.items()},
        canaries=CanaryRecord(planted=0, extracted=(), method="greedy"),
        forgetting=Forgetting(solutions_nll=(1.0,) * 20, texts={"solutions_nll": "h"}, not_measured=OFF),
    )


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    save_text(folder / "version/adapter/adapter_model.safetensors", "weights")
    save_text(folder / "version/locator.skops", "locator")
    files = {
        name: hash_file(folder / "version" / name) for name in ("adapter/adapter_model.safetensors", "locator.skops")
    }
    manifest = AdapterManifest(
        installation="7",
        base=BASE,
        prompt_version="p2",
        snapshot="ds1:s",
        rank=8,
        seed=1,
        config={},
        packages={},
        files=files,
        created_at=AT,
    )
    save_record(folder / "version/manifest.json", manifest)
    good = Arm(
        nll=figure(0.5),
        location_hit=figure(0.9),
        false_alarm=figure(0.03),
        schema_valid=figure(1.0),
        stop=figure(1.0),
    )
    arms = {"candidate": good, "chance": Arm(location_hit=figure(0.1))}
    losses: dict[str, Any] = {"candidate": 0.5, "other_hunk": 2.0}
    candidate = make_report(manifest.name, arms, {"candidate": "adapter says"}, **losses)
    baseline = make_report(None, {"base": Arm(nll=figure(2.5))}, {"base": "base says"}, base=2.5, retrieval=2.2)
    save_record(folder / "reports/candidate.json", candidate)
    save_record(folder / "reports/baseline.json", baseline)
    save_record(folder / "policy.json", GatePolicy())
    save_record(folder / "decision.json", decide_promotion(candidate, [baseline], GatePolicy()))
    save_text(folder / "run.json", json.dumps({"seconds": {"sft": 12.0}}))
    save_text(folder / "sft.json", json.dumps({"tokens": 1200, "steps": 10, "tokens_per_second": 100.0}))
    steps = [json.dumps({"stage": "sft", "step": step, "loss": 5.0 - step}) for step in (1, 2, 3, 2)]
    save_text(folder / "progress.jsonl", "\n".join([*steps, '{"stage": "sft", "st']) + "\n")
    return folder
