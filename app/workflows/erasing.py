"""The durable erasure: rows, snapshots, training runs, exports, logs, journal, mirrors; then the database is compacted.

It runs in the installation's own queue, so no harvest, curation or review is under way beside it; a learning round is
cancelled. Its arguments are ids: who is to be forgotten stands in one row of ours, in clear until it is done.

Not covered: blocks of a disk that a file system freed, backups, PostgreSQL's own log, what you exported out of the data
folder, and commits in the mirror of a repository that stays (they are its history). Weights that learned from it live
until they are replaced, at most `STALE_DAYS`: see app.workflows.retraining.
"""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.dataset.erasing import Erased, is_touched, remove_folder
from app.domain.adapters import CHILD_LOCK, TRAINER_LOCK
from app.domain.erasure import ErasureKind, Subject
from app.domain.errors import Refused, RetryLater, UserError
from app.domain.pinned import PINNED
from app.domain.tenants import Hosts, split_tenant
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import load_installation
from app.store.erasing import (
    compact,
    erase_doomed,
    forget_installation,
    has_unhandled,
    select_doomed,
    select_opened_pulls,
)
from app.store.erasures import load_erasure, save_erased
from app.store.learning import append_audit
from app.store.repositories import select_repositories, select_repository_ids
from app.store.tables import AdapterVersionRow, ErasureRow, RepositoryRow, SnapshotRow, TrainingRunRow
from app.workflows import engine
from app.workflows.context import services
from app.workflows.engine import progress, step, transaction, workflow
from app.workflows.erased_files import clean_log, delete_adapters, remove_entry, remove_mirror
from app.workflows.history import enqueue_history
from app.workflows.locks import FileLock
from app.workflows.pull_commits import fetch_recorded_commits
from app.workflows.runs import RUNNING

#: Copies that can be made again in seconds are not searched, they go.
_COPIES = ("exports", "reports")
_log = logging.getLogger(__name__)


@workflow("erase")
async def erase(installation_id: int, erasure_id: str) -> dict[str, Any]:
    """Returns the report: what was erased, counted, and the names of the adapters that learned from it."""
    if not await confirm(installation_id, erasure_id):
        await _dismiss(erasure_id)
        return {"dismissed": True}
    report: dict[str, Any] = {}
    await progress(stage="stopping the learning round")
    await stop_learning(installation_id)
    await progress(stage="snapshots")
    snapshots = await erase_snapshots(installation_id, erasure_id)
    commits: list[str] = snapshots.pop("commits", [])  # not there in what an earlier version recorded
    report |= snapshots
    report["mirrors"] = await erase_mirrors(installation_id, erasure_id)
    await progress(stage="exports and logs")
    report |= await erase_copies(installation_id, erasure_id)
    await progress(stage="rows")
    await wait_handled(installation_id, erasure_id)
    report |= await _erase_rows(installation_id, erasure_id, commits)
    if await _is_whole(erasure_id):
        report["adapters_deleted"] = await erase_adapters(installation_id, report["adapters"])
    report["journal"] = await erase_journal(installation_id, erasure_id)
    await _finish(installation_id, erasure_id, report)
    await progress(stage="compacting the database")
    await compact_database()
    return report


@step()
async def confirm(installation_id: int, erasure_id: str) -> bool:
    """Webhooks come late and out of order: what the App has again by now is not erased."""
    row, subject = await asyncio.to_thread(_load, erasure_id)
    if row.reason in ("operator", "restored"):  # a person said so; or it was done once, and a backup brought it back
        return True
    github = services().github(installation_id)
    if row.reason == "uninstalled":
        return not await github.is_installed()
    page, more = 1, True
    while more:
        try:
            found, more = await github.fetch_repositories(page)
        except Refused:  # uninstalled or suspended meanwhile: it sees nothing of the repository either
            return True
        if any(item.full_name == subject.repository for item in found):
            return False
        page += 1
    return True


