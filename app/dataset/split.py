"""Training and held-out part: by time and by pull request, and no prompt in both, nor nearly. Pure.

Splitting at random would let the adapter see tomorrow's habits; published results move by 57 to 94 % when time order
is ignored.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from app.domain.base import Record
from app.domain.prompt import parse_completion
from app.domain.snapshots import CommentRow, Contradiction, Part
from app.screening.caps import Caps, is_nit, select_over_cap, select_over_voice
from app.screening.duplicates import NEAR, select_twins

TRAIN_SHARE = 0.8
#: Likeness from which other words about the same marked line contradict: below, the surroundings may be the reason.
NEARLY_SAME = 0.9
#: repository and number
Pull = tuple[str, int]


class Split(Record):
    parts: dict[Pull, Part]
    rule: str
    #: when the first held-out pull request was created; None where the times say nothing
    heldout_from: datetime | None = None

    def part_of(self, created_at: datetime, pull: Pull) -> Part:
        """Of a pull request without an Example: it goes where its time puts it, and moves no other."""
        late: Part = "train" if self.heldout_from is None or created_at < self.heldout_from else "heldout"
        return self.parts.get(pull, late)


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
    contradictions: tuple[Contradiction, ...] = ()


def settle_comments(
    train: Sequence[CommentRow], heldout: Sequence[CommentRow], *, caps: Caps | None = None
) -> tuple[Settled, Settled]:
    """One answer per prompt in each part, nothing of the held-out part in training, no kind of row over its cap.

    Rows come oldest first. The held-out part is what the team says and is not capped.
    """
    kept_heldout = _settle(heldout, "heldout")
    fresh, leaked = _without_heldout(train, kept_heldout.rows)
    kept_train = _settle(fresh, "train")
    rows, capped = _cap(kept_train.rows, caps or Caps())
    settled = kept_train.model_copy(update={"rows": rows, "left_out": {**kept_train.left_out, **leaked, **capped}})
    return settled, kept_heldout


def _without_heldout(
    train: Sequence[CommentRow], heldout: Sequence[CommentRow]
) -> tuple[list[CommentRow], dict[str, int]]:
    """The training rows that no held-out row asks about, in the same words or nearly, whatever was answered."""
    asked = {_prompt(row) for row in heldout}
    fresh = [row for row in train if _prompt(row) not in asked]
    texts = [row.prompt[-1].content for row in (*heldout, *fresh)]
    twins = select_twins(texts, [None] * len(texts), standing=len(heldout), among=len(heldout))
    near = {twin.index - len(heldout) for twin in twins}
    counts = {"train:prompt_in_heldout": len(train) - len(fresh), "train:near_duplicate_of_heldout": len(near)}
    return [row for at, row in enumerate(fresh) if at not in near], {
        name: count for name, count in counts.items() if count
    }


def _settle(rows: Sequence[CommentRow], part: Part) -> Settled:
    """The newest answer to a prompt stands. An older one that says the same is a duplicate, else a contradiction.

    Prompts that are nearly the same count as the same where the words are the same (near_duplicate), and where the
    marked line is (near_contradiction): other words about another line of the same code contradict nothing.
    """
    newest = {_prompt(row): row for row in rows}
    stands = [row for row in rows if newest[_prompt(row)] is row]
    fallen = [(row, newest[_prompt(row)], 1.0) for row in rows if newest[_prompt(row)] is not row]
    left_out = Counter("duplicate" if _words(row) == _words(kept) else "contradiction" for row, kept, _ in fallen)
    for reason, key, near in (("near_duplicate", _words, NEAR), ("near_contradiction", _marked, NEARLY_SAME)):
        latest = stands[::-1]
        twins = select_twins([row.prompt[-1].content for row in latest], [key(row) for row in latest], near=near)
        fallen += [(latest[twin.index], latest[twin.kept], twin.likeness) for twin in twins]
        left_out[reason] += len(twins)
        gone = {twin.index for twin in twins}
        stands = [row for at, row in enumerate(latest) if at not in gone][::-1]
    return Settled(
        rows=tuple(stands),
        left_out={f"{part}:{reason}": count for reason, count in left_out.items() if count},
        contradictions=tuple(
            Contradiction(part=part, kept=kept, dropped=row, likeness=likeness)
            for row, kept, likeness in fallen
            if _words(row) != _words(kept)
        ),
    )


def _cap(rows: Sequence[CommentRow], caps: Caps) -> tuple[tuple[CommentRow, ...], dict[str, int]]:
    """Nits first, then the loudest reviewer; of both the rows that the team acted on least, then the oldest, go."""
    nits = set(select_over_cap(rows, lambda row: is_nit(_said(row)), _worth, caps.nits, caps.always))
    rows = [row for at, row in enumerate(rows) if at not in nits]
    loud = set(select_over_voice(rows, lambda row: row.reviewer, _worth, caps))
    counts = {"train:nit_over_cap": len(nits), "train:reviewer_over_cap": len(loud)}
    kept = tuple(row for at, row in enumerate(rows) if at not in loud)
    return kept, {name: count for name, count in counts.items() if count}


def _worth(row: CommentRow) -> tuple[float, ...]:
    return row.weight, row.created_at.timestamp()


def _said(row: CommentRow) -> str:
    return parse_completion(row.completion[-1].content) or ""


def _prompt(row: CommentRow) -> tuple[str, ...]:
    return tuple(message.content for message in row.prompt)


def _words(row: CommentRow) -> str:
    """The answer without what tells two people's spelling of it apart."""
    return " ".join(_said(row).casefold().split())


def _marked(row: CommentRow) -> str:
    """The prompt's last line, which is the marked line once more."""
    return row.prompt[-1].content.rsplit("\n", 1)[-1]
