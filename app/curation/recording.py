"""Recording what curation decided: an approval and an audit row for each decision, an audit row for each refusal."""

from collections import Counter
from datetime import datetime
from typing import Literal, cast

from sqlmodel import Session

from app.curation.decision import (
    DASHBOARD,
    LABELS,
    UNKNOWN_ACTOR,
    Actor,
    Candidate,
    Decision,
    LabelState,
    Refusal,
    Standing,
    Verdict,
    decide_curation,
    decide_on_dashboard,
)
from app.curation.privacy import Privacy
from app.domain.base import Record, content_hash
from app.github.policy_file import PolicyFile
from app.store.learning import (
    append_approval,
    append_audit,
    delete_pull,
    load_approval_of,
    select_approvals_of,
    select_newest_audit,
    select_written_hashes,
)
from app.store.tables import ApprovalRow

PRIVATE = ("curation.private", "curation.private_lifted")
POLICY = ("policy.invalid", "policy.valid")


class Scope(Record):
    """The pull request that is curated."""

    installation_id: int
    repository: str
    number: int

    @property
    def subject(self) -> str:
        """What audit rows about it are filed under; two installations may know repositories of one name."""
        return f"{self.installation_id}:{self.repository}#{self.number}"


def record_curation(
    session: Session, scope: Scope, labels: tuple[LabelState, LabelState], candidates: tuple[Candidate, ...]
) -> dict[str, int]:
    """Decide over what is in force, record it, and count what was new: by verdict, and `refused`.

    `labels`: approve, then reject. Told twice, the same act is recorded once.
    """
    where = (scope.installation_id, scope.repository, scope.number)
    asked = {candidate.example_hash for candidate in candidates}
    written = select_written_hashes(session, *where) - asked  # decided elsewhere
    rows = {key: row for key, row in select_approvals_of(session, *where).items() if key not in written}
    in_force = {
        example_hash: Standing(verdict=cast(Verdict, row.decision), actor=row.actor, source=row.source)
        for example_hash, row in rows.items()
    }
    plan = decide_curation(*labels, candidates, in_force)
    counts: Counter[str] = Counter()
    for decision in plan.decisions:
        counts[decision.verdict] += _record_decision(session, scope, decision, rows.get(decision.example_hash))
    for refusal in plan.refusals:
        counts["refused"] += record_refusal(session, scope, refusal)
    return {word: count for word, count in counts.items() if count}


def record_privacy(session: Session, scope: Scope, privacy: Privacy, state: LabelState) -> dict[str, int]:
    """Write down what became of the private label and, while it is in force, keep nothing of the pull request."""
    if privacy.refusal is not None and record_refusal(session, scope, privacy.refusal):
        return {"refused": 1} | _forget(session, scope, privacy)
    if privacy.change is not None:
        actor = state.actor or UNKNOWN_ACTOR
        append_audit(
            session,
            installation_id=scope.installation_id,
            actor=actor.login,
            action=f"curation.{privacy.change}",
            subject=scope.subject,
            idempotency_key=content_hash("cp1", [scope.model_dump(), privacy.change, state.source]),
            detail={"role": actor.role, "source": state.source},
        )
    return _forget(session, scope, privacy)


def _forget(session: Session, scope: Scope, privacy: Privacy) -> dict[str, int]:
    if not privacy.is_private:
        return {}
    return forget_pull(session, scope) | {"private": 1}


def forget_pull(session: Session, scope: Scope) -> dict[str, int]:
    """Delete every Example and Rejection of the pull request and void what was decided about them."""
    delete_pull(session, scope.installation_id, scope.repository, scope.number)
    off = tuple(LabelState(label=label, is_on=False, actor=None) for label in LABELS[:2])
    return record_curation(session, scope, (off[0], off[1]), ())


def is_private(session: Session, scope: Scope) -> bool:
    newest = select_newest_audit(session, PRIVATE, scope.subject)
    return newest is not None and newest.action == PRIVATE[0]