def _load(erasure_id: str) -> tuple[ErasureRow, Subject]:
    with reading(services().database) as session:
        row = load_erasure(session, erasure_id)
    if row is None:
        raise UserError(f"expected the request {erasure_id}, got none; ask for the erasure again")
    return row, Subject(kind=ErasureKind(row.kind), name=row.subject)


@transaction
def _dismiss(session: Session, erasure_id: str) -> None:
    save_erased(session, erasure_id, {"dismissed": True}, lifted=True)


@step()
async def stop_learning(installation_id: int) -> int:
    """Cancel the installation's rounds and wait until no trainer works with their folders any more."""

    def stop() -> int:
        runs = engine.list_runs(RUNNING, id_prefix=f"learn:{installation_id}:")
        for run in runs:
            engine.cancel(run.id)
        for folder in (services().data / "runs").glob(f"{installation_id}-*"):
            for name in (CHILD_LOCK, TRAINER_LOCK):
                _wait_free(folder / name)
        return len(runs)

    return await asyncio.to_thread(stop)


def _wait_free(lock: Path) -> None:
    if not lock.exists():
        return
    try:
        FileLock(lock).release()
    except UserError as error:
        raise RetryLater(f"a training run still works in {lock.parent.name}", 1.0) from error


@step()
async def erase_snapshots(installation_id: int, erasure_id: str) -> dict[str, Any]:
    """Remove the snapshots that hold it and their training runs, and mark what learned from them as stale.

    `snapshots` and `adapters` are names; `commits` the ids of those that the subject's pull requests became.
    """
    commits = await _fetch_commits(installation_id, erasure_id)
    found = await asyncio.to_thread(_erase_snapshots, installation_id, erasure_id, commits)
    return found | {"commits": sorted(commits)}


async def _fetch_commits(installation_id: int, erasure_id: str) -> frozenset[str]:
    concerned = await asyncio.to_thread(_load_concerned, installation_id, erasure_id)
    found = [await fetch_recorded_commits(row, numbers) for row, numbers in concerned]
    return frozenset(sha for shas in found for sha in shas)


def _load_concerned(installation_id: int, erasure_id: str) -> list[tuple[RepositoryRow, frozenset[int]]]:
    """Repositories of which single pull requests go. Of a whole one every row goes by its name."""
    _, subject = _load(erasure_id)
    with reading(services().database) as session:
        pulls = select_opened_pulls(session, installation_id, subject)
        if subject.repository is not None and subject.number is not None:
            pulls = frozenset({(subject.repository, subject.number)})
        rows = select_repositories(session, installation_id)
    named = [(row, _numbers(row, pulls)) for row in rows]
    return [(row, numbers) for row, numbers in named if numbers]


def _numbers(row: RepositoryRow, pulls: frozenset[tuple[str, int]]) -> frozenset[int]:
    return frozenset(number for name, number in pulls if name.lower() == row.full_name.lower())


def _erase_snapshots(installation_id: int, erasure_id: str, commits: frozenset[str]) -> dict[str, Any]:
    request, subject = _load(erasure_id)
    data = services().data
    with reading(services().database) as session:
        doomed = select_doomed(session, installation_id, subject, commits)
        rows = _snapshots(session, installation_id)
    erased = Erased(doomed.pulls, frozenset(doomed.examples), commits)
    touched = [row for row in rows if _is_touched(row, request, subject, erased)]
    for row in touched:
        remove_folder(Path(row.path))
        for run in (data / "runs").glob(f"{installation_id}-{row.id.replace(':', '-')}*"):
            remove_folder(run)
    if touched:  # its prompts are rows of those snapshots; the next round chooses anew
        (data / PINNED / f"{installation_id}.json").unlink(missing_ok=True)
    for partial in (data / "snapshots").glob(".*"):
        remove_folder(partial)
    ids = [row.id for row in touched]
    whole = subject.kind is ErasureKind.INSTALLATION
    with writing(services().database) as session:
        adapters = _mark(session, installation_id, ids)
        adapters = [row.name for row in _learned(session, installation_id)] if whole else adapters
    return {"snapshots": ids, "adapters": adapters}


