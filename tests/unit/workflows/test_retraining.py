"""When a learning round is worth its hours."""

import pytest

from app.workflows.retraining import decide_due


@pytest.mark.parametrize(
    ("approved", "new", "learned_before", "due"),
    [(29, 29, False, False), (30, 30, False, True), (200, 19, True, False), (200, 20, True, True)],
)
def test_due(*, approved: int, new: int, learned_before: bool, due: bool) -> None:
    assert decide_due(approved=approved, new=new, learned_before=learned_before) is due
