"""What became of the candidates of a pull request, as our tables say it."""

from collections import Counter

from sqlmodel import Session

from app.curation.recording import Scope, is_private, load_policy_problem
from app.domain.base import Record
from app.domain.examples import Evidence, Example, ExampleKind, Rejection
from app.store.learning import (
    select_approvals_of,
    select_audit_details,
    select_audits_of,
    select_examples,
    select_rejections,
)
from app.store.tables import ApprovalRow

_OUTCOMES = {"approve": "kept", "reject": "dropped"}


class CandidateAccount(Record):
    """One thread. `rejection`: why it is no Example; else the decision in force, `verdict` None when there is none."""

    comment_id: int
    path: str
    line: int | None
    evidence: Evidence
    reviewer: str | None = None
    rejection: str | None = None
    verdict: str | None = None
    actor: str = ""
    role: str = ""
    source: str = ""
    reason: str = ""
    basis: str | None = None


class PullAccount(Record):
    """`silent`: hunks without a comment, by outcome. `refusals`: what did not count, newest first."""

    is_private: bool
    candidates: tuple[CandidateAccount, ...]
    silent: dict[str, int]
    policy_problem: str | None
    refusals: tuple[str, ...]


def load_account(session: Session, scope: Scope) -> PullAccount:
    where = (scope.installation_id, scope.repository, scope.number)
    rows = select_examples(session, where[0], repository=where[1], pull_request=where[2])
    examples = [Example.model_validate(row.payload) for row in rows]
    approvals = select_approvals_of(session, *where)
    details = select_audit_details(session, [row.idempotency_key for row in approvals.values()])
    rejections = [
        Rejection.model_validate(row.payload)
        for row in select_rejections(session, where[0], repository=where[1], pull_request=where[2])
    ]
    spoken = [one for one in examples if one.kind is ExampleKind.REVIEW_COMMENT]
    told = [_of_example(one, approvals.get(one.hash), details) for one in spoken]
    silent = Counter(
        _OUTCOMES.get(approvals[one.hash].decision, "waiting") if one.hash in approvals else "waiting"
        for one in examples
        if one.kind is ExampleKind.CLEAN_HUNK
    )
    refused = select_audits_of(session, "curation.refused", f"{scope.repository}#{scope.number}")
    return PullAccount(
        is_private=is_private(session, scope),
        candidates=tuple(sorted([*told, *map(_of_rejection, rejections)], key=lambda one: one.comment_id)),
        silent=dict(silent),
        policy_problem=load_policy_problem(session, scope),
        refusals=tuple(str(row.detail["detail"]) for row in reversed(refused)),
    )


def _of_example(example: Example, row: ApprovalRow | None, details: dict[str, dict[str, object]]) -> CandidateAccount:
    account = CandidateAccount(
        comment_id=example.comment_id or 0,
        path=example.path,
        line=example.line,
        evidence=example.evidence or Evidence.UNKNOWN,
        reviewer=example.reviewer,
    )
    if row is None:
        return account
    detail = details.get(row.idempotency_key, {})
    return account.model_copy(
        update={
            "verdict": row.decision,
            "actor": row.actor,
            "role": row.actor_role,
            "source": row.source,
            "reason": str(detail.get("reason") or ""),
            "basis": detail.get("basis"),
        }
    )


def _of_rejection(rejection: Rejection) -> CandidateAccount:
    return CandidateAccount(
        comment_id=rejection.comment_id,
        path=rejection.path,
        line=rejection.line,
        evidence=rejection.evidence,
        rejection=rejection.detail,
    )
