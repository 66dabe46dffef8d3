"""The narrow copy of Examples that pages are filtered and searched from, and the pages themselves.

One scan of it reads about 30 MB for 100,000 Examples, so a search needs no index of words, and both databases run it.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from app.store.columns import UtcDateTime
from app.store.rows import insert_all_if_absent
from app.store.tables import ApprovalRow, ExampleRow, ReviewRow
from app.store.web_tables import ExampleSearchRow

#: Characters of path and words that are searched.
LONGEST_TEXT = 1_000
#: Words of a search that count; each is one more comparison a row.
_WORDS = 8
#: Parameters of one statement: SQLite takes 32,766.
_CHUNK = 5_000
#: A filter's word for Examples that nobody decided about.
UNDECIDED = "none"


def save_search_rows(session: Session, rows: Iterable[ExampleRow]) -> None:
    """One for each Example that has none."""
    waiting = iter(rows)
    while chunk := list(islice(waiting, _CHUNK)):
        decisions = _load_decisions(session, chunk[0].installation_id, [row.hash for row in chunk])
        insert_all_if_absent(session, (_search_row(row, decisions.get(row.hash)) for row in chunk))


def _load_decisions(session: Session, installation_id: int, hashes: list[str]) -> dict[str, str]:
    query = (
        sa.select(col(ApprovalRow.example_hash), col(ApprovalRow.decision))
        .where(col(ApprovalRow.installation_id) == installation_id, col(ApprovalRow.example_hash).in_(hashes))
        .order_by(col(ApprovalRow.id))
    )
    return {str(example): str(decision) for example, decision in session.connection().execute(query)}


def _search_row(row: ExampleRow, decision: str | None) -> ExampleSearchRow:
    path = str(row.payload.get("path") or "")
    words = str(row.payload.get("body") or row.payload.get("text") or "")
    return ExampleSearchRow(
        hash=row.hash,
        installation_id=row.installation_id,
        repository=row.repository,
        pull_request=row.pull_request,
        kind=row.kind,
        evidence=row.evidence,
        decision=decision,
        created_at=row.created_at,
        path=path,
        line=row.payload.get("line") if row.payload.get("side") == "RIGHT" else None,
        text=f"{path}\n{words}".lower()[:LONGEST_TEXT],
    )


def note_decision(session: Session, installation_id: int, example_hash: str, decision: str) -> None:
    """The decision in force is another now."""
    statement = sa.update(ExampleSearchRow).where(
        col(ExampleSearchRow.hash) == example_hash, col(ExampleSearchRow.installation_id) == installation_id
    )
    session.connection().execute(statement.values(decision=decision))


class Wanted(NamedTuple):
    """What a page shows. `repositories`: those that its reader may see, None for all."""

    repositories: Collection[str] | None = None
    words: str = ""
    repository: str = ""
    decision: str = ""
    evidence: str = ""
    kind: str = ""


class Key(NamedTuple):
    """Where a page ends: the next one begins below."""

    created_at: datetime
    hash: str


class Listed(NamedTuple):
    """A line of the dataset browser, without its payload."""

    hash: str
    repository: str
    pull_request: int | None
    kind: str
    evidence: str | None
    decision: str | None
    created_at: datetime
    path: str
    words: str


def select_page(
    session: Session, installation_id: int, wanted: Wanted, *, size: int, below: Key | None = None
) -> list[Listed]:
    """Newest first, `size` at most."""
    table = ExampleSearchRow
    query = sa.select(
        *(col(getattr(table, name)) for name in ("hash", "repository", "pull_request", "kind", "evidence", "decision")),
        col(table.created_at),
        col(table.path),
    ).where(col(table.installation_id) == installation_id, *_filters(session, wanted))
    if below is not None:
        place = sa.tuple_(col(table.created_at), col(table.hash))
        query = query.where(place < sa.tuple_(sa.literal(below.created_at, UtcDateTime()), sa.literal(below.hash)))
    newest = (col(table.created_at).desc(), col(table.hash).desc())
    rows = session.connection().execute(query.order_by(*newest).limit(size)).all()
    words = _load_words(session, installation_id, [row[0] for row in rows])
    return [Listed(*row[:8], words.get(row[0], "")) for row in rows]


def _load_words(session: Session, installation_id: int, hashes: list[str]) -> dict[str, str]:
    """As they were written, of the few Examples that a page shows."""
    payload = sa.type_coerce(col(ExampleRow.payload), sa.JSON)
    words = sa.func.coalesce(payload["body"].as_string(), payload["text"].as_string(), "")
    query = sa.select(col(ExampleRow.hash), words).where(
        col(ExampleRow.installation_id) == installation_id, col(ExampleRow.hash).in_(hashes)
    )
    return {str(example): str(text) for example, text in session.connection().execute(query)}


def _filters(session: Session, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    table = ExampleSearchRow
    if wanted.repositories is not None:
        yield col(table.repository).in_(sorted(wanted.repositories))
    for name in ("repository", "evidence", "kind"):
        if getattr(wanted, name):
            yield col(getattr(table, name)) == getattr(wanted, name)
    if wanted.decision == UNDECIDED:
        yield sa.or_(col(table.decision).is_(None), col(table.decision) == "void")
    elif wanted.decision:
        yield col(table.decision) == wanted.decision
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    for word in wanted.words.lower().split()[:_WORDS]:
        found: Any = sa.func.instr if is_sqlite else sa.func.strpos
        yield found(col(table.text), word) > 0


class Count(NamedTuple):
    kind: str
    decision: str | None
    number: int


def count_examples(session: Session, installation_id: int, repositories: Collection[str] | None) -> list[Count]:
    """By kind and decision in force."""
    table = ExampleSearchRow
    query = sa.select(col(table.kind), col(table.decision), sa.func.count()).where(
        col(table.installation_id) == installation_id
    )
    if repositories is not None:
        query = query.where(col(table.repository).in_(sorted(repositories)))
    rows = session.connection().execute(query.group_by(col(table.kind), col(table.decision)))
    return [Count(str(kind), decision, int(number)) for kind, decision, number in rows]


def select_said(session: Session, installation_id: int) -> list[tuple[str, int, str, int]]:
    """People's comments on the new side of pull requests that we reviewed: repository, number, path and line.

    The pull requests are asked for by number: joined, SQLite would walk all of them for each Example.
    """
    places = (col(ReviewRow.repository), col(ReviewRow.pull_request))
    reviewed = sa.select(*places).where(col(ReviewRow.installation_id) == installation_id).distinct()
    numbers: dict[str, list[int]] = {}
    for repository, number in session.connection().execute(reviewed):
        numbers.setdefault(repository, []).append(number)
    return [
        said
        for repository, found in sorted(numbers.items())
        for first in range(0, len(found), _CHUNK)
        for said in _select_said_on(session, installation_id, repository, found[first : first + _CHUNK])
    ]


def _select_said_on(
    session: Session, installation_id: int, repository: str, numbers: list[int]
) -> Iterator[tuple[str, int, str, int]]:
    table = ExampleSearchRow
    query = sa.select(col(table.pull_request), col(table.path), col(table.line)).where(
        col(table.installation_id) == installation_id,
        col(table.repository) == repository,
        col(table.pull_request).in_(numbers),
        col(table.kind) == "review_comment",
        col(table.line).is_not(None),
    )
    for number, path, line in session.connection().execute(query).all():
        yield repository, number or 0, path, line or 0
