"""What retrieval looks through, always of one installation and one repository, and vectors of one installation.

Past reviews are no copy: they are the Examples whose newest decision is an approval, so one that is void is gone at
once. Documentation is kept by what it was read from.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlmodel import Session, SQLModel, col, select

from app.domain.examples import Example, ExampleKind
from app.domain.references import Reference, text_hash
from app.store.learning import select_approvals_in_force
from app.store.reference_tables import ReferenceFileRow, ReferenceRow, VectorRow
from app.store.rows import insert_all_if_absent
from app.store.tables import ExampleRow

#: Parameters of one statement.
_CHUNK = 500


class Library(NamedTuple):
    """Whose documentation: `repository` is the full name, which may change while the id stays."""

    installation_id: int
    repository_id: int
    repository: str


def select_past_reviews(session: Session, installation_id: int, repository: str) -> list[Example]:
    """Approved review comments of a repository that the team acted on, the oldest first."""
    query = select(ExampleRow).where(
        ExampleRow.installation_id == installation_id,
        ExampleRow.repository == repository,
        ExampleRow.kind == ExampleKind.REVIEW_COMMENT.value,
        ExampleRow.weight > 0,
    )
    rows = session.exec(query.order_by(col(ExampleRow.created_at), col(ExampleRow.hash))).all()
    in_force = select_approvals_in_force(session, installation_id) if rows else {}
    approved = {
        one.example_hash
        for one in in_force.values()
        if one.decision == "approve" and one.content_hash == one.example_hash
    }
    return [Example.model_validate(row.payload) for row in rows if row.hash in approved]


def select_references(session: Session, library: Library) -> list[Reference]:
    """In the order of their content and place, each at the path where its file is now."""
    paths = {content: path for path, content in sorted(select_indexed_files(session, library).items(), reverse=True)}
    query = select(ReferenceRow).where(*_mine(ReferenceRow, library))
    rows = session.exec(query.order_by(col(ReferenceRow.content), col(ReferenceRow.position)))
    return [
        Reference.model_validate(row.payload | {"path": paths[row.content]}) for row in rows if row.content in paths
    ]


def select_indexed_files(session: Session, library: Library) -> dict[str, str]:
    """Path → content, of files that were read."""
    rows = session.exec(select(ReferenceFileRow).where(*_mine(ReferenceFileRow, library)))
    return {row.path: row.content for row in rows}


def save_references(session: Session, library: Library, content: str, found: Iterable[Reference]) -> int:
    """How many were new."""
    rows = (
        ReferenceRow(**library._asdict(), content=content, position=position, payload=one.model_dump(mode="json"))
        for position, one in enumerate(found)
    )
    return insert_all_if_absent(session, rows)


def save_indexed_files(session: Session, library: Library, files: Mapping[str, str]) -> int:
    """Exactly these are indexed now; what was read from others goes, with its vectors. Returns how many went."""
    session.connection().execute(sa.delete(ReferenceFileRow).where(*_mine(ReferenceFileRow, library)))
    insert_all_if_absent(
        session,
        (ReferenceFileRow(**library._asdict(), path=path, content=content) for path, content in files.items()),
    )
    kept = set(files.values())
    held = session.exec(select(ReferenceRow.content).where(*_mine(ReferenceRow, library)).distinct()).all()
    stale = [content for content in held if content not in kept]
    for chunk in _chunks(stale):
        gone = (*_mine(ReferenceRow, library), col(ReferenceRow.content).in_(chunk))
        texts = [str(row.payload["text"]) for row in session.exec(select(ReferenceRow).where(*gone))]
        _delete_vectors(session, library.installation_id, texts)
        session.connection().execute(sa.delete(ReferenceRow).where(*gone))
    renamed = sa.update(ReferenceRow).where(
        *_mine(ReferenceRow, library), col(ReferenceRow.repository) != library.repository
    )
    session.connection().execute(renamed.values(repository=library.repository))
    return len(stale)


def count_references(session: Session, library: Library) -> int:
    return session.exec(select(sa.func.count()).select_from(ReferenceRow).where(*_mine(ReferenceRow, library))).one()


def _mine(table: type[SQLModel], library: Library) -> tuple[sa.ColumnElement[bool], ...]:
    columns = sa.inspect(table).columns
    return (
        columns["installation_id"] == library.installation_id,
        columns["repository_id"] == library.repository_id,
    )


def load_vectors(
    session: Session, installation_id: int, model: str, texts: Iterable[str]
) -> dict[str, NDArray[np.float32]]:
    """By the text's hash; a text whose vector is not kept is missing."""
    found = {}
    for chunk in _chunks([text_hash(text) for text in texts]):
        query = select(VectorRow).where(
            VectorRow.installation_id == installation_id, VectorRow.model == model, col(VectorRow.text_hash).in_(chunk)
        )
        for row in session.exec(query):
            found[row.text_hash] = np.frombuffer(row.vector, dtype="<f2").astype(np.float32)
    return found


def save_vectors(session: Session, installation_id: int, model: str, found: Mapping[str, NDArray[np.float32]]) -> None:
    rows = (
        VectorRow(installation_id=installation_id, model=model, text_hash=known, vector=vector.astype("<f2").tobytes())
        for known, vector in found.items()
    )
    insert_all_if_absent(session, rows)


def delete_vectors_of(session: Session, installation_id: int, model: str) -> None:
    """A model that makes vectors of another length now can't be compared with what it made before."""
    mine = (col(VectorRow.installation_id) == installation_id, col(VectorRow.model) == model)
    session.connection().execute(sa.delete(VectorRow).where(*mine))


def _delete_vectors(session: Session, installation_id: int, texts: Iterable[str]) -> None:
    """Of any model. Where another piece has the same words, they are made again."""
    for chunk in _chunks([text_hash(text) for text in texts]):
        mine = (col(VectorRow.installation_id) == installation_id, col(VectorRow.text_hash).in_(chunk))
        session.connection().execute(sa.delete(VectorRow).where(*mine))


def _chunks(items: list[str]) -> Iterable[list[str]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
