"""The rule: who may decide about an Example, which word wins, and what a decision binds. Pure.

Webhooks may come late, twice, out of order or forged in time, so nothing here looks at one. What GitHub tells now of
labels, comments and permissions decides alone, together with what is in force already. For each Example the first
of these that counts wins (docs/adr/0010):

1. the reject label of the pull request;
2. the newest `/understudy keep` or `drop` on the very thread, or what was decided about it on the dashboard since;
3. the approve label;
4. the policy `evidence`: a comment by someone with write access that git shows to have been acted upon; for the
   description of a pull request the policy `history`.

Only a person with write access counts, as of now. An approval binds what its giver could see: nothing that was said or
pushed afterwards. What was validly decided stays while the words that decided it stand, even when their author lost
their access since. To lift a reject label takes write access too: people with triage access can take labels off.
"""

from datetime import UTC, datetime
from typing import Literal

from app.domain.base import Record

APPROVE_LABEL = "understudy:approve"
REJECT_LABEL = "understudy:reject"
PRIVATE_LABEL = "understudy:private"
LABELS = (APPROVE_LABEL, REJECT_LABEL, PRIVATE_LABEL)
#: What GitHub's permission route says of people who may push; it maps maintain to write and triage to read.
MAY_DECIDE = frozenset({"admin", "write"})
#: So many people of one pull request were asked about already that nobody knows what this one may do.
UNREAD_ROLE = "unread"
POLICY_ACTOR = "policy:evidence"
#: What a decision that was made on the dashboard names as its source, before the moment.
DASHBOARD = "dashboard@"
#: Owners who write `history: true` speak for what they wrote themselves; the role says that no person was looked up.
HISTORY_ACTOR = "policy:history"
HISTORY_ROLE = "fact"

Verdict = Literal["approve", "reject", "void"]


class Actor(Record):
    """Who said something. `role` is their permission on the repository, as read now."""

    login: str
    kind: str
    role: str

    @property
    def may_decide(self) -> bool:
        return self.kind == "User" and self.role in MAY_DECIDE


#: GitHub does not say who it was.
UNKNOWN_ACTOR = Actor(login="unknown", kind="unknown", role="none")
#: Nobody's act: what had been decided lost its ground.
NOBODY = Actor(login="understudy", kind="App", role="none")


class LabelState(Record):
    """A label now. `actor` set it last, at `at`, when it is on, else took it off; None when nobody ever did."""

    label: str
    is_on: bool
    actor: Actor | None
    at: datetime | None = None

    @property
    def source(self) -> str:
        """Names the act, so that the label set anew is another act."""
        return f"label:{self.label}@{'' if self.at is None else self.at.isoformat()}"


class ThreadCommand(Record):
    """A `keep` or `drop` that stands on a thread now. `at`: since when it says so. `editor` is another person who
    changed its words, None when only the author did."""

    comment_id: int
    verb: Literal["keep", "drop"]
    reason: str
    actor: Actor
    at: datetime
    editor: str | None = None

    @property
    def source(self) -> str:
        return f"comment:{self.comment_id}@{self.at.isoformat()}"


class Candidate(Record):
    """An Example as it is now. `since`: the first moment at which its giver could have seen all of it.

    A description of a pull request is one as well. `commands`: those of its thread, oldest first. `reviewer`: who wrote
    it, given only where the policy and its evidence let that count.
    """

    example_hash: str
    since: datetime
    commands: tuple[ThreadCommand, ...] = ()
    reviewer: Actor | None = None
    #: It is a description, and the owners opened their history.
    is_open_history: bool = False


class Standing(Record):
    """The decision in force for a content hash, who made it, and by what."""

    verdict: Verdict
    actor: str
    source: str = ""


class Decision(Record):
    """`basis`: for a policy's decision the person whose access it rests on."""

    example_hash: str
    verdict: Verdict
    actor: Actor
    source: str
    reason: str = ""
    basis: str | None = None


class Refusal(Record):
    """Words that do not count, and why, as one word and as a sentence."""

    source: str
    actor: Actor | None
    reason: Literal[
        "unknown_actor",
        "not_human",
        "no_write_access",
        "edited_by_another",
        "too_many_people",
        "stale",
        "label_stands",
    ]
    detail: str


class CurationPlan(Record):
    decisions: tuple[Decision, ...]
    refusals: tuple[Refusal, ...]


class _Claim(Record):
    """What would decide, if it counts."""

    verdict: Literal["approve", "reject"]
    actor: Actor
    source: str
    at: datetime | None
    reason: str = ""
    basis: str | None = None
    #: Words that another person changed bind nothing.
    is_own: bool = True
    #: The owners' own file says it, so nobody's access is asked for.
    is_owners: bool = False