def _is_touched(row: SnapshotRow, request: ErasureRow, subject: Subject, erased: Erased) -> bool:
    if row.erased_at is not None:  # by this very request, before it was killed, or by one that is settled
        return row.erased_at >= request.requested_at
    folder = Path(row.path)
    if not folder.is_dir():  # nobody can tell any more what was in it
        return True
    whole = subject.kind is ErasureKind.INSTALLATION
    return whole or is_touched(folder, subject, erased)


def _snapshots(session: Session, installation_id: int) -> list[SnapshotRow]:
    return list(session.exec(select(SnapshotRow).where(SnapshotRow.installation_id == installation_id)))


def _learned(session: Session, installation_id: int, snapshots: Iterable[str] | None = None) -> list[AdapterVersionRow]:
    query = select(AdapterVersionRow).where(AdapterVersionRow.installation_id == installation_id)
    if snapshots is not None:
        query = query.where(col(AdapterVersionRow.snapshot_id).in_(list(snapshots)))
    return list(session.exec(query.order_by(col(AdapterVersionRow.name))))


def _mark(session: Session, installation_id: int, snapshots: list[str]) -> list[str]:
    now = utc_now()
    ours = col(SnapshotRow.installation_id) == installation_id
    gone = sa.update(SnapshotRow).where(ours, col(SnapshotRow.id).in_(snapshots), col(SnapshotRow.erased_at).is_(None))
    session.connection().execute(gone.values(erased_at=now))
    runs = sa.update(TrainingRunRow).where(
        col(TrainingRunRow.installation_id) == installation_id, col(TrainingRunRow.snapshot_id).in_(snapshots)
    )
    session.connection().execute(runs.values(detail={}))
    learned = _learned(session, installation_id, snapshots)
    for row in learned:
        row.stale_at = row.stale_at or now
        session.add(row)
    return [row.name for row in learned]


@step()
async def erase_mirrors(installation_id: int, erasure_id: str) -> int:
    """Of a whole repository or installation; one that another installation has, too, stays."""
    _, subject = await asyncio.to_thread(_load, erasure_id)
    if subject.kind not in (ErasureKind.REPOSITORY, ErasureKind.INSTALLATION):
        return 0

    def remove() -> int:
        with reading(services().database) as session:
            folder = services().data / "mirrors" / _host_name(session, installation_id)
            mine = select_repository_ids(session, installation_id, subject.repository)
        return sum(remove_mirror(folder / f"{repository_id}.git") for repository_id in sorted(mine))

    return await asyncio.to_thread(remove)


def _host_name(session: Session, installation_id: int) -> str:
    """Its row knows it still where the settings no longer do."""
    host = services().hosts.find(installation_id)
    row = load_installation(session, installation_id) if host is None else None
    return row.host if row is not None else services().host_of(installation_id).name


@step()
async def wait_handled(installation_id: int, erasure_id: str) -> None:
    """Raises:
    RetryLater: while a delivery about the subject waits: what it starts would bring the text back.
    """
    _, subject = await asyncio.to_thread(_load, erasure_id)

    def look() -> bool:
        with reading(services().database) as session:
            return has_unhandled(session, select_doomed(session, installation_id, subject).deliveries)

    if await asyncio.to_thread(look):
        raise RetryLater("a delivery about what is to be erased is being handled", 1.0)


@transaction
def _erase_rows(session: Session, installation_id: int, erasure_id: str, commits: list[str]) -> dict[str, int]:
    row = load_erasure(session, erasure_id)
    if row is None:
        return {}
    subject = Subject(kind=ErasureKind(row.kind), name=row.subject)
    return erase_doomed(session, installation_id, subject, frozenset(commits))


