"""A repository that has another name, or whose name is another's by now: its rows go with its id.

Rows are found by name and GitHub gives a name anew, so within an installation a name is one repository's at a time: the
one that GitHub said last. Whoever loses theirs before the new one is known waits under one that GitHub gives nobody.

An Example keeps in its payload the name it was approved under, for its hash binds that; the column beside it says where
it is looked for and who may see it. So nothing that was approved is lost, and nobody comes into it with the name.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from app.domain.erasure import ErasureKind, subject_key
from app.store.reference_tables import ReferenceFileRow, ReferenceRow
from app.store.tables import (
    ApprovalRow,
    AuditRow,
    DismissalRow,
    ErasureRow,
    ExampleRow,
    FeedbackRow,
    HarvestedRow,
    PauseRow,
    RejectionRow,
    RepositoryRow,
    ReviewRow,
)
from app.store.web_tables import ExampleSearchRow

#: Where `repository` is part of the key, and with what.
_KEYED: dict[type[SQLModel], tuple[str, ...]] = {
    PauseRow: ("pull_request",),
    DismissalRow: ("pull_request", "fingerprint"),
}
_NAMED: tuple[type[SQLModel], ...] = (
    ExampleRow,
    ExampleSearchRow,
    RejectionRow,
    ApprovalRow,
    HarvestedRow,
    ReviewRow,
    FeedbackRow,
    ReferenceFileRow,
    ReferenceRow,
    *_KEYED,
)


def settle_name(session: Session, installation_id: int, repository_id: int, full_name: str) -> None:
    """GitHub said that this id has this name: rows of the id come to it, another's leave it. Makes no repository."""
    if not any(_select_moves(session, installation_id, repository_id, full_name, locked=False)):
        return  # the common case takes no lock
    for row, name in list(_select_moves(session, installation_id, repository_id, full_name, locked=True)):
        _move(session, row, row.full_name, name)
        row.full_name = name
        session.add(row)
        session.flush()
    session.expire_all()


def gather_left(session: Session, installation_id: int, repository_id: int, full_name: str) -> None:
    """Rows that lie under a name that nobody has: of releases that left them there, or written while it changed. Those
    of this id come to its name; another's under that name go to theirs, before this id is watched at all."""
    is_watched = session.get(RepositoryRow, (installation_id, repository_id)) is not None
    of_id, of_name = col(HarvestedRow.repository_id), col(HarvestedRow.repository)
    mine = (of_id == repository_id) & (of_name != full_name)
    others = (of_id != repository_id) & (sa.func.lower(of_name) == full_name.lower())
    query = sa.select(of_id, of_name).where(
        col(HarvestedRow.installation_id) == installation_id, mine if is_watched else mine | others
    )
    for owner_id, old in list(session.connection().execute(query.distinct())):
        owner = session.get(RepositoryRow, (installation_id, owner_id))
        if owner is not None and _is_of_one(session, installation_id, owner_id, old):
            _move(session, owner, old, owner.full_name)


def _is_of_one(session: Session, installation_id: int, repository_id: int, name: str) -> bool:
    """Whether no other repository has or had that name; where two had, a name does not tell whose a row is."""
    table = RepositoryRow
    has = sa.select(sa.literal(1)).where(
        col(table.installation_id) == installation_id,
        col(table.repository_id) != repository_id,
        sa.func.lower(col(table.full_name)) == name.lower(),
    )
    had = sa.select(sa.literal(1)).where(
        col(HarvestedRow.installation_id) == installation_id,
        col(HarvestedRow.repository_id) != repository_id,
        col(HarvestedRow.repository) == name,
    )
    return session.connection().execute(sa.union_all(has, had).limit(1)).first() is None


def name_waiting(full_name: str, repository_id: int) -> str:
    """What a repository is called whose name is another's and whose own is not known: never one of GitHub's. Pure."""
    return f"{full_name} (was {repository_id})"


