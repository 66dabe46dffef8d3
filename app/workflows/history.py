"""The durable reading of a repository's history, where its owners' policy says `history: true`.

A run reads the policy, fetches the default branch by git, saves the WrittenExamples of the commits that are new, and
lets the owners' word approve them. Commits that may not be learned from are looked for among all of them each time, so
that who opts out later, or a pull request that turns private, takes out what was read before. Run again, or killed
halfway, it ends in the same rows: examples and approvals are keyed by their content, the head is saved last.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from sqlmodel import Session

from app.curation.decision import HISTORY_ACTOR
from app.curation.history import Ground, HistoryPlan, decide_closed, decide_open, record_decision
from app.curation.recording import PRIVATE, Scope, is_private
from app.domain.base import content_hash
from app.domain.erasure import ErasureKind, Forgotten, subject_key
from app.domain.policies import Curation, RepositoryPolicy
from app.github.git import (
    CommitGone,
    ensure_mirror,
    fetch_default_branch,
    has_commit,
    lock_mirror,
)
from app.history.deciding import Origin
from app.history.permitted import (
    fetch_listing,
    select_left_out,
)
from app.history.record import record_history
from app.store.database import reading, writing
from app.store.deliveries import load_installation
from app.store.erasures import load_forgotten
from app.store.learning import append_audit, select_approvals_in_force, select_audit
from app.store.repositories import load_repository, save_heads
from app.store.tables import ApprovalRow, RepositoryRow
from app.store.written import WrittenPlace, delete_written, select_pulls_of, select_written_places
from app.workflows.context import services
from app.workflows.engine import current_workflow_id, enqueue_in_transaction, progress, step, workflow
from app.workflows.pull_commits import Place, Source, fetch_kept_out, fetch_merges
from app.workflows.runs import Queue

#: After everything else, a backfill's pages too: nobody waits for it.
_PRIORITY = 2_000
#: Decisions in one transaction: how long others wait to write.
_DECISIONS = 500


def enqueue_history(session: Session, row: RepositoryRow, key: str) -> str:
    """Read a repository's history, once per `key`, if the session's transaction commits; returns the workflow's id."""
    workflow_id = f"history:{row.installation_id}:{row.repository_id}:{key}"
    enqueue_in_transaction(
        session,
        "history",
        workflow_id,
        row.installation_id,
        row.repository_id,
        queue=Queue.GITHUB,
        partition=row.installation_id,
        priority=_PRIORITY,
    )
    return workflow_id


@workflow("history")
async def history(installation_id: int, repository_id: int) -> dict[str, int]:
    """Returns counts: `commits` that were read, `saved`, `approve`, `void` and `delete`; empty for an empty one."""
    await progress(stage="history")
    return await record_repository(installation_id, repository_id, current_workflow_id())


@step()
async def record_repository(installation_id: int, repository_id: int, run: str) -> dict[str, int]:
    """One run. `run` names it in the audit."""
    row = await asyncio.to_thread(_load_row, installation_id, repository_id)
    if row is None:
        return {}
    github = services().github(installation_id)
    policy = (await github.fetch_policy(row.full_name)).policy
    source = Source(github.git_url(row.full_name), await github.fetch_git_access())
    known = await asyncio.to_thread(_load_known, row, policy)
    if policy.is_history_open:
        known = known._replace(merges=await fetch_merges(row, known.barred))
    return await asyncio.to_thread(_record, row, policy, known, source, run)


def _load_row(installation_id: int, repository_id: int) -> RepositoryRow | None:
    """None when the App was removed or suspended, or the repository erased."""
    with reading(services().database) as session:
        installation = load_installation(session, installation_id)
        if installation is None or installation.state != "active":
            return None
        return load_repository(session, installation_id, repository_id)


class _Known(NamedTuple):
    """What is known before a run. `barred`: pull requests of which nothing is learned, `private` among them, and
    `merges` what became of those on the default branch."""

    forgotten: Forgotten
    private: frozenset[int]
    barred: frozenset[int]
    merges: Mapping[int, str]

    def is_erased(self, repository: str) -> bool:
        return subject_key(ErasureKind.REPOSITORY, repository) in self.forgotten.keys


def _load_known(row: RepositoryRow, policy: RepositoryPolicy) -> _Known:
    installation_id = row.installation_id
    with reading(services().database) as session:
        forgotten = load_forgotten(session, installation_id)
        mine = f"{installation_id}:{row.full_name}#"
        subjects = {audit.subject for audit in select_audit(session, action=PRIVATE[0])}
        numbers = [int(subject.removeprefix(mine)) for subject in subjects if subject.startswith(mine)]
        private = frozenset(
            number
            for number in numbers
            if is_private(session, Scope(installation_id=installation_id, repository=row.full_name, number=number))
        )
        others = select_pulls_of(session, installation_id, row.repository_id, policy.opt_out, forgotten)
    return _Known(forgotten, private, private | others, {})


