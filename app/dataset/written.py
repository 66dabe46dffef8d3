"""The WrittenRows of a snapshot: one answer per prompt, held out by time, and no prompt in both parts. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from app.dataset.split import TRAIN_SHARE, Split
from app.domain.base import Record
from app.domain.snapshots import Part, WrittenRow
from app.domain.written import WrittenExample
from app.domain.written_prompt import render_written


class WrittenParts(Record):
    rows: dict[Part, tuple[WrittenRow, ...]]
    left_out: dict[str, int]


def render_written_parts(examples: Iterable[WrittenExample], split: Split) -> WrittenParts:
    """Rows by part, oldest first. The newest answer to a prompt stands.

    What belongs to a pull request goes where that goes. The rest is held out from the moment on at which the first
    held-out pull request was created; where no pull request is known at all, the newest fifth is.
    """
    rows = sorted({row.example: row for row in map(_render, examples)}.values(), key=_order)
    moment = split.heldout_from or _first_heldout(rows)
    parts: dict[Part, list[WrittenRow]] = {"train": [], "heldout": []}
    for row in rows:
        parts[_decide_part(row, split, moment)].append(row)
    left_out: Counter[str] = Counter()
    heldout = _newest(parts["heldout"], "heldout", left_out)
    asked = {_asked(row) for row in heldout}
    fresh = [row for row in parts["train"] if _asked(row) not in asked]
    left_out["written.train:prompt_in_heldout"] = len(parts["train"]) - len(fresh)
    train = _newest(fresh, "train", left_out)
    return WrittenParts(
        rows={"train": tuple(train), "heldout": tuple(heldout)},
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _render(example: WrittenExample) -> WrittenRow:
    prompt, completion = render_written(example)
    return WrittenRow(
        example=example.hash,
        kind=example.kind,
        repository=example.repository,
        pull_request=example.pull_request,
        created_at=example.written_at,
        commit_sha=example.commit_sha,
        path=example.path,
        author=example.author,
        prompt=prompt,
        completion=(completion,),
        weight=1.0,
    )


def _order(row: WrittenRow) -> tuple[datetime, str, str]:
    return row.created_at, row.repository, row.example


def _first_heldout(rows: Sequence[WrittenRow]) -> datetime | None:
    return rows[int(len(rows) * TRAIN_SHARE)].created_at if len(rows) > 1 else None


def _decide_part(row: WrittenRow, split: Split, moment: datetime | None) -> Part:
    known = None if row.pull_request is None else split.parts.get((row.repository, row.pull_request))
    return known or ("heldout" if moment is not None and row.created_at >= moment else "train")


def _newest(rows: Sequence[WrittenRow], part: Part, left_out: Counter[str]) -> list[WrittenRow]:
    newest = {_asked(row): row for row in rows}
    for row in rows:
        stands = newest[_asked(row)]
        if row is not stands:
            same = row.completion == stands.completion
            left_out[f"written.{part}:{'duplicate' if same else 'contradiction'}"] += 1
    return [row for row in rows if newest[_asked(row)] is row]


def _asked(row: WrittenRow) -> tuple[str, ...]:
    return tuple(message.content for message in row.prompt)