@step()
async def erase_copies(installation_id: int, erasure_id: str) -> dict[str, int]:
    """Exports go altogether, logs lose the lines about it."""

    def erase() -> dict[str, int]:
        _, subject = _load(erasure_id)
        data = services().data
        copies = [entry for name in _COPIES if (data / name).is_dir() for entry in (data / name).iterdir()]
        names = _names(installation_id, subject)
        logs = [path for folder in (data, *services().servers) for path in folder.rglob("*.log")]
        # A model server writes into its folder; a link there must not turn our hand on another file.
        lines = sum(clean_log(path, names) for path in logs if not path.is_symlink())
        return {"copies": sum(map(remove_entry, copies)), "log_lines": lines}

    return await asyncio.to_thread(erase)


def _names(installation_id: int, subject: Subject) -> frozenset[str]:
    """What lines of a log may call the subject by, in lower case."""
    if subject.kind is not ErasureKind.INSTALLATION:
        return frozenset({(subject.repository or subject.name).lower()})
    with reading(services().database) as session:
        row = load_installation(session, installation_id)
        names = {row.full_name for row in select_repositories(session, installation_id)}
    return frozenset(name.lower() for name in {subject.name, *names, "" if row is None else row.account} if name)


@step()
async def erase_adapters(installation_id: int, names: list[str]) -> int:
    """Of an installation that is gone: what it learned is of no use to anybody else."""
    _log.info("deleting %d adapters of installation %d", len(names), installation_id)
    return await delete_adapters(names)


@step()
async def erase_journal(installation_id: int, erasure_id: str) -> int:
    """What the job engine remembers of finished work about the subject; returns how many workflows it forgot."""

    def forget() -> int:
        _, subject = _load(erasure_id)
        if subject.kind is ErasureKind.INSTALLATION:
            partition = str(installation_id)
            return engine.forget_runs(prefixes=[f"learn:{installation_id}:"], holding=[], partition=partition)
        if subject.kind is ErasureKind.PULL_REQUEST:
            named = [f"{subject.repository}#{subject.number}"]
        else:
            named = [subject.name]

        def is_spared(workflow_id: str, partition: str | None) -> bool:
            return is_elsewhere(workflow_id, partition, installation_id, services().hosts)

        return engine.forget_runs(prefixes=[], holding=named, is_spared=is_spared)

    return await asyncio.to_thread(forget)


def is_elsewhere(workflow_id: str, partition: str | None, installation_id: int, hosts: Hosts) -> bool:
    """Whether a workflow is of another GitHub, whose repositories and people may have the same names. Pure.

    Those of one tenant's queue are told by its partition, a delivery or a command by the host in its id, a learning
    round by the tenant in its id.
    """
    number = split_tenant(installation_id).number
    learned = workflow_id.split(":")[1] if workflow_id.startswith("learn:") else ""
    tenant = partition or learned
    if tenant.isdigit():
        return split_tenant(int(tenant)).number != number
    return any(f":{host.name}:" in workflow_id for host in hosts if host.number != number)


@transaction
def _is_whole(session: Session, erasure_id: str) -> bool:
    row = load_erasure(session, erasure_id)
    return row is not None and row.kind == ErasureKind.INSTALLATION.value


@transaction
def _finish(session: Session, installation_id: int, erasure_id: str, report: dict[str, Any]) -> None:
    row = load_erasure(session, erasure_id)
    if row is not None and row.kind == ErasureKind.INSTALLATION.value:
        forget_installation(session, installation_id)
    elif row is not None and row.kind in (ErasureKind.AUTHOR.value, ErasureKind.PULL_REQUEST.value):
        for repository in select_repositories(session, installation_id):
            if repository.history_head is not None:  # commits are found by their history, not by a row's name
                enqueue_history(session, repository, f"erased:{erasure_id}")
    save_erased(session, erasure_id, report)
    append_audit(
        session,
        installation_id=installation_id,
        actor="understudy" if row is None else row.reason,
        action="erasure.done",
        subject=erasure_id,
        idempotency_key=f"erasure:{erasure_id}",
        detail={name: value for name, value in report.items() if isinstance(value, int)},
    )


@step()
async def compact_database() -> None:
    """Everything before only deleted rows; this is what takes their bytes from the files."""
    await asyncio.to_thread(compact, services().database)
