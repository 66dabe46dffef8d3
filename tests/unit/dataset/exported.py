"""A snapshot on disk with every table filled, and what tests ask of exports."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.dataset.folder import Assembled, write_folder
from app.dataset.snapshot import assemble
from app.dataset.split import decide_split
from app.domain.examples import Evidence, Example
from app.domain.snapshots import SnapshotManifest
from tests.unit.dataset.test_rows import a_clean_hunk, an_example
from tests.unit.dataset.test_written import a_written

NOW = datetime(2026, 2, 1, tzinfo=UTC)


def examples(bodies: list[str] | None = None) -> list[Example]:
    """Ten pull requests by default, each with a comment and a silent hunk."""
    found: list[Example] = []
    for number, body in enumerate(bodies or [f"Never print {n}." for n in range(10)], 1):
        pull: dict[str, Any] = {
            "pull_request": number,
            "pull_request_created_at": datetime(2026, 1, 1 + number % 28, tzinfo=UTC),
        }
        found.append(an_example(path=f"{number}.py", body=body, evidence=list(Evidence)[number % 3], **pull))
        found.append(a_clean_hunk(path="g.py", **pull))
    return found


def put_together(found: list[Example], *, written: int = 5) -> Assembled:
    pulls = ((one.pull_request_created_at, (one.repository, one.pull_request)) for one in found)
    return assemble(
        found,
        decide_split(pulls),
        installation="42",
        source="approved",
        created_at=NOW,
        written=[a_written(day, text=f"Zähle bis {day}\n\n\u2028\x00ende") for day in range(1, 1 + written)],
    )


def a_snapshot(folder: Path, found: list[Example] | None = None, *, written: int = 5) -> SnapshotManifest:
    return write_folder(put_together(found or examples(), written=written), folder)
