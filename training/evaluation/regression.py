"""The regression set: held-out prompts that are chosen once per installation and asked of every version."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from app.domain.base import content_hash
from app.domain.evals import RegressionRecord
from app.domain.pinned import PinnedPrompt, PinnedSet
from app.domain.snapshots import CommentRow
from training.evaluation.neighbours import read_comment
from training.process.files import load_record, save_record

#: Prompts of a set; 20 to 50 are asked for, and answering them is the slow part of an evaluation.
PINNED = 30
#: Below, a set still works, and its report says that it is small.
FEW = 20


def ensure_pinned(path: Path, heldout: Sequence[CommentRow]) -> PinnedSet:
    """The set in the file, made from the held-out rows if there is none yet, and reused for ever.

    Raises:
        UserError: when the file holds something else.
    """
    if path.is_file():
        return load_record(path, PinnedSet, what="a regression set")
    made = pin(pick_diverse(heldout, PINNED))
    save_record(path, made)
    return made


def pin(rows: Sequence[CommentRow]) -> PinnedSet:
    prompts = tuple(PinnedPrompt(example=row.example, prompt=row.prompt, reference=read_comment(row)) for row in rows)
    return PinnedSet(id=content_hash("rg1", [row.example for row in prompts]), prompts=prompts)


def pick_diverse(rows: Sequence[CommentRow], count: int) -> list[CommentRow]:
    """At most `count` rows spread over time, reviewers and folders: of each slice of time the row whose reviewer and
    folder were taken least so far. Deterministic.
    """
    ordered = sorted(rows, key=lambda row: (row.created_at, row.example))
    count = min(count, len(ordered))
    taken: Counter[str] = Counter()
    chosen = []
    for index in range(count):
        slice_of_time = ordered[index * len(ordered) // count : (index + 1) * len(ordered) // count]
        best = min(slice_of_time, key=lambda row: sum(taken[mark] for mark in _marks(row)))
        taken.update(_marks(best))
        chosen.append(best)
    return chosen


def record_regression(pinned: PinnedSet, answers: Sequence[str], same: Sequence[bool | None]) -> RegressionRecord:
    """Prompts that nobody judged are left out, for neither pass nor fail is known of them."""
    judged = [
        (row.example, bool(verdict), answer)
        for row, answer, verdict in zip(pinned.prompts, answers, same, strict=True)
        if verdict is not None
    ]
    return RegressionRecord(
        set_id=pinned.id,
        prompts=tuple(example for example, _, _ in judged),
        passed=tuple(passed for _, passed, _ in judged),
        answers=tuple(answer for _, _, answer in judged),
    )


def diff_regressions(before: RegressionRecord, after: RegressionRecord) -> tuple[str, ...]:
    """Prompts (by example) that passed before and fail now, in the order of `after`.

    Prompts that only one side holds say nothing: they were erased since, or not judged.

    Raises:
        ValueError: when the records are of two sets.
    """
    if before.set_id != after.set_id:
        raise ValueError(f"expected results of one regression set, got {before.set_id} and {after.set_id}")
    passed = dict(zip(before.prompts, before.passed, strict=True))
    return tuple(
        prompt for prompt, now in zip(after.prompts, after.passed, strict=True) if passed.get(prompt) and not now
    )


def _marks(row: CommentRow) -> tuple[str, str]:
    return f"reviewer {row.reviewer}", f"folder {PurePosixPath(row.path).parent}"
