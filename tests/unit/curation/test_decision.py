"""The rule of curation, over every state of labels, commands and policy."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.curation.decision import (
    APPROVE_LABEL,
    POLICY_ACTOR,
    PRIVATE_LABEL,
    REJECT_LABEL,
    Actor,
    Candidate,
    CurationPlan,
    Decision,
    LabelState,
    Standing,
    ThreadCommand,
    decide_curation,
    decide_on_dashboard,
)
from app.curation.privacy import Privacy, decide_privacy

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
WRITER = Actor(login="mara", kind="User", role="write")
READER = Actor(login="rita", kind="User", role="read")


def on(label: str, actor: Actor | None = WRITER, *, at: datetime | None = NOON) -> LabelState:
    return LabelState(label=label, is_on=True, actor=actor, at=at)


def off(label: str, actor: Actor | None = None) -> LabelState:
    return LabelState(label=label, is_on=False, actor=actor, at=None if actor is None else NOON)


def candidate(
    name: str = "ex1:a", *commands: ThreadCommand, hours: int = -1, reviewer: Actor | None = None
) -> Candidate:
    since = NOON + timedelta(hours=hours)
    return Candidate(example_hash=name, since=since, commands=commands, reviewer=reviewer)


def command(
    verb: str, actor: Actor = WRITER, *, number: int = 1, hours: int = 0, editor: str | None = None
) -> ThreadCommand:
    return ThreadCommand.model_validate(
        {
            "comment_id": number,
            "verb": verb,
            "reason": "",
            "actor": actor,
            "at": NOON + timedelta(hours=hours),
            "editor": editor,
        }
    )


NO_LABELS = (off(APPROVE_LABEL), off(REJECT_LABEL))


def verdicts(plan: CurationPlan) -> dict[str, str]:
    return {decision.example_hash: decision.verdict for decision in plan.decisions}


def test_nothing_said_decides_nothing() -> None:
    assert decide_curation(*NO_LABELS, (candidate(),), {}) == CurationPlan(decisions=(), refusals=())


@pytest.mark.parametrize(
    ("approve", "reject", "commands", "winner"),
    [
        ("on", "off", (), "approve"),
        ("on", "on", (), "reject"),
        ("off", "off", ("keep",), "approve"),
        ("off", "off", ("drop",), "reject"),
        ("on", "off", ("drop",), "reject"),  # the thread is more specific than the label
        ("off", "on", ("keep",), "reject"),  # but what keeps all out wins
        ("off", "off", ("drop", "keep"), "approve"),  # the newest word of a thread
        ("off", "off", ("keep", "drop"), "reject"),
    ],
)
def test_what_wins(approve: str, reject: str, commands: tuple[str, ...], winner: str) -> None:
    labels = tuple(
        (on if state == "on" else off)(label) for label, state in ((APPROVE_LABEL, approve), (REJECT_LABEL, reject))
    )
    said = tuple(command(verb, number=number, hours=number) for number, verb in enumerate(commands))
    plan = decide_curation(labels[0], labels[1], (candidate("ex1:a", *said),), {})
    assert verdicts(plan) == {"ex1:a": winner}


def test_words_of_those_who_may_not_change_nothing_and_are_noted() -> None:
    said = (command("keep", number=1), command("drop", READER, number=2, hours=1))
    plan = decide_curation(*NO_LABELS, (candidate("ex1:a", *said),), {})
    assert verdicts(plan) == {"ex1:a": "approve"}
    assert [refusal.reason for refusal in plan.refusals] == ["no_write_access"]


def test_words_put_into_another_mouth_do_not_count() -> None:
    plan = decide_curation(*NO_LABELS, (candidate("ex1:a", command("keep", editor="root")),), {})
    assert plan.decisions == ()
    assert [refusal.reason for refusal in plan.refusals] == ["edited_by_another"]


@pytest.mark.parametrize("by", ["label", "command"])
def test_an_approval_binds_nothing_that_came_after_it(by: str) -> None:
    said = (command("keep"),) if by == "command" else ()
    approve = on(APPROVE_LABEL) if by == "label" else off(APPROVE_LABEL)
    plan = decide_curation(approve, off(REJECT_LABEL), (candidate("ex1:a", *said, hours=1),), {})
    assert plan.decisions == ()
    assert [refusal.reason for refusal in plan.refusals] == ["stale"]


def test_a_rejection_needs_not_be_fresh() -> None:
    plan = decide_curation(*NO_LABELS, (candidate("ex1:a", command("drop"), hours=1),), {})
    assert verdicts(plan) == {"ex1:a": "reject"}


def test_what_was_valid_when_made_stays_while_its_words_stand() -> None:
    keep = command("keep", READER)
    standing = Standing(verdict="approve", actor="rita", source=keep.source)
    assert decide_curation(*NO_LABELS, (candidate("ex1:a", keep),), {"ex1:a": standing}).decisions == ()
    assert verdicts(decide_curation(*NO_LABELS, (candidate("ex1:a"),), {"ex1:a": standing})) == {"ex1:a": "void"}
    anew = command("keep", READER, hours=1)
    assert verdicts(decide_curation(*NO_LABELS, (candidate("ex1:a", anew),), {"ex1:a": standing})) == {"ex1:a": "void"}


def test_another_person_behind_the_same_label_is_another_decision() -> None:
    label = on(APPROVE_LABEL)
    in_force = {
        "ex1:a": Standing(verdict="approve", actor="root", source=label.source),
        "ex1:b": Standing(verdict="approve", actor="mara", source=label.source),
    }
    plan = decide_curation(label, off(REJECT_LABEL), (candidate("ex1:a"), candidate("ex1:b")), in_force)
    assert verdicts(plan) == {"ex1:a": "approve"}


def test_former_contents_are_voided() -> None:
    label = on(APPROVE_LABEL)
    in_force = {"ex1:old": Standing(verdict="approve", actor="mara", source=label.source)}
    plan = decide_curation(label, off(REJECT_LABEL), (candidate("ex1:new", hours=1),), in_force)
    assert verdicts(plan) == {"ex1:old": "void"}


def test_only_write_access_lifts_a_rejection() -> None:
    rejected = {"ex1:a": Standing(verdict="reject", actor="mara", source=on(REJECT_LABEL).source)}
    by_reader = decide_curation(on(APPROVE_LABEL), off(REJECT_LABEL, READER), (candidate(),), rejected)
    assert by_reader.decisions == ()
    assert [refusal.reason for refusal in by_reader.refusals] == ["no_write_access"]
    by_writer = decide_curation(on(APPROVE_LABEL), off(REJECT_LABEL, WRITER), (candidate(),), rejected)
    assert verdicts(by_writer) == {"ex1:a": "approve"}


@pytest.mark.parametrize(("role", "enters"), [("admin", True), ("write", True), ("read", False), ("none", False)])
def test_the_policy_lets_in_what_writers_wrote(role: str, *, enters: bool) -> None:
    reviewer = Actor(login="mara", kind="User", role=role)
    plan = decide_curation(*NO_LABELS, (candidate(reviewer=reviewer),), {})
    assert [(one.actor.login, one.actor.role, one.basis) for one in plan.decisions] == (
        [(POLICY_ACTOR, role, "mara")] if enters else []
    )


def test_a_policy_that_is_no_more_approves_no_more() -> None:
    standing = {"ex1:a": Standing(verdict="approve", actor=POLICY_ACTOR, source=POLICY_ACTOR)}
    assert verdicts(decide_curation(*NO_LABELS, (candidate(),), standing)) == {"ex1:a": "void"}


def on_dashboard(verdict: Literal["approve", "reject"], standing: Standing | None, *, seconds: float) -> Standing:
    at = NOON + timedelta(seconds=seconds)
    decided = decide_on_dashboard("ex1:a", verdict, WRITER, at, standing)
    assert isinstance(decided, Decision)
    return Standing(verdict=decided.verdict, actor=decided.actor.login, source=decided.source)


def in_force(standing: Standing | None, *commands: ThreadCommand) -> Standing | None:
    recorded = {} if standing is None else {"ex1:a": standing}
    plan = decide_curation(*NO_LABELS, (candidate("ex1:a", *commands),), recorded)
    for one in plan.decisions:
        return Standing(verdict=one.verdict, actor=one.actor.login, source=one.source)
    return standing


def test_of_one_second_the_word_on_the_thread_is_the_later_one_unless_it_was_decided_over() -> None:
    """GitHub tells whole seconds: what was said at 12:00:00.9 is told as 12:00:00."""
    decided = on_dashboard("approve", None, seconds=0.6)
    dropped = in_force(decided, command("drop"))
    assert dropped is not None
    assert (dropped.verdict, dropped.source[:8]) == ("reject", "comment:")
    again = on_dashboard("approve", dropped, seconds=0.95)
    assert in_force(again, command("drop")) == again


def test_a_decision_on_the_dashboard_is_later_than_what_it_replaces_though_our_clock_is_behind() -> None:
    kept = in_force(None, command("keep"))
    decided = on_dashboard("reject", kept, seconds=-40)
    assert in_force(decided, command("keep")) == decided
    sources = {decided.source, on_dashboard("approve", decided, seconds=-39).source}
    assert len(sources) == 2  # each has a record of its own


@pytest.mark.parametrize(
    ("state", "before", "expected"),
    [
        (on(PRIVATE_LABEL), False, (True, "private", None)),
        (on(PRIVATE_LABEL), True, (True, None, None)),
        (on(PRIVATE_LABEL, READER), False, (False, None, "no_write_access")),
        (on(PRIVATE_LABEL, READER), True, (True, None, None)),
        (off(PRIVATE_LABEL, WRITER), True, (False, "private_lifted", None)),
        (off(PRIVATE_LABEL, READER), True, (True, None, "no_write_access")),
        (off(PRIVATE_LABEL), True, (True, None, None)),
        (off(PRIVATE_LABEL), False, (False, None, None)),
    ],
)
def test_privacy_is_set_and_lifted_by_write_access(
    state: LabelState, before: bool, expected: tuple[bool, str | None, str | None]
) -> None:
    found: Privacy = decide_privacy(state, is_private=before)
    assert (found.is_private, found.change, found.refusal and found.refusal.reason) == expected


actors = st.builds(
    Actor,
    login=st.sampled_from(["mara", "root", "tim"]),
    kind=st.sampled_from(["User", "Bot", "Organization"]),
    role=st.sampled_from(["admin", "write", "read", "none", "unread"]),
)
moments = st.sampled_from([NOON - timedelta(hours=2), NOON, NOON + timedelta(hours=2)])


def states(label: str) -> st.SearchStrategy[LabelState]:
    return st.builds(LabelState, label=st.just(label), is_on=st.booleans(), actor=st.none() | actors, at=moments)


commands = st.lists(
    st.builds(
        ThreadCommand,
        comment_id=st.integers(1, 3),
        verb=st.sampled_from(["keep", "drop"]),
        reason=st.just(""),
        actor=actors,
        at=moments,
        editor=st.none() | st.just("eve"),
    ),
    max_size=3,
).map(tuple)
candidates = st.lists(
    st.builds(
        Candidate,
        example_hash=st.sampled_from(["ex1:a", "ex1:b"]),
        since=moments,
        commands=commands,
        reviewer=st.none() | actors,
    ),
    max_size=2,
    unique_by=lambda one: one.example_hash,
).map(tuple)
standings = st.dictionaries(
    st.sampled_from(["ex1:a", "ex1:b", "ex1:old"]),
    st.builds(
        Standing,
        verdict=st.sampled_from(["approve", "reject", "void"]),
        actor=st.sampled_from(["mara", "root", POLICY_ACTOR]),
        source=st.sampled_from(
            [on(APPROVE_LABEL).source, on(REJECT_LABEL).source, command("keep").source, POLICY_ACTOR]
        ),
    ),
)


@given(states(APPROVE_LABEL), states(REJECT_LABEL), candidates, standings)
def test_only_people_with_write_access_bind_anything(
    approve: LabelState, reject: LabelState, found: tuple[Candidate, ...], in_force: dict[str, Standing]
) -> None:
    plan = decide_curation(approve, reject, found, in_force)

    for decision in plan.decisions:
        if decision.verdict != "void":
            assert decision.actor.may_decide
            assert decision.example_hash in {one.example_hash for one in found}


@given(states(APPROVE_LABEL), states(REJECT_LABEL), candidates, standings)
def test_what_was_recorded_needs_no_recording_again(
    approve: LabelState, reject: LabelState, found: tuple[Candidate, ...], in_force: dict[str, Standing]
) -> None:
    plan = decide_curation(approve, reject, found, in_force)
    after = in_force | {
        item.example_hash: Standing(verdict=item.verdict, actor=item.actor.login, source=item.source)
        for item in plan.decisions
    }

    assert decide_curation(approve, reject, found, after).decisions == ()
