"""WrittenExamples of a repository and the decisions about them, beside what the harvest finds."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.domain.erasure import ErasureKind, Forgotten, subject_key
from app.domain.written import WrittenKind, author_key
from app.store.tables import ExampleRow, HarvestedRow

#: Parameters of one statement: SQLite takes 32,766.
_CHUNK = 5_000


class WrittenPlace(NamedTuple):
    """Where a WrittenExample comes from."""

    hash: str
    kind: WrittenKind
    commit_sha: str
    pull_request: int | None
    author: str | None


def select_written_places(session: Session, installation_id: int, repository_id: int) -> list[WrittenPlace]:
    """Of one repository, whatever it was called, without the texts; in an order that does not change."""
    payload = sa.type_coerce(col(ExampleRow.payload), sa.JSON)
    query = (
        sa.select(
            col(ExampleRow.hash),
            col(ExampleRow.kind),
            payload["commit_sha"].as_string(),
            col(ExampleRow.pull_request),
            payload["author"].as_string(),
        )
        .where(
            col(ExampleRow.installation_id) == installation_id,
            col(ExampleRow.kind).in_([kind.value for kind in WrittenKind]),
            payload["repository_id"].as_integer() == repository_id,
        )
        .order_by(col(ExampleRow.hash))
    )
    return [
        WrittenPlace(key, WrittenKind(kind), sha, number, author)
        for key, kind, sha, number, author in session.execute(query)
    ]


def delete_written(session: Session, installation_id: int, hashes: Iterable[str]) -> int:
    """How many were there."""
    keys, deleted = list(hashes), 0
    for start in range(0, len(keys), _CHUNK):
        statement = sa.delete(ExampleRow).where(
            col(ExampleRow.installation_id) == installation_id, col(ExampleRow.hash).in_(keys[start : start + _CHUNK])
        )
        deleted += session.connection().execute(statement).rowcount
    return deleted


def select_pulls_of(
    session: Session, installation_id: int, repository_id: int, logins: Collection[str], forgotten: Forgotten
) -> set[int]:
    """Harvested pull requests that one of these people opened, or that are to be forgotten."""
    people = {author_key(login) for login in logins} | forgotten.keys
    query = select(HarvestedRow).where(
        HarvestedRow.installation_id == installation_id, HarvestedRow.repository_id == repository_id
    )
    return {
        row.pull_request
        for row in session.exec(query)
        if row.author in people
        or subject_key(ErasureKind.PULL_REQUEST, f"{row.repository}#{row.pull_request}") in forgotten.keys
    }
