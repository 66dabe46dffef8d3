"""Does the gate tell learning from noise, whatever the seed? A true candidate, and candidates trained on wrong labels.

`python -m tests.benchmarks.verdicts --snapshot DIR --base DIR --out DIR [--seeds 10] [--labels true shuffled inverted]`

Each candidate is trained, measured and judged as a round is, by `--config` (demo) and its seed. Wanted: `true` promoted
and the others refused for every seed. `shuffled`: the same comments under other hunks; `inverted`: the comments that
the team did not act on. Labels that the snapshot can't give are said and left out. What is there is not done again.

What no seed and no label touches is done once and shared: the base's own report, and Locator and filter of the true
snapshot. So a wrong label must be found in what the adapter says; it can't be found in a Locator that learned nothing.
"""

import argparse
import json
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from training.process.environment import prepare_process

prepare_process()

from app.domain.errors import Refused  # noqa: E402 - the process is prepared before anything loads torch
from app.domain.evals import GateDecision  # noqa: E402
from training.base.making import load_base  # noqa: E402
from training.config import resolve_config  # noqa: E402
from training.evaluation.controls import ensure_snapshot, make_rows  # noqa: E402
from training.evaluation.examining import Examination, evaluate  # noqa: E402
from training.evaluation.naming import CONTROLS  # noqa: E402
from training.process.files import save_record  # noqa: E402
from training.process.progress import Progress  # noqa: E402
from training.rows.snapshot import Snapshot, load_snapshot  # noqa: E402
from training.run import Round, run_round  # noqa: E402
from training.scores.acceptance import fit_acceptance  # noqa: E402
from training.scores.locator import fit_locator  # noqa: E402
from training.scores.text_scores import save_scores  # noqa: E402

SHARED = ("locator.skops", "filter.skops", "reports/baseline.json")


def share(plain: Round, folder: Path) -> None:
    """What is the same for every candidate, once."""
    config, source = plain.resolved.config, plain.snapshot
    (folder / "reports").mkdir(parents=True, exist_ok=True)
    locator, acceptance, baseline = (folder / name for name in SHARED)
    if not locator.is_file():
        save_scores(locator, fit_locator(source.hunks("train"), alarms=config.alarms_per_clean_hunk))
    if not acceptance.is_file():
        save_scores(acceptance, fit_acceptance(source.outcomes("train"), precision=config.acceptance_precision))
    if not baseline.is_file():
        asked = Examination(source, plain.base, plain.checkpoint, config, None)
        save_record(baseline, evaluate(asked, Progress(None)))


def decide(plain: Round, name: str, seed: int, shared: Path) -> GateDecision:
    """One whole round of one seed on the snapshot with these labels."""
    place = plain.out / f"{name}-{seed}"
    done = place / "run" / "decision.json"
    if done.is_file():
        return GateDecision.model_validate_json(done.read_text())
    snapshot = label(plain.snapshot, name, seed, place / "snapshot")
    (place / "run" / "reports").mkdir(parents=True, exist_ok=True)
    for kept in SHARED:
        shutil.copyfile(shared / kept, place / "run" / kept)
    config = plain.resolved.config.model_copy(update={"seed": seed})
    resolved = replace(plain.resolved, config=config)
    return run_round(replace(plain, snapshot=snapshot, resolved=resolved, out=place / "run"), Progress(None))


def label(source: Snapshot, name: str, seed: int, folder: Path) -> Snapshot:
    """The snapshot whose training comments are labelled so; the held-out part stays the source's."""
    if name == "true":
        return source
    control = next(item for item in CONTROLS if item == name)
    return ensure_snapshot(folder, source, make_rows(source, control, seed=seed), control)


def tell(plain: Round, name: str, seed: int, shared: Path) -> str:
    """The verdict, with the checks that were failed; both go to the output as a line of JSON."""
    failed: list[str] = []
    try:
        decision = decide(plain, name, seed, shared)
        said = str(decision.verdict)
        failed = [reason.check for reason in decision.reasons if not reason.passed]
    except Refused as refusal:
        if refusal.reason != "no_control":
            raise
        said = f"not measured: {refusal}"
    sys.stdout.write(json.dumps({"label": name, "seed": seed, "verdict": said, "failed": failed}) + "\n")
    sys.stdout.flush()
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--snapshot", "--base", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--config", default="demo")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--labels", nargs="+", default=["true", "shuffled", "inverted"])
    asked = parser.parse_args()
    resolved = resolve_config(asked.config)
    plain = Round(load_snapshot(asked.snapshot), asked.base, load_base(asked.base), resolved, asked.out)
    share(plain, asked.out / "shared")
    told: dict[str, Counter[str]] = {name: Counter() for name in asked.labels}
    for seed in range(1, asked.seeds + 1):
        for name in asked.labels:
            told[name][tell(plain, name, seed, asked.out / "shared")] += 1
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
