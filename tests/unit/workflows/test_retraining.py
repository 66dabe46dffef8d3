"""When weights that learned from something erased are destroyed."""

from datetime import UTC, datetime, timedelta

from app.store.tables import AdapterVersionRow
from app.workflows.retraining import select_condemned

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_stale_weights_go_at_once_when_unused_and_after_a_month_when_used() -> None:
    def version(name: str, days: int | None, state: str = "promoted") -> AdapterVersionRow:
        stale_at = None if days is None else NOW - timedelta(days=days)
        return AdapterVersionRow(
            name=name, installation_id=1, snapshot_id="s", state=state, path="", manifest={}, stale_at=stale_at
        )

    versions = [version("used", 29), version("old", 0), version("fresh", None), version("gone", 5, "erased")]
    assert select_condemned(versions, "used", NOW) == ["old"]
    assert select_condemned([version("used", 31)], "used", NOW) == ["used"]
