"""Trained controls: adapters of the same recipe on data that should teach nothing, or the wrong thing.

    random_subset   as many rows as the candidate had, drawn from all comments, acted on or not
    inverted        comments that the team did not act on, in place of those it did
    shuffled        every comment moved to the lines of another

If one of them comes near the candidate, what the candidate learned was not the team's judgement. Each costs a training.
"""

import json
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import Refused
from app.domain.evals import EvalReport
from app.domain.examples import Evidence
from app.domain.prompt import render_completion, render_prompt
from app.domain.snapshots import CommentRow, HunkRow, OutcomeRow
from training.config import TrainingConfig
from training.evaluation.examining import Examination, evaluate
from training.evaluation.judging.settings import JudgeSettings
from training.evaluation.naming import ControlName
from training.process.files import hash_file, save_record, save_text
from training.process.progress import Progress
from training.process.runkey import claim_folder, make_key
from training.recipes.sft import train_adapter
from training.recipes.task import Task
from training.rows.snapshot import Snapshot, load_snapshot

#: Rows below which a control says nothing.
LEAST_ROWS = 12
#: How surely the rows of a control teach: all alike, for the weights belong to what they replace.
_WEIGHT = 1.0
_TRAIN = "comments.train.jsonl"


@dataclass(frozen=True)
class Controls:
    """What the controls are made of: the same as the candidate's round. `out` is that round's folder, or another."""

    snapshot: Snapshot
    base: Path
    checkpoint: BaseCheckpoint
    config: TrainingConfig
    out: Path
    judge: JudgeSettings | None = None


def run_controls(controls: Controls, names: Sequence[ControlName], progress: Progress) -> dict[ControlName, EvalReport]:
    """Each of them; one that this snapshot can't give is said and left out."""
    reports: dict[ControlName, EvalReport] = {}
    for name in names:
        try:
            reports[name] = run_control(controls, name, progress)
        except Refused as refusal:
            if refusal.reason != "no_control":
                raise
            progress.say(f"not measured: {refusal}")
    return reports


def run_control(controls: Controls, name: ControlName, progress: Progress) -> EvalReport:
    """Train and measure one control into OUT/reports/NAME.json; its working files are under OUT/controls/NAME.

    Goes on where it was killed, as every training does.

    Raises:
        Refused: `no_control`, when the snapshot has too few rows for it; the message says how many.
    """
    rows = make_rows(controls.snapshot, name, seed=controls.config.seed)
    folder = controls.out / "controls" / name
    snapshot = ensure_snapshot(folder / "snapshot", controls.snapshot, rows, name)
    claim_folder(folder, make_key(snapshot, controls.checkpoint, controls.config))
    train_adapter(Task(snapshot, controls.base, controls.checkpoint, controls.config, folder, None), progress)
    examination = Examination(
        snapshot=snapshot,
        base=controls.base,
        checkpoint=controls.checkpoint,
        config=controls.config,
        adapter=folder,
        arm=name,
        judge=controls.judge,
    )
    report = evaluate(examination, progress)
    save_record(controls.out / "reports" / f"{name}.json", report)
    return report


def make_rows(snapshot: Snapshot, name: ControlName, *, seed: int) -> list[CommentRow]:
    """The training comments of a control. The same snapshot and seed give the same rows.

    Raises:
        Refused: `no_control`, when there are too few.
    """
    draw = random.Random(seed)  # noqa: S311 - a control, no secret
    accepted = snapshot.comments("train")
    made = _MAKERS[name](accepted, find_rejected(snapshot), draw)
    if len(made) < LEAST_ROWS:
        raise Refused(
            "no_control",
            f"{name} needs at least {LEAST_ROWS} comments, the snapshot gives {len(made)}: {_WANTED[name]}",
        )
    return made


def find_rejected(snapshot: Snapshot) -> list[CommentRow]:
    """Training comments that the team did not act on, with the prompt of their line, where that can be told.

    An outcome knows its line's text and not its number: the prompt is that of the comment row of the same example, or
    of the first added line of its file and pull request that reads so.
    """
    asked = {row.example: row for row in snapshot.comments("train")}
    hunks = snapshot.hunks("train")
    rejected = (outcome for outcome in snapshot.outcomes("train") if not (outcome.accepted or outcome.is_own))
    found = (_place(outcome, asked, hunks) for outcome in rejected)
    return [row for row in found if row is not None]


