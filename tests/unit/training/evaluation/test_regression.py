"""The regression set is chosen once, spread out, erasable, and says which prompts were lost."""

from collections import Counter
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.domain.evals import RegressionRecord
from tests.unit.training.evaluation.rows import comment_row
from training.evaluation.regression import (
    diff_regressions,
    ensure_pinned,
    pick_diverse,
    pin,
    record_regression,
)

ROWS = [
    comment_row(at, f"comment {at}", reviewer="ada" if at % 5 else "bo", path=f"src/{'ab'[at % 3 == 0]}/x.py")
    for at in range(100)
]


def test_a_set_is_spread_over_time_reviewers_and_folders() -> None:
    chosen = pick_diverse(ROWS, 20)
    assert chosen == pick_diverse(ROWS[::-1], 20)
    assert [row.pull_request // 5 for row in chosen] == list(range(20))
    assert Counter(row.reviewer for row in chosen)["bo"] == 10
    assert Counter(row.path for row in chosen)["src/b/x.py"] >= 8
    assert len(pick_diverse(ROWS[:7], 20)) == 7


def test_a_set_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "pinned.json"
    made = ensure_pinned(path, ROWS)
    assert len(made.prompts) == 30
    assert made.prompts[0].reference.startswith("comment")
    assert ensure_pinned(path, ROWS[50:]) == made


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "pinned.json").write_text("{}")
    with pytest.raises(UserError, match="a regression set"):
        ensure_pinned(tmp_path / "pinned.json", ROWS)


def test_what_nobody_judged_is_neither_passed_nor_failed() -> None:
    record = record_regression(pin(ROWS[:3]), ["a", "b", "c"], [True, None, False])
    assert record.prompts == ("ex1:0", "ex1:2")
    assert record.passed == (True, False)
    assert record.answers == ("a", "c")


def test_only_what_passed_before_can_be_lost() -> None:
    before = _record(a=True, b=True, c=False, erased=True)
    after = _record(b=False, a=True, c=False, new=False)
    assert diff_regressions(before, after) == ("b",)
    assert diff_regressions(after, after) == ()
    with pytest.raises(ValueError, match="one regression set"):
        diff_regressions(before, after.model_copy(update={"set_id": "rg1:other"}))


def _record(**passed: bool) -> RegressionRecord:
    return RegressionRecord(
        set_id="rg1:x", prompts=tuple(passed), passed=tuple(passed.values()), answers=("",) * len(passed)
    )
