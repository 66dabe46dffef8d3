"""When a learning round is worth its hours, and the reason that is kept with it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import UserError
from app.workflows.triggers import (
    DRIFT_SHARE,
    LEAST_DRIFTED,
    Standing,
    Trigger,
    count_territories,
    decide_due,
    find_territory,
    is_scheduled,
    measure_drift,
    parse_schedules,
)
from tests.made_run import BASE

JAVA, GO = "core/*.java", "agent/*.go"
UPGRADED = BASE.model_copy(update={"revision": "r2"})


def _standing(approved: int, new: int, **more: Any) -> Standing:
    known = {JAVA: approved - new} if approved > new else {}
    return Standing(**{"known": known, "recent": {JAVA: new}, "learned_before": True, "served": BASE, **more})


@pytest.mark.parametrize(
    ("standing", "trigger"),
    [
        (_standing(29, 29, learned_before=False), None),
        (_standing(30, 30, learned_before=False), Trigger.FIRST),
        (_standing(200, 19, learned=(BASE,)), None),
        (_standing(200, 20, learned=(BASE,)), Trigger.NEW_COMMENTS),
        (_standing(30, 0, stale=True), Trigger.ERASURE),
        (_standing(29, 0, stale=True), None),
        (_standing(200, 0, learned=(BASE,), served=UPGRADED), Trigger.BASE_UPGRADE),
        (_standing(200, 0, learned=(BASE, UPGRADED), served=UPGRADED), None),
        (_standing(200, 0, learned=(BASE,), served=None), None),
        (_standing(200, 0, learned=(), served=UPGRADED), None),
        (_standing(200, 0, recent={GO: 10}), Trigger.DRIFT),
        (_standing(200, 0, recent={GO: LEAST_DRIFTED - 1}), None),
        (_standing(200, 0, recent={GO: 5, JAVA: 5}), None),
    ],
)
def test_the_weightiest_reason_is_given(standing: Standing, trigger: Trigger | None) -> None:
    due = decide_due(standing)
    assert (due and due.trigger) == trigger
    scheduled = decide_due(standing, scheduled=True)
    enough = sum(standing.known.values()) + sum(standing.recent.values()) >= 30
    assert (scheduled and scheduled.trigger) == (trigger or (Trigger.SCHEDULE if enough else None))


def test_the_reason_says_its_figures_and_no_path() -> None:
    due = decide_due(_standing(200, 0, recent={GO: 10}))
    assert str(due) == "drift: of 10 new comments at least 72% are about code unlike any that was learned from"


_COUNTS = st.integers(0, 50)


@given(
    st.dictionaries(st.sampled_from("abc"), _COUNTS),
    st.dictionaries(st.sampled_from("abcd"), _COUNTS),
)
def test_drift_is_a_careful_share(known: dict[str, int], recent: dict[str, int]) -> None:
    share = measure_drift(known, recent)
    total = sum(recent.values())
    if total < LEAST_DRIFTED:
        assert share is None
    else:
        assert share is not None
        unlike = sum(count for where, count in recent.items() if not known.get(where))
        assert 0 <= share <= unlike / total + 1e-9
        assert share < 1


def test_half_new_code_is_no_drift_however_much_there_is() -> None:
    share = measure_drift({JAVA: 1}, {JAVA: 5_000, GO: 5_000})
    assert share is not None
    assert share < DRIFT_SHARE


@pytest.mark.parametrize(
    ("path", "territory"),
    [("a.py", "/*.py"), ("src/x/A.JAVA", "src/*.java"), ("docs/LICENSE", "docs/*"), (".github/x.yml", ".github/*.yml")],
)
def test_a_territory_is_a_top_folder_and_a_suffix(path: str, territory: str) -> None:
    assert find_territory(path) == territory
    assert count_territories([path, path]) == {territory: 2}


def test_schedules_are_read_and_refused() -> None:
    assert parse_schedules(["7=0 3 * * 0", " 9 = 30 4 1,15 * * "]) == {7: "0 3 * * 0", 9: "30 4 1,15 * *"}
    for wrong in ("7", "7=", "=0 3 * * 0", "x=0 3 * * 0", "7=0 3 * *", "7=99 3 * * 0", "7=* 0 3 * * 0"):
        with pytest.raises(UserError, match="expected in UNDERSTUDY_SCHEDULES a schedule such as"):
            parse_schedules([wrong])


def test_a_schedule_names_each_moment_once() -> None:
    def at(minute: int) -> datetime:
        return datetime(2026, 3, 1, 3, minute, tzinfo=UTC)  # a Sunday

    ticks = [(at(minute), at(minute + 5)) for minute in range(0, 50, 5)]
    assert [is_scheduled("12 3 * * 0", since, until) for since, until in ticks] == [n == 2 for n in range(10)]
    assert [is_scheduled("15 3 * * 0", since, until) for since, until in ticks] == [n == 2 for n in range(10)]
    assert not any(is_scheduled("12 3 * * 1", since, until) for since, until in ticks)
