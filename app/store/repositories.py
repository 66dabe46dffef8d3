"""Repositories under watch, which pull requests were harvested, and how far a backfill is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.domain.onboarding import Onboarding
from app.domain.tenants import split_tenant
from app.store.columns import utc_now
from app.store.renaming import gather_left, settle_name
from app.store.rows import insert_if_absent, upsert
from app.store.tables import HarvestedRow, RepositoryRow


def ensure_repository(session: Session, installation_id: int, repository_id: int, full_name: str) -> bool:
    """True if it was not watched before. A known one gets its present name, with all its rows; whoever had that name
    before and has it no more makes way."""
    settle_name(session, installation_id, repository_id, full_name)
    gather_left(session, installation_id, repository_id, full_name)
    row = RepositoryRow(installation_id=installation_id, repository_id=repository_id, full_name=full_name)
    return insert_if_absent(session, row)


def load_repository(session: Session, installation_id: int, repository_id: int) -> RepositoryRow | None:
    return session.get(RepositoryRow, (installation_id, repository_id))


def find_repository(session: Session, installation_id: int, full_name: str) -> RepositoryRow | None:
    """By its present name, which is one repository's at a time (`settle_name`); GitHub's names know no case. Whoever
    knows the id asks `load_repository`."""
    query = select(RepositoryRow).where(
        RepositoryRow.installation_id == installation_id, sa.func.lower(RepositoryRow.full_name) == full_name.lower()
    )
    return session.exec(query).first()


def load_waiting(session: Session, installation_id: int) -> frozenset[str]:
    """Names of the repositories whose onboarding has not come to its yes."""
    query = select(RepositoryRow.full_name).where(
        RepositoryRow.installation_id == installation_id,
        col(RepositoryRow.onboarding).is_not(None),
        RepositoryRow.onboarding != Onboarding.STARTED.value,
    )
    return frozenset(session.exec(query))


def select_unproposed(session: Session, before: datetime) -> list[str]:
    """Names of repositories, across tenants, whose history was read before that moment and that were not asked yet."""
    query = select(RepositoryRow.full_name).where(
        RepositoryRow.onboarding == Onboarding.DUE.value, col(RepositoryRow.backfill_listed_at) < before
    )
    return sorted(session.exec(query))


def save_first_place(session: Session, installation_id: int, repository_id: int, place: Onboarding) -> None:
    """Unless it has one."""
    statement = sa.update(RepositoryRow).where(
        col(RepositoryRow.installation_id) == installation_id,
        col(RepositoryRow.repository_id) == repository_id,
        col(RepositoryRow.onboarding).is_(None),
    )
    session.connection().execute(statement.values(onboarding=place.value))


def save_place(
    session: Session, installation_id: int, repository_id: int, place: Onboarding, pull_request: int | None
) -> None:
    """How far a repository's onboarding is, and the number of its pull request."""
    _update(session, installation_id, repository_id, onboarding=place.value, onboarding_pull=pull_request)


def select_repositories(session: Session, installation_id: int) -> list[RepositoryRow]:
    query = select(RepositoryRow).where(RepositoryRow.installation_id == installation_id)
    return list(session.exec(query.order_by(col(RepositoryRow.repository_id))))


def select_repository_ids(session: Session, installation_id: int, full_name: str | None = None) -> set[int]:
    """Repositories that this installation knows (of this name only, when one is given) and no other of its GitHub."""
    number = split_tenant(installation_id).number
    mine: set[int] = set()
    others: set[int] = set()
    for query in (
        select(RepositoryRow.installation_id, RepositoryRow.repository_id, RepositoryRow.full_name),
        select(HarvestedRow.installation_id, HarvestedRow.repository_id, HarvestedRow.repository).distinct(),
    ):
        for owner, repository_id, name in session.exec(query):
            if split_tenant(owner).number != number:
                continue  # another GitHub's repository, whatever its id
            if owner != installation_id:
                others.add(repository_id)
            elif full_name is None or name.lower() == full_name.lower():
                mine.add(repository_id)
    return mine - others


