"""Recording what curation decided: an approval and an audit row for each decision, an audit row for each refusal."""

from collections import Counter
from typing import cast

from sqlmodel import Session

from app.curation.decision import UNKNOWN_ACTOR, Decision, Refusal, Standing, Verdict, decide_curation
from app.curation.labels import ReadLabels
from app.domain.base import Record, content_hash
from app.store.learning import append_approval, append_audit, select_approvals_in_force, select_examples
from app.store.tables import ApprovalRow


class Scope(Record):
    """The pull request that is curated."""

    installation_id: int
    repository: str
    number: int


def record_curation(session: Session, scope: Scope, labels: ReadLabels) -> dict[str, int]:
    """Decide over what the session shows, record it, and count what was new: by verdict, and `refused`.

    Told twice, the same act is recorded once.
    """
    examples = select_examples(session, scope.installation_id, repository=scope.repository, pull_request=scope.number)
    in_force = {
        example_hash: Standing(verdict=cast(Verdict, row.decision), actor=row.actor)
        for example_hash, row in select_approvals_in_force(session, scope.installation_id).items()
        if (row.repository, row.pull_request) == (scope.repository, scope.number)
    }
    plan = decide_curation(labels.states, frozenset(row.hash for row in examples), in_force)
    counts: Counter[str] = Counter()
    for decision in plan.decisions:
        counts[decision.verdict] += _record_decision(session, scope, decision, labels.sequence)
    for refusal in plan.refusals:
        counts["refused"] += _record_refusal(session, scope, refusal, labels.sequence)
    return dict(counts)


def _key(scope: Scope, act: Record, sequence: int) -> str:
    """The same for the same act on the same state of the labels, whenever it is told again."""
    return content_hash("cu1", [scope.model_dump(), act.model_dump(mode="json"), sequence])


def _record_decision(session: Session, scope: Scope, decision: Decision, sequence: int) -> bool:
    key = _key(scope, decision, sequence)
    actor = decision.actor
    append_audit(
        session,
        actor=actor.login,
        action=f"curation.{decision.verdict}",
        subject=decision.example_hash,
        idempotency_key=key,
        detail={"pull_request": f"{scope.repository}#{scope.number}", "role": actor.role, "label": decision.label},
    )
    row = ApprovalRow(
        example_hash=decision.example_hash,
        installation_id=scope.installation_id,
        repository=scope.repository,
        pull_request=scope.number,
        decision=decision.verdict,
        actor=actor.login,
        actor_role=actor.role,
        source=f"label:{decision.label}",
        content_hash=decision.example_hash,
        idempotency_key=key,
    )
    return append_approval(session, row)


def _record_refusal(session: Session, scope: Scope, refusal: Refusal, sequence: int) -> bool:
    actor = refusal.actor or UNKNOWN_ACTOR
    return append_audit(
        session,
        actor=actor.login,
        action="curation.refused",
        subject=f"{scope.repository}#{scope.number}",
        idempotency_key=_key(scope, refusal, sequence),
        detail={"label": refusal.label, "reason": refusal.reason, "detail": refusal.detail, "role": actor.role},
    )
