"""What is begun again by itself, and what is left to a person."""

from dataclasses import replace

from app.workflows.runs import State, WorkflowRun
from app.workflows.upkeep import select_revived

NOW = 1_800_000_000.0
AWAY = WorkflowRun(
    id="review:a",
    name="review",
    state=State.ERROR,
    queue="github",
    created_at_seconds=NOW - 7_200,
    error="GitHub answered 502",
    progress=None,
    transient=True,
)


def test_what_failed_of_something_that_passes_is_begun_again_oldest_first() -> None:
    older = replace(AWAY, id="harvest:b", created_at_seconds=NOW - 80_000)
    assert select_revived([AWAY, older], NOW) == ["harvest:b", "review:a"]


def test_what_would_fail_again_or_is_a_day_old_is_left() -> None:
    refused, old = replace(AWAY, transient=False), replace(AWAY, created_at_seconds=NOW - 90_000)
    assert select_revived([refused, old], NOW) == []
