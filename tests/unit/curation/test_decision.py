"""The rule of curation, over every state of the two labels."""

from hypothesis import given
from hypothesis import strategies as st

from app.curation.decision import (
    APPROVE_LABEL,
    MAY_DECIDE,
    REJECT_LABEL,
    Actor,
    CurationPlan,
    LabelState,
    Standing,
    decide_curation,
)

HASHES = frozenset({"ex1:a", "ex1:b"})
WRITER = Actor(login="mara", kind="User", role="write")


def on(label: str, actor: Actor | None = WRITER) -> LabelState:
    return LabelState(label=label, is_on=True, actor=actor)


def off(label: str, actor: Actor | None = None) -> LabelState:
    return LabelState(label=label, is_on=False, actor=actor)


def test_no_label_and_no_history_decides_nothing() -> None:
    plan = decide_curation((off(APPROVE_LABEL), off(REJECT_LABEL)), HASHES, {})
    assert plan == CurationPlan(decisions=(), refusals=())


def test_approval_is_bound_to_each_content() -> None:
    plan = decide_curation((on(APPROVE_LABEL), off(REJECT_LABEL)), HASHES, {})
    assert [(decision.example_hash, decision.verdict) for decision in plan.decisions] == [
        ("ex1:a", "approve"),
        ("ex1:b", "approve"),
    ]


def test_another_person_behind_the_same_label_is_another_decision() -> None:
    in_force = {"ex1:a": Standing(verdict="approve", actor="root"), "ex1:b": Standing(verdict="approve", actor="mara")}
    plan = decide_curation((on(APPROVE_LABEL), off(REJECT_LABEL)), HASHES, in_force)
    assert [decision.example_hash for decision in plan.decisions] == ["ex1:a"]


def test_a_label_taken_off_voids_former_contents_too() -> None:
    in_force = {"ex1:old": Standing(verdict="approve", actor="mara"), "ex1:gone": Standing(verdict="void", actor="x")}
    plan = decide_curation((off(APPROVE_LABEL, WRITER), off(REJECT_LABEL)), HASHES, in_force)
    assert [(decision.example_hash, decision.verdict) for decision in plan.decisions] == [("ex1:old", "void")]


def test_a_history_that_github_lost_voids_as_well() -> None:
    in_force = {"ex1:a": Standing(verdict="approve", actor="mara")}
    plan = decide_curation((off(APPROVE_LABEL), off(REJECT_LABEL)), HASHES, in_force)
    assert [decision.actor.login for decision in plan.decisions] == ["unknown"]


actors = st.none() | st.builds(
    Actor,
    login=st.sampled_from(["mara", "root", "tim"]),
    kind=st.sampled_from(["User", "Bot", "Organization"]),
    role=st.sampled_from(["admin", "write", "read", "none"]),
)


def states(label: str) -> st.SearchStrategy[LabelState]:
    return st.builds(LabelState, label=st.just(label), is_on=st.booleans(), actor=actors)


standings = st.dictionaries(
    st.sampled_from([*sorted(HASHES), "ex1:old"]),
    st.builds(
        Standing, verdict=st.sampled_from(["approve", "reject", "void"]), actor=st.sampled_from(["mara", "root"])
    ),
)


@given(states(APPROVE_LABEL), states(REJECT_LABEL), standings)
def test_only_people_with_write_access_bind_anything(
    approve: LabelState, reject: LabelState, in_force: dict[str, Standing]
) -> None:
    plan = decide_curation((approve, reject), HASHES, in_force)

    for decision in plan.decisions:
        if decision.verdict != "void":
            assert decision.actor.kind == "User"
            assert decision.actor.role in MAY_DECIDE
            assert decision.example_hash in HASHES
            assert decision.label == (REJECT_LABEL if decision.verdict == "reject" else APPROVE_LABEL)


@given(states(APPROVE_LABEL), states(REJECT_LABEL), standings)
def test_what_was_recorded_needs_no_recording_again(
    approve: LabelState, reject: LabelState, in_force: dict[str, Standing]
) -> None:
    plan = decide_curation((approve, reject), HASHES, in_force)
    after = in_force | {
        item.example_hash: Standing(verdict=item.verdict, actor=item.actor.login) for item in plan.decisions
    }

    assert decide_curation((approve, reject), HASHES, after).decisions == ()