def decide_curation(
    approve: LabelState, reject: LabelState, candidates: tuple[Candidate, ...], in_force: dict[str, Standing]
) -> CurationPlan:
    """What to record so that the decisions in force say what GitHub shows; nothing when they do.

    `in_force`: every decision in force for any content of this pull request, of former contents too: those are voided.
    """
    decisions: list[Decision] = []
    winners: dict[str, Decision] = {}
    for candidate in candidates:
        standing = in_force.get(candidate.example_hash)
        winner = _first_that_counts(candidate, approve, reject, standing)
        if winner is not None:
            winners[candidate.example_hash] = winner
            if standing != Standing(verdict=winner.verdict, actor=winner.actor.login, source=winner.source):
                decisions.append(winner)
    here = {candidate.example_hash for candidate in candidates}
    for example_hash, standing in sorted(in_force.items()):
        if standing.verdict != "void" and example_hash not in winners:
            decisions.append(_void(example_hash, standing, (approve, reject), is_here=example_hash in here))
    said = {command.source: command for candidate in candidates for command in candidate.commands}
    return CurationPlan(
        decisions=tuple(decisions),
        refusals=(
            *_label_refusals(approve, reject, in_force),
            *_command_refusals(said),
            *_stale_refusals(approve, candidates, winners),
        ),
    )


def _first_that_counts(
    candidate: Candidate, approve: LabelState, reject: LabelState, standing: Standing | None
) -> Decision | None:
    for claim in _claims(candidate, approve, reject, standing):
        if _stands(claim, standing) or _counts(claim, candidate):
            return Decision(
                example_hash=candidate.example_hash,
                verdict=claim.verdict,
                actor=claim.actor,
                source=claim.source,
                reason=claim.reason,
                basis=claim.basis,
            )
    return None


def _claims(
    candidate: Candidate, approve: LabelState, reject: LabelState, standing: Standing | None
) -> tuple[_Claim, ...]:
    """Everything that says something about a candidate, what wins first."""
    return (
        *_label_claim(reject, "reject"),
        *_unlifted(reject, standing),
        *_said_here(candidate, standing),
        *_label_claim(approve, "approve"),
        *_policy_claim(candidate),
    )


def _label_claim(state: LabelState, verdict: Literal["approve", "reject"]) -> tuple[_Claim, ...]:
    if not state.is_on or state.actor is None:
        return ()
    return (_Claim(verdict=verdict, actor=state.actor, source=state.source, at=state.at),)


def _unlifted(reject: LabelState, standing: Standing | None) -> tuple[_Claim, ...]:
    """A rejection by a label that no one with write access took off: it stays."""
    by_label = standing is not None and standing.source.startswith(f"label:{REJECT_LABEL}@")
    if standing is None or not by_label or standing.verdict != "reject":
        return ()
    if not reject.is_on and reject.actor is not None and reject.actor.may_decide:
        return ()
    actor = Actor(login=standing.actor, kind="User", role="none")
    return (_Claim(verdict="reject", actor=actor, source=standing.source, at=None),)


def _said_here(candidate: Candidate, standing: Standing | None) -> tuple[_Claim, ...]:
    """What was said of this very Example, on its thread and on the dashboard, the newest first."""
    claims = [_command_claim(command) for command in reversed(candidate.commands)]
    if standing is not None and standing.verdict != "void" and standing.source.startswith(DASHBOARD):
        actor = Actor(login=standing.actor, kind="User", role="none")  # whether they might was checked then
        at = datetime.fromisoformat(standing.source.removeprefix(DASHBOARD))
        claims.append(_Claim(verdict=standing.verdict, actor=actor, source=standing.source, at=at))
    return tuple(sorted(claims, key=lambda claim: claim.at or datetime.min.replace(tzinfo=UTC), reverse=True))


def decide_on_dashboard(
    example_hash: str, verdict: Literal["approve", "reject"], actor: Actor, at: datetime, standing: Standing | None
) -> Decision | Refusal:
    """A person's word about one content, which they had before them. The reject label of a pull request stands above
    it, as above every other word."""
    source = f"{DASHBOARD}{_after(at, standing).isoformat()}"
    refusal = decide_refusal(source, actor, f"said {verdict} on the dashboard")
    if refusal is not None:
        return refusal
    is_rejected = standing is not None and standing.verdict == "reject"
    if standing is not None and is_rejected and standing.source.startswith(f"label:{REJECT_LABEL}@"):
        detail = f"{REJECT_LABEL} is on the pull request; take it off there first"
        return Refusal(source=source, actor=actor, reason="label_stands", detail=detail)
    return Decision(example_hash=example_hash, verdict=verdict, actor=actor, source=source)


def _after(at: datetime, standing: Standing | None) -> datetime:
    """The whole second, as GitHub tells its moments, so that a word said on the thread right afterwards is not taken
    for the earlier one; but always later than what stands, for that was on the screen, whatever the clocks say."""
    second = at.replace(microsecond=0)
    moment = "" if standing is None else standing.source.partition("@")[2]
    return max(second, datetime.fromisoformat(moment) + datetime.resolution) if moment else second


