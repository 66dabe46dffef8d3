"""When a learning round is worth its hours."""

from datetime import UTC, datetime, timedelta

import pytest

from app.store.tables import AdapterVersionRow
from app.workflows.retraining import decide_due, select_condemned

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("approved", "new", "learned_before", "due"),
    [(29, 29, False, False), (30, 30, False, True), (200, 19, True, False), (200, 20, True, True)],
)
def test_due(*, approved: int, new: int, learned_before: bool, due: bool) -> None:
    assert decide_due(approved=approved, new=new, learned_before=learned_before) is due


def test_an_erasure_makes_it_due_at_once() -> None:
    assert decide_due(approved=30, new=0, learned_before=True, stale=True)
    assert not decide_due(approved=29, new=0, learned_before=True, stale=True)


def test_stale_weights_go_at_once_when_unused_and_after_a_month_when_used() -> None:
    def version(name: str, days: int | None, state: str = "promoted") -> AdapterVersionRow:
        stale_at = None if days is None else NOW - timedelta(days=days)
        return AdapterVersionRow(
            name=name, installation_id=1, snapshot_id="s", state=state, path="", manifest={}, stale_at=stale_at
        )

    versions = [version("used", 29), version("old", 0), version("fresh", None), version("gone", 5, "erased")]
    assert select_condemned(versions, "used", NOW) == ["old"]
    assert select_condemned([version("used", 31)], "used", NOW) == ["used"]
