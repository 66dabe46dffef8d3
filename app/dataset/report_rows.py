"""What the dataset report reads: rows of a snapshot or of the store in one shape. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from app.dataset.reading import Held
from app.dataset.rows import clean_body, render_rows
from app.dataset.snapshot import PARTS
from app.domain.base import Record, canonical_json
from app.domain.diff import Hunk
from app.domain.examples import Example, ExampleKind
from app.domain.prompt import Message, parse_completion
from app.domain.snapshots import CommentRow, HunkRow, Part, WrittenRow
from app.domain.written import WrittenExample

#: The file of same-question pairs that a snapshot may hold: objects with `kept`, `dropped` and `prompt`.
CONTRADICTIONS = "contradictions.jsonl"
_LINES_SHOWN = 8


class ReportRow(Record):
    """`size` is changed lines of the hunk or diff; `decision` a maintainer's word in force, only known to the store."""

    example: str
    kind: str
    repository: str
    pull_request: int | None
    created_at: datetime
    weight: float
    part: Part | None = None
    path: str | None = None
    line: int | None = None
    evidence: str | None = None
    reviewer: str | None = None
    author: str | None = None
    decision: str | None = None
    size: int | None = None
    context: str = ""
    text: str = ""


class Contradiction(Record):
    """One question, the answer that stays and the one that does not; where none is chosen yet, both are listed."""

    prompt: str
    kept: str
    dropped: str


def read_snapshot(held: Held) -> list[ReportRow]:
    return [row for part in PARTS for row in _of_part(held, part)]


def _of_part(held: Held, part: Part) -> Iterator[ReportRow]:
    hunks = held.rows("lines", part, HunkRow)
    sizes = {example: _size(row.hunk) for row in hunks for example in row.examples}
    for comment in held.rows("comments", part, CommentRow):
        yield ReportRow(
            example=comment.example,
            kind=ExampleKind.REVIEW_COMMENT.value,
            repository=comment.repository,
            pull_request=comment.pull_request,
            created_at=comment.created_at,
            weight=comment.weight,
            part=part,
            path=comment.path,
            line=comment.line,
            evidence=comment.evidence.value,
            reviewer=comment.reviewer,
            size=sizes.get(comment.example),
            context=_question(comment.prompt),
            text=_words(comment.completion[-1].content),
        )
    for hunk in hunks:
        if 1 not in hunk.labels:
            yield ReportRow(
                example=hunk.examples[0],
                kind=ExampleKind.CLEAN_HUNK.value,
                repository=hunk.repository,
                pull_request=hunk.pull_request,
                created_at=hunk.created_at,
                weight=1.0,
                part=part,
                path=hunk.path,
                size=_size(hunk.hunk),
            )
    for written in held.rows("written", part, WrittenRow):
        context = _question(written.prompt)
        yield ReportRow(
            example=written.example,
            kind=written.kind.value,
            repository=written.repository,
            pull_request=written.pull_request,
            created_at=written.created_at,
            weight=written.weight,
            part=part,
            path=written.path,
            author=written.author,
            size=_changed(context),
            context=context,
            text=_words(written.completion[-1].content),
        )


def read_example(example: Example, decision: str | None) -> ReportRow:
    return ReportRow(
        example=example.hash,
        kind=example.kind.value,
        repository=example.repository,
        pull_request=example.pull_request,
        created_at=example.pull_request_created_at,
        weight=example.weight,
        path=example.path,
        line=example.line,
        evidence=None if example.evidence is None else example.evidence.value,
        reviewer=example.reviewer,
        decision=decision,
        size=_size(example.hunk),
        context=_shown(example),
        text=clean_body(example.body or ""),
    )


def read_written(example: WrittenExample, decision: str | None) -> ReportRow:
    return ReportRow(
        example=example.hash,
        kind=example.kind.value,
        repository=example.repository,
        pull_request=example.pull_request,
        created_at=example.written_at,
        weight=1.0,
        path=example.path,
        author=example.author,
        decision=decision,
        size=_changed(example.context),
        context=example.context,
        text=example.text,
    )


def find_contradictions(examples: Sequence[Example]) -> list[Contradiction]:
    """Prompts that these Examples answer in more than one way. The newest answer would stand in a snapshot."""
    answers: dict[str, list[str]] = {}
    for row in render_rows(examples).comments:
        said = _words(row.completion[-1].content)
        known = answers.setdefault(_question(row.prompt), [])
        known[:] = [answer for answer in known if answer != said] + [said]
    return [
        Contradiction(prompt=prompt, kept=said[-1], dropped=other)
        for prompt, said in answers.items()
        for other in said[:-1]
    ]


def read_contradictions(objects: Iterable[Mapping[str, object]]) -> list[Contradiction]:
    """Of a snapshot's file, whose values may be texts or rows."""
    return [
        Contradiction(prompt=_say(each.get("prompt")), kept=_say(each.get("kept")), dropped=_say(each.get("dropped")))
        for each in objects
    ]


def _say(value: object) -> str:
    return value if isinstance(value, str) else canonical_json(value)


def _question(prompt: Sequence[Message]) -> str:
    return prompt[-1].content if prompt else ""


def _words(content: str) -> str:
    return parse_completion(content) or content


def _size(hunk: Hunk) -> int:
    return sum(line.kind != "context" for line in hunk.lines)


def _changed(context: str) -> int | None:
    """Changed lines of a unified diff, None where the context is none (a function's code)."""
    lines = context.split("\n")
    if not any(line.startswith("@@ ") for line in lines):
        return None
    return sum(line[:1] in ("+", "-") and line[:4] not in ("+++ ", "--- ") for line in lines)


def _shown(example: Example) -> str:
    at = None if example.line is None else example.hunk.index_of(example.line, example.side)
    end = len(example.hunk.lines) if at is None else at + 1
    return "\n".join(line.mark + line.text for line in example.hunk.lines[max(0, end - _LINES_SHOWN) : end])
