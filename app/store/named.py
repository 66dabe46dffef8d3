"""Whom keys of erasures mean, told from the rows that a backup brought back: nobody keeps the names."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from app.domain.erasure import ErasureKind, Subject, walk_texts
from app.domain.tombstones import Tombstone
from app.domain.written import author_key
from app.store.erasing import select_repository_names
from app.store.reference_tables import ReferenceRow
from app.store.tables import (
    ApprovalRow,
    AuditRow,
    DeliveryRow,
    DismissalRow,
    ExampleRow,
    FeedbackRow,
    FindingRow,
    HarvestedRow,
    PauseRow,
    RejectionRow,
    ReviewRow,
)

_OF_PULLS = (ExampleRow, RejectionRow, ApprovalRow, HarvestedRow, ReviewRow, FeedbackRow, DismissalRow, PauseRow)
_WITH_TEXTS = (*_OF_PULLS, ReferenceRow, DeliveryRow)
_WORD = re.compile(r"[\w-]+")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\w")
_LONGEST_NAME = 200


def name_subjects(
    session: Session, installation_id: int, tombstones: Iterable[Tombstone], texts: Iterable[str]
) -> list[Subject]:
    """The subjects of one installation's tombstones, as far as anything here is about them.

    `texts` are more places where people may be named. A person whose name is nowhere, and who opened pull requests,
    is told as those. What is about nobody who can be named here holds nothing of theirs that an erasure would find.
    """
    wanted: dict[ErasureKind, set[str]] = {kind: set() for kind in ErasureKind}
    for tombstone in tombstones:
        wanted[tombstone.kind].add(tombstone.subject_key)
    found = [Subject(kind=ErasureKind.INSTALLATION, name=str(installation_id))]
    found += [
        Subject(kind=ErasureKind.REPOSITORY, name=name)
        for name in sorted(select_repository_names(session, installation_id))
        if name
    ]
    found += [Subject(kind=ErasureKind.PULL_REQUEST, name=name) for name in sorted(_pulls(session, installation_id))]
    chosen = [subject for subject in found if subject.key in wanted[subject.kind]]
    people = wanted[ErasureKind.AUTHOR]
    return chosen + (_people(session, installation_id, people, texts) if people else [])


def _pulls(session: Session, installation_id: int) -> set[str]:
    found: set[tuple[str, int | None]] = set()
    for table in _OF_PULLS:
        columns = sa.inspect(table).columns
        query = sa.select(columns["repository"], columns["pull_request"]).distinct()
        rows = session.connection().execute(query.where(columns["installation_id"] == installation_id))
        found |= {(row[0], row[1]) for row in rows}
    for body in session.exec(select(DeliveryRow.body).where(DeliveryRow.installation_id == installation_id)):
        payload = _parse(body)
        about = payload.get("pull_request") or payload.get("issue") or {}
        found.add((str((payload.get("repository") or {}).get("full_name") or ""), about.get("number")))
    return {f"{repository}#{number}" for repository, number in found if repository and number}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _people(session: Session, installation_id: int, keys: set[str], texts: Iterable[str]) -> list[Subject]:
    names: dict[str, str] = {}
    seen: set[str] = set()
    for text in _texts(session, installation_id, texts):
        for word in {text.strip(), *_WORD.findall(text), *_ADDRESS.findall(text)} - seen:
            seen.add(word)
            if 0 < len(word) <= _LONGEST_NAME and (key := author_key(word)) in keys:
                names.setdefault(key, word)
    found = [Subject(kind=ErasureKind.AUTHOR, name=name) for _, name in sorted(names.items())]
    nameless = col(HarvestedRow.author).in_(keys - names.keys())
    opened = select(HarvestedRow).where(HarvestedRow.installation_id == installation_id, nameless)
    return found + [
        Subject(kind=ErasureKind.PULL_REQUEST, name=f"{row.repository}#{row.pull_request}")
        for row in session.exec(opened)
    ]


def _texts(session: Session, installation_id: int, more: Iterable[str]) -> Iterator[str]:
    for table in _WITH_TEXTS:
        mine = select(table).where(col(table.installation_id) == installation_id)
        for row in session.exec(mine.execution_options(yield_per=500)):
            yield from _texts_of(row)
    for audit in session.exec(select(AuditRow).execution_options(yield_per=500)):
        yield from _texts_of(audit)
    reviews = sa.select(col(ReviewRow.id)).where(col(ReviewRow.installation_id) == installation_id)
    for finding in session.exec(select(FindingRow).where(col(FindingRow.review_id).in_(reviews))):
        yield from _texts_of(finding)
    yield from more


def _texts_of(row: SQLModel) -> Iterator[str]:
    for name in type(row).model_fields:
        value = getattr(row, name)
        yield from walk_texts(_parse(value) if isinstance(value, bytes) else value)
