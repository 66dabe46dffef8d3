"""The rule: a label counts when a person with write access put it on, and it binds the contents seen then. Pure.

Webhooks may come late, twice, out of order or forged in time, so nothing here looks at one: the state of the labels
and their history, as GitHub tells it now, decide alone. On GitHub, people with triage access can set labels too; their
labels are refused. The reject label wins over the approve label; taking a label off voids what it said.
"""

from typing import Literal

from app.domain.base import Record

APPROVE_LABEL = "understudy:approve"
REJECT_LABEL = "understudy:reject"
#: What GitHub's permission route says of people who may push; it maps maintain to write and triage to read.
MAY_DECIDE = frozenset({"admin", "write"})

Verdict = Literal["approve", "reject", "void"]


class Actor(Record):
    """Who set or took off a label. `role` is their permission on the repository, as read now."""

    login: str
    kind: str
    role: str


#: GitHub does not say who it was.
UNKNOWN_ACTOR = Actor(login="unknown", kind="unknown", role="none")


class LabelState(Record):
    """One of the two labels now. `actor` set it last when it is on, else took it off; None when nobody ever did."""

    label: str
    is_on: bool
    actor: Actor | None


class Standing(Record):
    """The decision in force for a content hash, and who made it."""

    verdict: Verdict
    actor: str


class Decision(Record):
    example_hash: str
    verdict: Verdict
    actor: Actor
    label: str


class Refusal(Record):
    """A label that does not count, and why, as one word and as a sentence."""

    label: str
    actor: Actor | None
    reason: Literal["unknown_actor", "not_human", "no_write_access"]
    detail: str


class CurationPlan(Record):
    decisions: tuple[Decision, ...]
    refusals: tuple[Refusal, ...]


def decide_curation(
    labels: tuple[LabelState, LabelState], example_hashes: frozenset[str], in_force: dict[str, Standing]
) -> CurationPlan:
    """What to record so that the decisions in force say what the labels say; nothing when they do.

    Args:
        labels: the approve label, then the reject label.
        example_hashes: the pull request's Examples as they are now.
        in_force: every decision in force for any content of this pull request, of former contents too.
    """
    refusals = tuple(refusal for label in labels if (refusal := decide_refusal(label)) is not None)
    refused = {refusal.label for refusal in refusals}
    approve, reject = labels
    ranked: tuple[tuple[LabelState, Verdict], ...] = ((reject, "reject"), (approve, "approve"))
    for state, verdict in ranked:
        if state.is_on and state.label not in refused and state.actor is not None:
            decisions = _bind(verdict, state.actor, state.label, example_hashes, in_force)
            return CurationPlan(decisions=decisions, refusals=refusals)
    return CurationPlan(decisions=_void(labels, in_force), refusals=refusals)


def decide_refusal(state: LabelState) -> Refusal | None:
    """Why a label that is on does not count, None when it does or is not on."""
    actor = state.actor
    if not state.is_on:
        return None
    if actor is None:
        detail = f"GitHub does not say who set {state.label}"
        return Refusal(label=state.label, actor=None, reason="unknown_actor", detail=detail)
    if actor.kind != "User":
        detail = f"{actor.login} set {state.label} and is no person ({actor.kind})"
        return Refusal(label=state.label, actor=actor, reason="not_human", detail=detail)
    if actor.role not in MAY_DECIDE:
        detail = f"{actor.login} set {state.label} with the permission {actor.role}; write or admin is needed"
        return Refusal(label=state.label, actor=actor, reason="no_write_access", detail=detail)
    return None


def _bind(
    verdict: Verdict, actor: Actor, label: str, example_hashes: frozenset[str], in_force: dict[str, Standing]
) -> tuple[Decision, ...]:
    wanted = Standing(verdict=verdict, actor=actor.login)
    return tuple(
        Decision(example_hash=example_hash, verdict=verdict, actor=actor, label=label)
        for example_hash in sorted(example_hashes)
        if in_force.get(example_hash) != wanted
    )


def _void(labels: tuple[LabelState, LabelState], in_force: dict[str, Standing]) -> tuple[Decision, ...]:
    """No label counts now. What was decided stays only while the label of the person who decided it stays on.

    That person may have lost write access since: their decision was valid when they made it, and still binds the
    content it was made for, but nothing new.
    """
    by_verdict = dict(zip(("approve", "reject"), labels, strict=True))
    decisions: list[Decision] = []
    for example_hash, standing in sorted(in_force.items()):
        state = by_verdict.get(standing.verdict)
        if state is None or (state.is_on and state.actor is not None and state.actor.login == standing.actor):
            continue
        actor = state.actor or UNKNOWN_ACTOR
        decisions.append(Decision(example_hash=example_hash, verdict="void", actor=actor, label=state.label))
    return tuple(decisions)