def select_backfills(session: Session) -> list[tuple[RepositoryRow, int]]:
    """Every repository that has a backfill, across tenants, with how many of its pull requests are harvested."""
    harvested = (
        sa.select(sa.func.count())
        .where(
            col(HarvestedRow.installation_id) == col(RepositoryRow.installation_id),
            col(HarvestedRow.repository_id) == col(RepositoryRow.repository_id),
        )
        .scalar_subquery()
    )
    query = sa.select(RepositoryRow, harvested).where(col(RepositoryRow.backfill).is_not(None))
    rows = session.execute(query.order_by(col(RepositoryRow.installation_id), col(RepositoryRow.repository_id)))
    return [(row[0], int(row[1])) for row in rows]


def begin_backfill(session: Session, installation_id: int, repository_id: int, run: str) -> bool:
    """False when this run began here already: a step that runs again starts nothing twice."""
    row = load_repository(session, installation_id, repository_id)
    if row is None or row.backfill == run:
        return False
    done = count_harvested(session, installation_id, repository_id)
    fresh: dict[str, Any] = {"backfill_began_at": utc_now(), "backfill_listed_at": None, "listed": 0, "total": 0}
    _update(session, installation_id, repository_id, backfill=run, done_before=done, **fresh)
    return True


def save_listed(
    session: Session, installation_id: int, repository_id: int, *, total: int, pulls: int, is_last: bool
) -> None:
    """A page of `pulls` merged pull requests was listed."""
    changes: dict[str, Any] = {"total": total, "listed": RepositoryRow.listed + pulls}
    if is_last:
        changes["backfill_listed_at"] = utc_now()
    _update(session, installation_id, repository_id, **changes)


def save_sweep(
    session: Session, installation_id: int, repository_id: int, *, began_at: datetime, etag: str | None
) -> None:
    _update(session, installation_id, repository_id, swept_at=began_at, etag=etag)


def save_heads(
    session: Session, installation_id: int, repository_id: int, *, seen: str | None, recorded: str | None
) -> None:
    """How far the default branch was looked at, and how far its history is recorded."""
    _update(session, installation_id, repository_id, seen_head=seen, history_head=recorded)


def save_indexed_head(session: Session, installation_id: int, repository_id: int, head: str | None) -> None:
    """The head whose documentation was read to its end; None when there is more to read."""
    _update(session, installation_id, repository_id, indexed_head=head)


def _update(session: Session, installation_id: int, repository_id: int, **changes: Any) -> None:  # noqa: ANN401 (columns)
    statement = sa.update(RepositoryRow).where(
        col(RepositoryRow.installation_id) == installation_id, col(RepositoryRow.repository_id) == repository_id
    )
    session.connection().execute(statement.values(changes))
    session.expire_all()


def save_harvested(session: Session, row: HarvestedRow) -> None:
    upsert(session, row)


def select_harvested_heads(
    session: Session, installation_id: int, repository_id: int, numbers: Iterable[int]
) -> dict[int, str]:
    """Pull request → the head it was harvested at, for those of `numbers` that were."""
    query = select(HarvestedRow.pull_request, HarvestedRow.head_sha).where(
        HarvestedRow.installation_id == installation_id,
        HarvestedRow.repository_id == repository_id,
        col(HarvestedRow.pull_request).in_(list(numbers)),
    )
    return dict(session.exec(query).all())


def select_merge_commits(
    session: Session, installation_id: int, repository_id: int, numbers: Iterable[int]
) -> dict[int, str]:
    """Pull request → what its merge made on the base branch, for those of `numbers` of which it is known."""
    query = select(HarvestedRow.pull_request, HarvestedRow.merge_commit_sha).where(
        HarvestedRow.installation_id == installation_id,
        HarvestedRow.repository_id == repository_id,
        col(HarvestedRow.merge_commit_sha).is_not(None),
    )
    wanted = set(numbers)
    return {number: sha for number, sha in session.exec(query) if number in wanted and sha is not None}


def save_merge_commits(session: Session, installation_id: int, repository_id: int, found: Mapping[int, str]) -> None:
    """For pull requests that were harvested before it was kept; of others there is no row, and none is made."""
    for number, sha in found.items():
        statement = sa.update(HarvestedRow).where(
            col(HarvestedRow.installation_id) == installation_id,
            col(HarvestedRow.repository_id) == repository_id,
            col(HarvestedRow.pull_request) == number,
        )
        session.connection().execute(statement.values(merge_commit_sha=sha))


def count_harvested(session: Session, installation_id: int, repository_id: int) -> int:
    query = select(sa.func.count()).where(
        HarvestedRow.installation_id == installation_id, HarvestedRow.repository_id == repository_id
    )
    return session.exec(query).one()
