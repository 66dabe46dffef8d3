"""A small run of tests/benchmarks/kills.py: real services under kill -9, on both databases."""

from pathlib import Path

import pytest

from tests.benchmarks.kills import measure

pytestmark = pytest.mark.slow
_DELIVERIES = 40


@pytest.mark.parametrize("services", [1, 3], ids=["sqlite", "postgresql"])
def test_nothing_is_lost_and_nothing_is_doubled(services: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    if services > 1:
        url = str(request.getfixturevalue("empty_postgres"))
    found = measure(url, tmp_path, deliveries=_DELIVERIES, kills=5, services=services, rate=10.0)
    assert found["kills"] >= 5
    assert (found["lost"], found["unfinished"]) == (0, 0)
    assert found["review_rows"] == {"posted": _DELIVERIES}
    for what in ("reviews", "comments", "check_runs"):
        assert found[f"{what}_per_pull_request"] == {1: _DELIVERIES}
    if services > 1:
        assert found["longest_takeover_seconds"] < 15