def _select_moves(
    session: Session, installation_id: int, repository_id: int, full_name: str, *, locked: bool
) -> Iterator[tuple[RepositoryRow, str]]:
    """Repositories and their names from now on; first those that make way."""
    same = sa.func.lower(col(RepositoryRow.full_name)) == full_name.lower()
    mine = col(RepositoryRow.repository_id) == repository_id
    query = select(RepositoryRow).where(RepositoryRow.installation_id == installation_id, same | mine)
    query = query.order_by(mine, col(RepositoryRow.repository_id)).execution_options(populate_existing=True)
    for row in session.exec(query.with_for_update() if locked else query):
        if row.repository_id != repository_id:
            yield row, name_waiting(row.full_name, row.repository_id)
        elif row.full_name != full_name:
            yield row, full_name


def _move(session: Session, row: RepositoryRow, old: str, new: str) -> None:
    installation_id = row.installation_id
    _carry_erasures(session, row, old, new)
    for table in _NAMED:
        _move_rows(session, table, installation_id, (old, new))
    _move_audit(session, installation_id, old, new)


def _move_rows(session: Session, table: type[SQLModel], installation_id: int, names: tuple[str, str]) -> None:
    old, new = names
    columns = sa.inspect(table).columns
    mine = columns["installation_id"] == installation_id
    if table in _KEYED:  # what stands under the new name already says the same
        there = sa.inspect(table).local_table.alias()
        same = [there.c[name] == columns[name] for name in ("installation_id", *_KEYED[table])]
        is_there = sa.exists().where(there.c.repository == new, *same)
        session.connection().execute(sa.delete(table).where(mine, columns["repository"] == old, is_there))
    session.connection().execute(
        sa.update(table).where(mine, columns["repository"] == old).values({columns["repository"]: new})
    )


def _carry_erasures(session: Session, row: RepositoryRow, old: str, new: str) -> None:
    """What was erased stays so under the new name: only its key is kept, so it is told from the numbers we know. An
    erasure of the whole that is not done yet is of these rows, too, and not of whoever takes the name."""
    known = select(HarvestedRow.pull_request).where(
        HarvestedRow.installation_id == row.installation_id, HarvestedRow.repository_id == row.repository_id
    )
    pulls, whole = ErasureKind.PULL_REQUEST, ErasureKind.REPOSITORY
    names = {subject_key(pulls, f"{old}#{number}"): f"{new}#{number}" for number in session.exec(known)}
    for one in session.exec(select(ErasureRow).where(ErasureRow.installation_id == row.installation_id)):
        if one.kind == pulls.value and one.subject.lower().startswith(f"{old.lower()}#"):
            names.setdefault(
                one.subject_key, new + one.subject[len(old) :]
            )  # not done, of one that was never harvested
        elif one.kind == whole.value and one.finished_at is None:
            names.setdefault(subject_key(whole, old), new)
        if one.subject_key in names:
            name = names[one.subject_key]
            one.subject_key, one.subject = subject_key(ErasureKind(one.kind), name), name if one.subject else ""
    session.flush()


def _move_audit(session: Session, installation_id: int, old: str, new: str) -> None:
    """Acts are filed under the repository's name, and some are asked for by it: whether a pull request is private."""
    heads = (old, f"{installation_id}:{old}")
    about = [col(AuditRow.subject) == head for head in heads]
    about += [col(AuditRow.subject).startswith(f"{head}#", autoescape=True) for head in heads]
    detailed = col(AuditRow.action).startswith("curation.")
    query = select(AuditRow).where(AuditRow.installation_id == installation_id, sa.or_(*about, detailed))
    for row in session.exec(query.execution_options(yield_per=500)):
        row.subject = _rename_place(row.subject, installation_id, old, new)
        place = row.detail.get("pull_request")
        if isinstance(place, str) and place.startswith(f"{old}#"):
            changed: dict[str, Any] = {**row.detail, "pull_request": new + place[len(old) :]}
            row.detail = changed
    session.flush()


def _rename_place(subject: str, installation_id: int, old: str, new: str) -> str:
    """`[installation:]owner/name[#number]` with the name changed; all else as it is. Pure."""
    for tenant in ("", f"{installation_id}:"):
        if subject == f"{tenant}{old}" or subject.startswith(f"{tenant}{old}#"):
            return f"{tenant}{new}{subject[len(tenant) + len(old) :]}"
    return subject
