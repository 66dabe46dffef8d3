"""Training and held-out part: by time and by pull request, and no prompt in both. Pure.

Splitting at random would let the adapter see tomorrow's habits; published results move by 57 to 94 % when time order
is ignored.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from app.domain.base import Record
from app.domain.snapshots import CommentRow, Part

TRAIN_SHARE = 0.8
#: repository and number
Pull = tuple[str, int]


class Split(Record):
    parts: dict[Pull, Part]
    rule: str
    #: when the first held-out pull request was created; None where the times say nothing
    heldout_from: datetime | None = None


def decide_split(pulls: Iterable[tuple[datetime, Pull]]) -> Split:
    """The first 80 % of the pull requests by creation date train, the rest is held out; at least one of two is."""
    timed = sorted(set(pulls))
    ordered = [pull for _, pull in timed]
    train = max(min(int(len(ordered) * TRAIN_SHARE), len(ordered) - 1), min(len(ordered), 1))
    parts: dict[Pull, Part] = {pull: "train" if index < train else "heldout" for index, pull in enumerate(ordered)}
    return Split(
        parts=parts,
        rule=f"by creation date: the first {train} of {len(ordered)} pull requests train",
        heldout_from=timed[train][0] if train < len(timed) else None,
    )


class Settled(Record):
    rows: tuple[CommentRow, ...]
    left_out: dict[str, int]


def settle_comments(train: Sequence[CommentRow], heldout: Sequence[CommentRow]) -> tuple[Settled, Settled]:
    """One answer per prompt in each part, and no prompt of the held-out part in training. Rows come oldest first."""
    kept_heldout = _settle(heldout, "heldout")
    asked = {_prompt(row) for row in kept_heldout.rows}
    fresh = [row for row in train if _prompt(row) not in asked]
    kept_train = _settle(fresh, "train")
    leaked = {"train:prompt_in_heldout": len(train) - len(fresh)} if len(train) > len(fresh) else {}
    return Settled(rows=kept_train.rows, left_out={**kept_train.left_out, **leaked}), kept_heldout


def _settle(rows: Sequence[CommentRow], part: Part) -> Settled:
    """The newest answer to a prompt stands. An older one that says the same is a duplicate, else a contradiction."""
    newest = {_prompt(row): row for row in rows}
    left_out: Counter[str] = Counter()
    for row in rows:
        kept = newest[_prompt(row)]
        if row is not kept:
            same = row.completion == kept.completion
            left_out[f"{part}:{'duplicate' if same else 'contradiction'}"] += 1
    return Settled(rows=tuple(row for row in rows if newest[_prompt(row)] is row), left_out=dict(left_out))


def _prompt(row: CommentRow) -> tuple[str, ...]:
    return tuple(message.content for message in row.prompt)