def _record(row: RepositoryRow, policy: RepositoryPolicy, known: _Known, source: Source, run: str) -> dict[str, int]:
    mirror = ensure_mirror(services().data / "mirrors", services().host_of(row.installation_id).name, row.repository_id)
    with lock_mirror(mirror):
        try:
            head = fetch_default_branch(mirror, source.url, access=source.access)
        except CommitGone:  # an empty repository
            return {}
        if not policy.is_history_open or known.is_erased(row.full_name):
            return _close(row, head, run, is_off=policy.curation is Curation.OFF or known.is_erased(row.full_name))
        return _read_on(row, policy, known, Place(mirror, source, head), run)


def _read_on(row: RepositoryRow, policy: RepositoryPolicy, known: _Known, at: Place, run: str) -> dict[str, int]:
    commits = fetch_listing(at.mirror, at.head)
    kept_out = fetch_kept_out(at, known.barred, known.merges, moving=known.private)
    left_out = select_left_out(commits, policy, known.forgotten, kept_out)
    before = row.history_head
    record = record_history(
        services().database,
        row.installation_id,
        at.mirror,
        Origin(
            host=services().host_of(row.installation_id).name, repository_id=row.repository_id, repository=row.full_name
        ),
        since=before if before is not None and has_commit(at.mirror, before) else None,
        until=at.head,
        left_out=left_out,
        permit=lambda example: not known.forgotten.is_named_in(example.model_dump(mode="json")),
    )
    permitted = {commit.sha for commit in commits} - left_out
    places, in_force = _load_places(row)
    plan = decide_open(places, in_force, permitted, known.barred)
    read = {"commits": record.commits, "saved": record.saved}
    return _settle(row, _Standing(places, in_force), plan, _Report("history.recorded", run, at.head, at.head, read))


def _close(row: RepositoryRow, head: str, run: str, *, is_off: bool) -> dict[str, int]:
    places, in_force = _load_places(row)
    plan = decide_closed(places, in_force, is_off=is_off)
    return _settle(row, _Standing(places, in_force), plan, _Report("history.closed", run, head, None, {}))


# Writing it down


class _Standing(NamedTuple):
    """WrittenExamples and the decisions in force over them."""

    places: Sequence[WrittenPlace]
    in_force: Mapping[str, ApprovalRow]


class _Report(NamedTuple):
    """What a run did: the audit's action, its key, the head that was seen, the head up to which all is recorded."""

    action: str
    run: str
    seen: str
    recorded: str | None
    read: dict[str, int]


def _load_places(row: RepositoryRow) -> _Standing:
    with reading(services().database) as session:
        places = select_written_places(session, row.installation_id, row.repository_id)
        in_force = select_approvals_in_force(session, row.installation_id) if places else {}
    return _Standing(places, in_force)


def _settle(row: RepositoryRow, standing: _Standing, plan: HistoryPlan, report: _Report) -> dict[str, int]:
    """Decisions in portions; then, in one transaction, what is deleted, how far the history is known, and the audit."""
    counts = report.read | {
        "void": _decide(row, standing, "void", plan.void),
        "approve": _decide(row, standing, "approve", plan.approve),
    }
    with writing(services().database) as session:
        counts["delete"] = delete_written(session, row.installation_id, plan.delete)
        save_heads(session, row.installation_id, row.repository_id, seen=report.seen, recorded=report.recorded)
        if report.recorded is not None or any(counts.values()):
            append_audit(
                session,
                installation_id=row.installation_id,
                actor=HISTORY_ACTOR,
                action=report.action,
                subject=f"{row.installation_id}--{row.repository_id}",
                idempotency_key=content_hash("hr1", [report.run, report.seen]),
                detail={**counts, "head": report.seen},
            )
    return counts


def _decide(
    row: RepositoryRow, standing: _Standing, decision: Literal["approve", "void"], hashes: Sequence[str]
) -> int:
    chosen = set(hashes)
    places = [place for place in standing.places if place.hash in chosen]
    ground = Ground(installation_id=row.installation_id, repository=row.full_name)
    decided = 0
    for start in range(0, len(places), _DECISIONS):
        with writing(services().database) as session:
            for place in places[start : start + _DECISIONS]:
                replaced = standing.in_force.get(place.hash)
                decided += record_decision(session, ground, place, decision, None if replaced is None else replaced.id)
    return decided