def record_policy(session: Session, scope: Scope, found: PolicyFile) -> None:
    """Write down when the policy file of a repository stops being readable, and when it is again."""
    subject = f"{scope.installation_id}:{scope.repository}"
    newest = select_newest_audit(session, POLICY, subject)
    standing = newest.detail["problem"] if newest is not None and newest.action == POLICY[0] else None
    if found.problem == standing:
        return
    append_audit(
        session,
        installation_id=scope.installation_id,
        actor="understudy",
        action=POLICY[0] if found.problem else POLICY[1],
        subject=subject,
        idempotency_key=content_hash("pf1", [subject, found.problem, newest.id if newest is not None else None]),
        detail={"problem": found.problem},
    )


def load_policy_problem(session: Session, scope: Scope) -> str | None:
    newest = select_newest_audit(session, POLICY, f"{scope.installation_id}:{scope.repository}")
    return None if newest is None or newest.action != POLICY[0] else str(newest.detail["problem"])


def _record_decision(session: Session, scope: Scope, decision: Decision, before: ApprovalRow | None) -> bool:
    """Keyed by the decision it replaces, so that a state reached again is recorded again, and told twice only once."""
    replaced = None if before is None else before.id
    key = content_hash("cu2", [scope.model_dump(), decision.model_dump(mode="json"), replaced])
    actor = decision.actor
    detail = {
        "pull_request": f"{scope.repository}#{scope.number}",
        "role": actor.role,
        "source": decision.source,
        "reason": decision.reason,
        "basis": decision.basis,
    }
    append_audit(
        session,
        installation_id=scope.installation_id,
        actor=actor.login,
        action=f"curation.{decision.verdict}",
        subject=decision.example_hash,
        idempotency_key=key,
        detail=detail,
    )
    row = ApprovalRow(
        example_hash=decision.example_hash,
        installation_id=scope.installation_id,
        repository=scope.repository,
        pull_request=scope.number,
        decision=decision.verdict,
        actor=actor.login,
        actor_role=actor.role,
        source=decision.source,
        content_hash=decision.example_hash,
        idempotency_key=key,
    )
    return append_approval(session, row)


def record_dashboard(
    session: Session,
    scope: Scope,
    example_hash: str,
    verdict: Literal["approve", "reject"],
    actor: Actor,
    *,
    at: datetime,
) -> Decision | Refusal:
    """What a person decided about one content on the dashboard, recorded as every other decision is. `at`: on GitHub's
    clock, for it is compared with words on the thread."""
    before = load_approval_of(session, scope.installation_id, example_hash)
    standing = (
        None
        if before is None
        else Standing(verdict=cast(Verdict, before.decision), actor=before.actor, source=before.source)
    )
    decided = decide_on_dashboard(example_hash, verdict, actor, at, standing)
    if isinstance(decided, Refusal):
        record_refusal(session, scope, decided)
    elif standing is None or not _said_on_dashboard(standing, verdict, actor):
        _record_decision(session, scope, decided, before)
    return decided


def _said_on_dashboard(standing: Standing, verdict: Literal["approve", "reject"], actor: Actor) -> bool:
    """The same said elsewhere is no reason to keep nothing: a comment can be deleted."""
    return (standing.verdict, standing.actor) == (verdict, actor.login) and standing.source.startswith(DASHBOARD)


def record_refusal(session: Session, scope: Scope, refusal: Refusal) -> bool:
    """One audit row for each act that does not count; False when it is there."""
    actor = refusal.actor or UNKNOWN_ACTOR
    return append_audit(
        session,
        installation_id=scope.installation_id,
        actor=actor.login,
        action="curation.refused",
        subject=f"{scope.repository}#{scope.number}",
        idempotency_key=content_hash("cr1", [scope.model_dump(), refusal.model_dump(mode="json")]),
        detail={"source": refusal.source, "reason": refusal.reason, "detail": refusal.detail, "role": actor.role},
    )
