"""What the pre-flight says a training will take, beside what it takes.

`python -m tests.benchmarks.estimate --base DIR --snapshot DIR [--rows 32] [--clock wall]` trains one small part of the
snapshot per setting, each in a process of its own, and prints one line for each and the largest errors. To reach on an
idle machine: memory within 20 %, time within 30 %. `--clock cpu` compares processor seconds, for a machine that
others use as well.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

#: What differs from training/configs/default.yaml. Methods are left out where the configuration knows none.
SETTINGS: tuple[dict[str, Any], ...] = (
    {"batch_rows": 2, "rank": 8, "max_length": 400},
    {"batch_rows": 4, "rank": 32, "max_length": 1024},
    {"batch_rows": 8, "rank": 8, "max_length": 1024},
    {"batch_rows": 8, "rank": 32, "max_length": 400},
    {"batch_rows": 4, "rank": 8, "max_length": 400, "method": "qlora"},
)
_ERRORS = {"memory": "memory_error", "time": "time_error"}


def measure(base: Path, snapshot: Path, setting: dict[str, Any], *, rows: int, clock: str) -> dict[str, Any]:
    """Pre-flight and training of one setting in this process."""
    from training.process.environment import prepare_process

    prepare_process()
    from app.domain.estimates import EstimateRecord
    from training.base.making import load_base
    from training.config import resolve_config
    from training.preflight.actual import measure_actual
    from training.preflight.flight import Flight, run_preflight
    from training.process.progress import Progress
    from training.recipes.sft import train_adapter
    from training.recipes.task import Task
    from training.rows.snapshot import load_snapshot

    config = resolve_config(None).config.model_copy(
        update={"newest_rows": rows, "epochs": 1.0, "checkpoint_every_steps": 1000, **setting}
    )
    opened, checkpoint = load_snapshot(snapshot), load_base(base)
    ticking = time.perf_counter if clock == "wall" else time.process_time
    report = run_preflight(Flight(opened, base, checkpoint, config, max_rank=64, clock=ticking))
    if report.estimate is None:
        raise SystemExit(f"nothing was estimated: {report.findings}")
    with tempfile.TemporaryDirectory() as out, measure_actual() as measured:
        began = ticking()
        train_adapter(Task(opened, base, checkpoint, config, Path(out), None), Progress(Path(out) / "progress.jsonl"))
        took = ticking() - began
    if measured.actual is None:
        raise SystemExit("nothing was measured")
    record = EstimateRecord(estimate=report.estimate, actual=measured.actual.model_copy(update={"seconds": took}))
    return {
        "setting": setting,
        "memory_gib": [round(size / 2**30, 2) for size in (record.estimate.memory.total, record.actual.memory)],
        "memory_error": round(record.memory_error, 3),
        f"{clock}_seconds": [round(record.estimate.seconds or 0, 1), round(record.actual.seconds, 1)],
        "time_error": None if record.time_error is None else round(record.time_error, 3),
        "parts_mib": {name: size >> 20 for name, size in record.estimate.memory},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--snapshot", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--setting", help="one setting as JSON, in this process")
    given = parser.parse_args()
    if given.setting is not None:
        found = measure(given.base, given.snapshot, json.loads(given.setting), rows=given.rows, clock=given.clock)
        sys.stdout.write("\n" + json.dumps(found) + "\n")
        return
    worst = dict.fromkeys(_ERRORS, 0.0)
    for setting in _known(SETTINGS):
        command = [sys.executable, "-m", "tests.benchmarks.estimate", *sys.argv[1:], "--setting", json.dumps(setting)]
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        for name, field in _ERRORS.items():
            worst[name] = max(worst[name], abs(json.loads(line)[field] or 0.0))
    sys.stdout.write(json.dumps({"largest_errors": worst}) + "\n")


def _known(settings: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    from training.config import TrainingConfig

    return [setting for setting in settings if setting.keys() <= TrainingConfig.model_fields.keys()]


if __name__ == "__main__":
    main()
