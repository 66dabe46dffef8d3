"""The rows that training reads, made of Examples. Pure.

An Example may teach what to say (CommentRow), where to speak (HunkRow) and whether the team acts (OutcomeRow); each
row type leaves out what it cannot use and says why.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.domain.base import Record
from app.domain.diff import Hunk
from app.domain.examples import Evidence, Example, ExampleKind
from app.domain.prompt import COMMENT_CHARACTERS, render_completion, render_prompt
from app.domain.snapshots import CommentRow, HunkRow, OutcomeRow

#: Comments that the team acted on less likely than this are not put into the model's mouth.
LEAST_WEIGHT = 0.4
_SUGGESTION = re.compile(r"```suggestion\b.*?(?:```|\Z)", re.DOTALL)
_ADDRESS = re.compile(r"^(@[\w-]+(/[\w-]+)?[,:]?\s+)+")
#: Whether git speaks for the team having acted. Where only the rest of the file changed, a labelled study of a project
#: found 34 % addressed, against 90 % at the line and 65 % near it; so that is the ignored side, with some noise.
ACCEPTED = {
    Evidence.SUGGESTION_APPLIED: True,
    Evidence.LINE: True,
    Evidence.NEAR: True,
    Evidence.FILE: False,
    Evidence.UNCHANGED: False,
}


class Rows(Record):
    comments: tuple[CommentRow, ...]
    hunks: tuple[HunkRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    left_out: dict[str, int]


class Addressed(NamedTuple):
    """An Example beside its hash, which is taken over the whole content and so is worth keeping for a while."""

    hash: str
    example: Example


def address(examples: Iterable[Example]) -> list[Addressed]:
    """Each Example once, in time order."""
    return sorted(
        {found.hash: found for found in (Addressed(each.hash, each) for each in examples)}.values(), key=_order
    )


def render_rows(examples: Iterable[Example]) -> Rows:
    """Every row these Examples give, in time order."""
    ordered = address(examples)
    left_out: Counter[str] = Counter()
    spoken = [item for item in ordered if item.example.kind is ExampleKind.REVIEW_COMMENT]
    comments: list[CommentRow] = []
    for item in spoken:
        reason = _leave_out(item.example)
        if reason is None:
            comments.append(_comment_row(item))
        else:
            left_out[f"comment:{reason}"] += 1
    outcomes = [row for row in map(_outcome_row, spoken) if row is not None]
    left_out["outcome:not_told_by_git"] += len(spoken) - len(outcomes)
    hunks = render_hunk_rows(ordered)
    kept = [row for row in hunks if any(label is not None for label in row.labels)]
    left_out["hunk:no_added_line_to_judge"] += len(hunks) - len(kept)
    return Rows(
        comments=tuple(comments),
        hunks=tuple(kept),
        outcomes=tuple(outcomes),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _order(item: Addressed) -> tuple[object, ...]:
    example = item.example
    created_at, number = example.pull_request_created_at, example.pull_request
    return created_at, example.repository, number, example.comment_id or 0, example.path, item.hash


def clean_body(body: str) -> str:
    """The reviewer's words without whom they spoke to, which is no habit of the team, and without suggestion blocks:

    the code a reviewer suggests is the Example's fix, and the prompt asks for words only.
    """
    words = _SUGGESTION.sub("", body.replace("\r\n", "\n"))
    return _ADDRESS.sub("", words.strip()).strip()


def _leave_out(example: Example) -> str | None:
    body = clean_body(example.body or "")
    if example.side == "LEFT":
        return "left_side"
    if example.weight < LEAST_WEIGHT:
        return "seldom_acted_on"
    if not body:
        return "empty"
    return "too_long" if len(body) > COMMENT_CHARACTERS else None


def _comment_row(item: Addressed) -> CommentRow:
    example = item.example
    line = example.line or 0
    return CommentRow(
        example=item.hash,
        repository=example.repository,
        pull_request=example.pull_request,
        created_at=example.pull_request_created_at,
        path=example.path,
        line=line,
        reviewer=example.reviewer or "",
        prompt=render_prompt(example.path, example.hunk, line),
        completion=(render_completion(clean_body(example.body or "")),),
        weight=example.weight,
        evidence=example.evidence or Evidence.UNKNOWN,
    )


def _outcome_row(item: Addressed) -> OutcomeRow | None:
    example = item.example
    accepted = None if example.evidence is None else ACCEPTED.get(example.evidence)
    at = example.hunk.index_of(example.line or 0, example.side)
    if accepted is None or at is None:
        return None
    return OutcomeRow(
        example=item.hash,
        repository=example.repository,
        pull_request=example.pull_request,
        created_at=example.pull_request_created_at,
        path=example.path,
        line_text=example.hunk.lines[at].text.strip(),
        body=clean_body(example.body or ""),
        accepted=accepted,
    )


def render_hunk_rows(examples: Sequence[Addressed]) -> tuple[HunkRow, ...]:
    """One row for each hunk text of a file and pull request, with what all its Examples say of its lines.

    Examples of one commit may show the same hunk cut at different lines (GitHub's stored hunks end at the comment);
    the longest stands for all.
    """
    by_place: dict[tuple[object, ...], list[Addressed]] = {}
    for item in examples:
        example = item.example
        first = example.hunk.lines[0]
        place = (example.repository, example.pull_request, example.path, example.commit_sha, first.old, first.new)
        by_place.setdefault(place, []).append(item)
    rows: dict[tuple[object, ...], HunkRow] = {}
    for group in by_place.values():
        row = _hunk_row(group)
        text = tuple(line.mark + line.text for line in row.hunk.lines)
        key = (row.repository, row.pull_request, row.path, text)
        rows[key] = _merge(rows[key], row) if key in rows else row
    return tuple(rows.values())


def _hunk_row(items: Sequence[Addressed]) -> HunkRow:
    group = [item.example for item in items]
    longest = max(group, key=lambda example: len(example.hunk.lines))
    spoken = [example for example in group if example.kind is ExampleKind.REVIEW_COMMENT and example.side == "RIGHT"]
    # A comment that nobody acted on is a doubt: the line is no place where this team speaks, and none it looked past.
    approved = {example.line for example in spoken if example.weight >= LEAST_WEIGHT}
    ignored = {example.line for example in spoken if example.line is not None} - approved
    spanned = {
        line for example in group if example.start_line for line in range(example.start_line, (example.line or 0) + 1)
    }
    unclear = (spanned | ignored | {line for example in group for line in example.commented_lines}) - approved
    return HunkRow(
        examples=tuple(item.hash for item in items),
        repository=longest.repository,
        pull_request=longest.pull_request,
        created_at=longest.pull_request_created_at,
        path=longest.path,
        hunk=longest.hunk,
        labels=_labels(longest.hunk, approved, unclear | _beside(longest.hunk, group)),
    )


def _beside(hunk: Hunk, group: Sequence[Example]) -> set[int]:
    """The added lines next to a comment on a line that was not added: the hunk was spoken of, so it is not clean."""
    added = [at for at, line in enumerate(hunk.lines) if line.kind == "added" and line.text.strip()]
    spots = (hunk.index_of(example.line, example.side) for example in group if example.line is not None)
    nearest = (min(added, key=lambda at: abs(at - spot)) for spot in spots if spot is not None and added)
    return {hunk.lines[at].new or 0 for at in nearest}


def _labels(hunk: Hunk, approved: set[int | None], unclear: set[int]) -> tuple[int | None, ...]:
    def label(number: int | None) -> int | None:
        return 1 if number in approved else None if number in unclear else 0

    return tuple(label(line.new) if line.kind == "added" and line.text.strip() else None for line in hunk.lines)


def _merge(one: HunkRow, other: HunkRow) -> HunkRow:
    """The same text at two commits: a comment at either counts, and a doubt at either stays a doubt."""
    labels = tuple(
        1 if 1 in pair else None if None in pair else 0 for pair in zip(one.labels, other.labels, strict=True)
    )
    return one.model_copy(update={"examples": one.examples + other.examples, "labels": labels})