def _command_claim(command: ThreadCommand) -> _Claim:
    return _Claim(
        verdict="approve" if command.verb == "keep" else "reject",
        actor=command.actor,
        source=command.source,
        at=command.at,
        reason=command.reason,
        is_own=command.editor is None,
    )


def _policy_claim(candidate: Candidate) -> tuple[_Claim, ...]:
    if candidate.is_open_history:
        owners = Actor(login=HISTORY_ACTOR, kind="policy", role=HISTORY_ROLE)
        return (_Claim(verdict="approve", actor=owners, source=HISTORY_ACTOR, at=candidate.since, is_owners=True),)
    if candidate.reviewer is None:
        return ()
    reviewer = candidate.reviewer
    actor = reviewer.model_copy(update={"login": POLICY_ACTOR})
    return (_Claim(verdict="approve", actor=actor, source=POLICY_ACTOR, at=candidate.since, basis=reviewer.login),)


def _stands(claim: _Claim, standing: Standing | None) -> bool:
    """The same words decided the same about the same content before: that was checked then."""
    wanted = Standing(verdict=claim.verdict, actor=claim.actor.login, source=claim.source)
    return claim.is_own and standing == wanted


def _counts(claim: _Claim, candidate: Candidate) -> bool:
    if not (claim.is_own and (claim.is_owners or claim.actor.may_decide)):
        return False
    return claim.verdict == "reject" or (claim.at is not None and claim.at >= candidate.since)


def _void(example_hash: str, standing: Standing, labels: tuple[LabelState, ...], *, is_here: bool) -> Decision:
    """The decision lost its ground: its label was taken off, its words are gone, or the content is another now."""
    actor, reason = NOBODY, "what decided it is gone" if is_here else "the content is not what it was"
    for state in labels:
        if standing.source.startswith(f"label:{state.label}@") and not state.is_on:
            by_whom = "the label was taken off" if state.actor else "the label was renamed or deleted"
            actor, reason = state.actor or UNKNOWN_ACTOR, by_whom
    return Decision(example_hash=example_hash, verdict="void", actor=actor, source=standing.source, reason=reason)


def decide_refusal(source: str, actor: Actor | None, what: str) -> Refusal | None:
    """Why the words of `actor` do not count, None when they do. `what` names them within a sentence."""
    if actor is None:
        detail = f"GitHub does not say who {what}"
        return Refusal(source=source, actor=None, reason="unknown_actor", detail=detail)
    if actor.kind != "User":
        detail = f"{actor.login} {what} and is no person ({actor.kind})"
        return Refusal(source=source, actor=actor, reason="not_human", detail=detail)
    if actor.role == UNREAD_ROLE:
        detail = f"{actor.login} {what}, but more people spoke here than are looked up for one pull request"
        return Refusal(source=source, actor=actor, reason="too_many_people", detail=detail)
    if actor.role not in MAY_DECIDE:
        detail = f"{actor.login} {what} with the permission {actor.role}; write or admin is needed"
        return Refusal(source=source, actor=actor, reason="no_write_access", detail=detail)
    return None


def _label_refusals(approve: LabelState, reject: LabelState, in_force: dict[str, Standing]) -> tuple[Refusal, ...]:
    found = [decide_refusal(one.source, one.actor, f"set {one.label}") for one in (approve, reject) if one.is_on]
    rejected = any(
        one.verdict == "reject" and one.source.startswith(f"label:{REJECT_LABEL}@") for one in in_force.values()
    )
    if rejected and not reject.is_on and reject.actor is not None:
        found.append(decide_refusal(reject.source, reject.actor, f"took off {reject.label}"))
    return tuple(one for one in found if one is not None)


def _command_refusals(said: dict[str, ThreadCommand]) -> tuple[Refusal, ...]:
    found: list[Refusal | None] = []
    for source, command in sorted(said.items()):
        refusal = decide_refusal(source, command.actor, f"said {command.verb}")
        if refusal is None and command.editor is not None:
            detail = f"{command.editor} changed the words of {command.actor.login}; say it in a comment of one's own"
            refusal = Refusal(source=source, actor=command.actor, reason="edited_by_another", detail=detail)
        found.append(refusal)
    return tuple(one for one in found if one is not None)


def _stale_refusals(
    approve: LabelState, candidates: tuple[Candidate, ...], winners: dict[str, Decision]
) -> tuple[Refusal, ...]:
    """Approvals by people who may, of contents that changed afterwards and that nothing else decided."""
    found: dict[str, Refusal] = {}
    for candidate in candidates:
        if candidate.example_hash in winners:
            continue
        claims = (*map(_command_claim, candidate.commands), *_label_claim(approve, "approve"))
        for claim in claims:
            if claim.is_own and claim.actor.may_decide and claim.verdict == "approve":
                what = f"{claim.actor.login} approved before the words or the code last changed; say or set it again"
                found[claim.source] = Refusal(source=claim.source, actor=claim.actor, reason="stale", detail=what)
    return tuple(refusal for _, refusal in sorted(found.items()))
