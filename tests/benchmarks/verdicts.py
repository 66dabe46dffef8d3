"""Does the gate tell learning from noise, whatever the seed? A true candidate, and candidates trained on wrong labels.

`python -m tests.benchmarks.verdicts --snapshot DIR --base DIR --out DIR [--seeds 10] [--labels true shuffled inverted]`

Each candidate is trained, measured and judged as a round is, by `--config` (demo) and its seed. Wanted: `true` promoted
and the others refused for every seed. `shuffled`: the same comments under other hunks; `inverted`: the comments that
the team did not act on. Labels that the snapshot can't give are said and left out. What is there is not done again.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import yaml

from app.domain.errors import Refused
from app.domain.evals import GateDecision
from training.evaluation.controls import ensure_snapshot, make_rows
from training.evaluation.examining import CONTROLS
from training.rows.snapshot import Snapshot, load_snapshot


def write_config(choice: str, seed: int, out: Path) -> Path:
    """The configuration's keys with this seed."""
    packaged = Path(__file__).parents[2] / "training" / "configs" / f"{choice}.yaml"
    said = yaml.safe_load((packaged if packaged.is_file() else Path(choice)).read_text()) or {}
    path = out / f"seed-{seed}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(said | {"seed": seed}))
    return path


def decide(snapshot: Path, base: Path, config: Path, out: Path) -> GateDecision:
    """One whole round."""
    command = ["run", "--snapshot", snapshot, "--base", base, "--config", config, "--out", out]
    subprocess.run([sys.executable, "-m", "training", *map(str, command)], check=True, stdout=sys.stderr)
    return GateDecision.model_validate_json((out / "decision.json").read_text())


def label(source: Snapshot, name: str, seed: int, folder: Path) -> Path:
    """The snapshot whose training comments are labelled so; the held-out part stays the source's."""
    if name == "true":
        return source.folder
    control = next(item for item in CONTROLS if item == name)
    return ensure_snapshot(folder, source, make_rows(source, control, seed=seed), control).folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--snapshot", "--base", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--config", default="demo")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--labels", nargs="+", default=["true", "shuffled", "inverted"])
    asked = parser.parse_args()
    source = load_snapshot(asked.snapshot)
    told: dict[str, list[str]] = {}
    for seed in range(1, asked.seeds + 1):
        config = write_config(asked.config, seed, asked.out)
        for name in asked.labels:
            place, said = asked.out / f"{name}-{seed}", ""
            try:
                decision = decide(label(source, name, seed, place / "snapshot"), asked.base, config, place / "run")
                said = str(decision.verdict)
            except Refused as refusal:
                said = f"not measured: {refusal}"
            told.setdefault(name, []).append(said)
            sys.stdout.write(json.dumps({"label": name, "seed": seed, "verdict": said}) + "\n")
            sys.stdout.flush()
    totals = {name: {said: verdicts.count(said) for said in set(verdicts)} for name, verdicts in told.items()}
    sys.stdout.write(json.dumps(totals) + "\n")


if __name__ == "__main__":
    main()
