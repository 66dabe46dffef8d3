"""What the owners' word `history: true` decides over WrittenExamples; pure, and recording it.

A person's word stands above it: what was rejected stays rejected, and what a person approved is theirs.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from sqlmodel import Session

from app.curation.decision import HISTORY_ACTOR, HISTORY_ROLE
from app.domain.base import Record, content_hash
from app.domain.written import WrittenKind
from app.store.learning import append_approval
from app.store.tables import ApprovalRow
from app.store.written import WrittenPlace


class HistoryPlan(Record):
    """Hashes: to approve, to void, and to delete altogether."""

    approve: tuple[str, ...] = ()
    void: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


def decide_open(
    places: Iterable[WrittenPlace],
    in_force: Mapping[str, ApprovalRow],
    permitted: Collection[str],
    barred: Collection[int],
) -> HistoryPlan:
    """`permitted`: commits that the default branch has and that may be learned from. `barred`: pull requests of which
    nothing is learned."""
    approve, void, delete = [], [], []
    for place in places:
        standing = in_force.get(place.hash)
        if not _may_stay(place, permitted, barred):
            delete.append(place.hash)
            void += [place.hash] if standing is not None and standing.decision == "approve" else []
        elif standing is None or standing.decision == "void":
            approve.append(place.hash)
    return HistoryPlan(approve=tuple(approve), void=tuple(void), delete=tuple(delete))


def _may_stay(place: WrittenPlace, permitted: Collection[str], barred: Collection[int]) -> bool:
    if place.kind is WrittenKind.PULL_REQUEST:  # its head may be no commit of the default branch
        return place.pull_request not in barred
    return place.commit_sha in permitted


def decide_closed(places: Iterable[WrittenPlace], in_force: Mapping[str, ApprovalRow], *, is_off: bool) -> HistoryPlan:
    """The owners took their word back, or never gave it. `is_off`: nothing at all is kept."""
    found = list(places)
    void = [
        place.hash
        for place in found
        if (standing := in_force.get(place.hash)) is not None
        and standing.decision == "approve"
        and (is_off or standing.actor == HISTORY_ACTOR)
    ]
    return HistoryPlan(void=tuple(void), delete=tuple(place.hash for place in found) if is_off else ())


class Ground(Record):
    """Whose WrittenExamples are decided over."""

    installation_id: int
    repository: str


def record_decision(
    session: Session, ground: Ground, place: WrittenPlace, decision: Literal["approve", "void"], replaced: int | None
) -> bool:
    """False when it is there: keyed by the decision it replaces, so that telling it twice records it once."""
    row = ApprovalRow(
        example_hash=place.hash,
        installation_id=ground.installation_id,
        repository=ground.repository,
        pull_request=place.pull_request or 0,
        decision=decision,
        actor=HISTORY_ACTOR,
        actor_role=HISTORY_ROLE,
        source=HISTORY_ACTOR,
        content_hash=place.hash,
        idempotency_key=content_hash("hp1", [ground.installation_id, place.hash, decision, replaced]),
    )
    return append_approval(session, row)
