"""Examples, decisions about them, and who did what, of one installation. What learning made of them is in `rounds`."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.domain.examples import Example, ExampleKind, Rejection
from app.domain.signals import Signals
from app.domain.written import WrittenExample, WrittenKind
from app.store.rows import insert_all_if_absent, insert_if_absent
from app.store.searching import note_decision, save_search_rows
from app.store.tables import ApprovalRow, AuditRow, ExampleRow, RejectionRow

#: The source of a WrittenExample that the harvest of its own pull request saved.
DESCRIPTION_SOURCE = "description"
_HARVESTED = [kind.value for kind in ExampleKind]


def save_examples(
    session: Session, installation_id: int, examples: Iterable[Example], source: str, *, repository: str | None = None
) -> int:
    """How many were new. An Example is content-addressed, so saving it again changes nothing. `repository`: its name
    now, where they say the one before."""
    return _save_rows(session, [_example_row(installation_id, one, source, repository) for one in examples])


def _save_rows(session: Session, rows: list[ExampleRow]) -> int:
    new = insert_all_if_absent(session, rows)
    save_search_rows(session, rows)
    return new


def _example_row(installation_id: int, example: Example, source: str, repository: str | None) -> ExampleRow:
    return ExampleRow(
        hash=example.hash,
        installation_id=installation_id,
        repository=repository or example.repository,
        pull_request=example.pull_request,
        kind=example.kind.value,
        comment_id=example.comment_id,
        evidence=None if example.evidence is None else example.evidence.value,
        weight=example.weight,
        payload=example.model_dump(mode="json"),
        source=source,
    )


def save_written(
    session: Session,
    installation_id: int,
    examples: Iterable[WrittenExample],
    source: str,
    *,
    repository: str | None = None,
) -> int:
    """How many were new; saving again changes nothing. `repository` as in `save_examples`."""
    return _save_rows(
        session,
        [
            ExampleRow(
                hash=example.hash,
                installation_id=installation_id,
                repository=repository or example.repository,
                pull_request=example.pull_request,
                kind=example.kind.value,
                weight=1.0,
                payload=example.model_dump(mode="json"),
                source=source,
            )
            for example in examples
        ],
    )


def save_rejections(session: Session, installation_id: int, rejections: Iterable[Rejection]) -> int:
    """How many were new. A thread that is judged again keeps its first reason until `delete_judgements`."""
    return insert_all_if_absent(session, (_rejection_row(installation_id, rejection) for rejection in rejections))


def _rejection_row(installation_id: int, rejection: Rejection) -> RejectionRow:
    return RejectionRow(
        id=f"{rejection.host}:{rejection.repository_id}:{rejection.comment_id}",
        installation_id=installation_id,
        repository=rejection.repository,
        pull_request=rejection.pull_request,
        reason=rejection.reason,
        payload=rejection.model_dump(mode="json"),
    )


def load_stated_name(session: Session, installation_id: int, repository: str, pull_request: int) -> str | None:
    """What the repository is called in the Examples of a pull request, of which an approval binds every field."""
    name = sa.type_coerce(col(ExampleRow.payload), sa.JSON)["repository"].as_string()
    query = sa.select(name).where(
        col(ExampleRow.installation_id) == installation_id,
        col(ExampleRow.repository) == repository,
        col(ExampleRow.pull_request) == pull_request,
        col(ExampleRow.kind).in_(_HARVESTED) | (col(ExampleRow.source) == DESCRIPTION_SOURCE),
    )
    first = query.order_by(col(ExampleRow.created_at), col(ExampleRow.hash)).limit(1)
    return session.connection().execute(first).scalar()


def delete_judgements(session: Session, installation_id: int, repository: str, pull_request: int) -> int:
    """Take back every Example and Rejection of a pull request before it is harvested anew; approvals stay.

    An approval names a content hash, so it finds an unchanged Example again and never a changed one.
    """
    deleted = 0
    for row in (ExampleRow, RejectionRow):
        statement = sa.delete(row).where(
            col(row.installation_id) == installation_id,
            col(row.repository) == repository,
            col(row.pull_request) == pull_request,
        )
        if row is ExampleRow:  # most written ones come from the history, not from the harvest
            ours = col(ExampleRow.kind).in_(_HARVESTED) | (col(ExampleRow.source) == DESCRIPTION_SOURCE)
            statement = statement.where(ours)
        deleted += session.connection().execute(statement).rowcount
    return deleted


def delete_pull(session: Session, installation_id: int, repository: str, pull_request: int) -> int:
    """Delete everything learned from a pull request, written Examples too; approvals stay as a record of acts."""
    deleted = 0
    for row in (ExampleRow, RejectionRow):
        statement = sa.delete(row).where(
            col(row.installation_id) == installation_id,
            col(row.repository) == repository,
            col(row.pull_request) == pull_request,
        )
        deleted += session.connection().execute(statement).rowcount
    return deleted


def save_signals(session: Session, installation_id: int, signals: Mapping[str, Signals]) -> None:
    """What is around Examples now, by Example hash; their content stays as it is."""
    for example_hash, found in signals.items():
        statement = sa.update(ExampleRow).where(
            col(ExampleRow.hash) == example_hash, col(ExampleRow.installation_id) == installation_id
        )
        session.connection().execute(statement.values(signals=found.model_dump(mode="json")))


def select_examples(
    session: Session, installation_id: int, *, repository: str | None = None, pull_request: int | None = None
) -> list[ExampleRow]:
    """What the harvest found, oldest first, so that a snapshot of the same rows comes out the same."""
    query = select(ExampleRow).where(
        ExampleRow.installation_id == installation_id, col(ExampleRow.kind).in_(_HARVESTED)
    )
    if repository is not None:
        query = query.where(ExampleRow.repository == repository)
    if pull_request is not None:
        query = query.where(ExampleRow.pull_request == pull_request)
    return list(session.exec(query.order_by(col(ExampleRow.created_at), col(ExampleRow.hash))))


def select_written(session: Session, installation_id: int, *, repository: str | None = None) -> list[ExampleRow]:
    """Rows whose payload is a WrittenExample, in an order that does not change."""
    query = select(ExampleRow).where(
        ExampleRow.installation_id == installation_id, col(ExampleRow.kind).in_([kind.value for kind in WrittenKind])
    )
    if repository is not None:
        query = query.where(ExampleRow.repository == repository)
    return list(session.exec(query.order_by(col(ExampleRow.created_at), col(ExampleRow.hash))))


def select_written_hashes(session: Session, installation_id: int, repository: str, pull_request: int) -> set[str]:
    """Which contents of a pull request are WrittenExamples."""
    query = select(ExampleRow.hash).where(
        ExampleRow.installation_id == installation_id,
        ExampleRow.repository == repository,
        ExampleRow.pull_request == pull_request,
        col(ExampleRow.kind).in_([kind.value for kind in WrittenKind]),
    )
    return set(session.exec(query))


def select_rejections(
    session: Session, installation_id: int, *, repository: str | None = None, pull_request: int | None = None
) -> list[RejectionRow]:
    query = select(RejectionRow).where(RejectionRow.installation_id == installation_id)
    if repository is not None:
        query = query.where(RejectionRow.repository == repository)
    if pull_request is not None:
        query = query.where(RejectionRow.pull_request == pull_request)
    return list(session.exec(query.order_by(col(RejectionRow.created_at), col(RejectionRow.id))))


def count_evidence(session: Session, installation_id: int, repository: str) -> dict[str, int]:
    """Harvested comments by what git shows of them."""
    query = (
        select(ExampleRow.evidence, sa.func.count())
        .where(
            ExampleRow.installation_id == installation_id,
            ExampleRow.repository == repository,
            ExampleRow.source == "harvest",
            col(ExampleRow.comment_id).is_not(None),
        )
        .group_by(col(ExampleRow.evidence))
    )
    return {evidence or "unknown": int(count) for evidence, count in session.exec(query)}


def count_rejections(session: Session, installation_id: int, repository: str) -> dict[str, int]:
    """Threads that are no Example, by reason."""
    query = (
        select(RejectionRow.reason, sa.func.count())
        .where(RejectionRow.installation_id == installation_id, RejectionRow.repository == repository)
        .group_by(col(RejectionRow.reason))
    )
    return {reason: int(count) for reason, count in session.exec(query)}


def append_approval(session: Session, row: ApprovalRow) -> bool:
    """False if the same act (`idempotency_key`) is recorded already."""
    new = insert_if_absent(session, row)
    if new:
        note_decision(session, row.installation_id, row.example_hash, row.decision)
    return new


def load_approval_of(session: Session, installation_id: int, example_hash: str) -> ApprovalRow | None:
    """The newest decision about one content."""
    query = select(ApprovalRow).where(
        ApprovalRow.installation_id == installation_id, ApprovalRow.example_hash == example_hash
    )
    return session.exec(query.order_by(col(ApprovalRow.id).desc())).first()


def select_approvals_in_force(session: Session, installation_id: int) -> dict[str, ApprovalRow]:
    """The newest decision for each Example, by Example hash: approve, reject or void."""
    query = select(ApprovalRow).where(ApprovalRow.installation_id == installation_id).order_by(col(ApprovalRow.id))
    return {row.example_hash: row for row in session.exec(query)}


def select_approvals_of(
    session: Session, installation_id: int, repository: str, pull_request: int
) -> dict[str, ApprovalRow]:
    """The newest decision about each content a pull request has or had, by Example hash."""
    query = select(ApprovalRow).where(
        ApprovalRow.installation_id == installation_id,
        ApprovalRow.repository == repository,
        ApprovalRow.pull_request == pull_request,
    )
    return {row.example_hash: row for row in session.exec(query.order_by(col(ApprovalRow.id)))}


def select_pulls_decided_by(session: Session, installation_id: int, repository: str, source: str) -> list[int]:
    """Pull requests with a decision in force whose source begins so, in order."""
    rows = select_approvals_in_force(session, installation_id).values()
    return sorted({row.pull_request for row in rows if row.repository == repository and row.source.startswith(source)})


def select_approved_examples(session: Session, installation_id: int) -> list[ExampleRow]:
    """Examples whose newest decision is an approval of exactly this content."""
    return _approved(session, installation_id, select_examples(session, installation_id))


def select_approved_written(session: Session, installation_id: int) -> list[ExampleRow]:
    """WrittenExamples whose newest decision is an approval of exactly this content."""
    return _approved(session, installation_id, select_written(session, installation_id))


def _approved(session: Session, installation_id: int, rows: list[ExampleRow]) -> list[ExampleRow]:
    approvals = select_approvals_in_force(session, installation_id)

    def is_approved(row: ExampleRow) -> bool:
        approval = approvals.get(row.hash)
        return approval is not None and approval.decision == "approve" and approval.content_hash == row.hash

    return [row for row in rows if is_approved(row)]


def append_audit(
    session: Session,
    *,
    installation_id: int | None,
    actor: str,
    action: str,
    subject: str,
    idempotency_key: str,
    detail: dict[str, Any],
) -> bool:
    """False if the same act (`idempotency_key`) is recorded already. What names a repository or a person must say of
    which tenant, for another GitHub may have others of that name."""
    row = AuditRow(
        installation_id=installation_id,
        actor=actor,
        action=action,
        subject=subject,
        idempotency_key=idempotency_key,
        detail=detail,
    )
    return insert_if_absent(session, row)


def select_newest_audit(session: Session, actions: tuple[str, ...], subject: str) -> AuditRow | None:
    """The last of these acts upon a subject."""
    query = select(AuditRow).where(col(AuditRow.action).in_(actions), AuditRow.subject == subject)
    return session.exec(query.order_by(col(AuditRow.id).desc())).first()


def select_audit_details(session: Session, idempotency_keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What was noted beside acts, by the keys they were recorded under."""
    query = select(AuditRow).where(col(AuditRow.idempotency_key).in_(list(idempotency_keys)))
    return {row.idempotency_key: row.detail for row in session.exec(query)}


def select_audits_of(session: Session, action: str, subject: str) -> list[AuditRow]:
    """Every record of one kind of act upon a subject, oldest first."""
    query = select(AuditRow).where(AuditRow.action == action, AuditRow.subject == subject)
    return list(session.exec(query.order_by(col(AuditRow.id))))


def select_audit(session: Session, *, action: str) -> list[AuditRow]:
    """Every record of one kind of act, oldest first."""
    return list(session.exec(select(AuditRow).where(AuditRow.action == action).order_by(col(AuditRow.id))))