def ensure_snapshot(folder: Path, source: Snapshot, rows: Sequence[CommentRow], name: ControlName) -> Snapshot:
    """A snapshot of these training comments and the source's own held-out part, so that reports compare."""
    if (folder / "manifest.json").is_file():
        return load_snapshot(folder)
    files = {}
    for kept in sorted(kept for kept in source.manifest.files if ".heldout." in kept):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.folder / kept, folder / kept)
        files[kept] = source.manifest.files[kept]
    save_text(folder / _TRAIN, "".join(row.model_dump_json() + "\n" for row in rows))
    files[_TRAIN] = hash_file(folder / _TRAIN)
    counts = {kept: source.manifest.counts[kept] for kept in files if kept != _TRAIN} | {_TRAIN: len(rows)}
    changed = {"files": files, "counts": counts, "source": f"control {name} of {source.id}"}
    save_record(folder / "manifest.json", source.manifest.model_copy(update=changed))
    return load_snapshot(folder)


def _random_subset(accepted: list[CommentRow], rejected: list[CommentRow], draw: random.Random) -> list[CommentRow]:
    """Without comments that were left out there is nothing to draw from: a subset would be the candidate's own rows."""
    if not rejected:
        return []
    pool = sorted([*accepted, *rejected], key=_order)
    return sorted(draw.sample(pool, len(accepted)), key=_order)


def _inverted(accepted: list[CommentRow], rejected: list[CommentRow], draw: random.Random) -> list[CommentRow]:
    pool = sorted(rejected, key=_order)
    return sorted(draw.sample(pool, min(len(pool), len(accepted))), key=_order)


def _shuffled(accepted: list[CommentRow], rejected: list[CommentRow], draw: random.Random) -> list[CommentRow]:
    """One cycle through all rows in random order: no row keeps its own comment."""
    order = sorted(accepted, key=_order)
    draw.shuffle(order)
    moved = [*order[1:], *order[:1]]
    taken = {row.example: other.completion for row, other in zip(order, moved, strict=True)}
    return [row.model_copy(update={"completion": taken[row.example]}) for row in accepted]


_MAKERS: dict[ControlName, Callable[[list[CommentRow], list[CommentRow], random.Random], list[CommentRow]]] = {
    "random_subset": _random_subset,
    "inverted": _inverted,
    "shuffled": _shuffled,
}
_WANTED: dict[ControlName, str] = {
    "random_subset": "comments that were left out, and whose lines are known, make it differ from the candidate",
    "inverted": "it trains on comments that nobody acted on and whose lines are known",
    "shuffled": "it trains on the approved comments",
}


def _order(row: CommentRow) -> tuple[str, str, str]:
    return row.created_at.isoformat(), row.example, json.dumps([message.content for message in row.completion])


def _place(outcome: OutcomeRow, asked: dict[str, CommentRow], hunks: Sequence[HunkRow]) -> CommentRow | None:
    completion = (render_completion(outcome.body),)
    known = asked.get(outcome.example)
    if known is not None:
        return known.model_copy(update={"completion": completion, "weight": _WEIGHT})
    for row in hunks:
        if (row.repository, row.pull_request, row.path) != (outcome.repository, outcome.pull_request, outcome.path):
            continue
        for line in row.hunk.lines:
            if line.kind == "added" and line.new is not None and line.text.strip() == outcome.line_text.strip():
                return _comment(outcome, row, line.new)
    return None


def _comment(outcome: OutcomeRow, row: HunkRow, line: int) -> CommentRow:
    return CommentRow(
        example=outcome.example,
        repository=outcome.repository,
        pull_request=outcome.pull_request,
        created_at=outcome.created_at,
        path=outcome.path,
        line=line,
        reviewer="",
        prompt=render_prompt(row.path, row.hunk, line),
        completion=(render_completion(outcome.body),),
        weight=_WEIGHT,
        evidence=Evidence.UNKNOWN,
    )
