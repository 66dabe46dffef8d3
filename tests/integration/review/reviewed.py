"""A team whose installation has a promoted adapter: a real Locator over real vLLM on the tiny base.

The tiny base writes gibberish of the agreed shape, which is all these tests need: they are about where, how often and
whether a review is posted, not about its wisdom.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.domain.diff import parse_patch
from app.domain.snapshots import HunkRow
from app.rehearsal.standin.state import PullRequest
from app.review.messages import CHECK_NAME
from app.store.database import reading, writing
from app.store.reviews import select_reviews
from app.store.rounds import move_pointer, save_adapter_version
from app.store.tables import AdapterVersionRow, ReviewRow
from app.workflows import engine
from app.workflows.runs import Queue
from tests.integration.team import REPO, SERVICE, Team
from tests.serving_fixture import make_adapter, seal
from training.scores.acceptance import fit_acceptance
from training.scores.locator import fit_locator
from training.scores.text_scores import save_scores

CLEAN = SERVICE + "\n\ndef count(order):\n    found = len(order)\n    return found\n"
GUILTY = SERVICE + "\n\ndef tax(order):\n    forbidden_float(order)\n    return order\n"
_HUNK = """@@ -1,1 +1,5 @@
 import json
+
+def work_{number}(order):
+    {line}
+    return order"""


def guilty_rows() -> list[HunkRow]:
    """Reviewers always comment on `forbidden_float`, and on nothing else."""
    rows = []
    for number in range(40):
        guilty = number % 2 == 0
        line = "forbidden_float(order)" if guilty else f"found = order.part_{number}"
        hunk = parse_patch("service.py", _HUNK.format(number=number, line=line)).hunks[0]
        labels = tuple(None if item.kind != "added" else int("forbidden" in item.text) for item in hunk.lines)
        rows.append(
            HunkRow(
                examples=(f"ex1:{number}",),
                repository=REPO,
                pull_request=number,
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
                path="service.py",
                hunk=hunk,
                labels=labels,
            )
        )
    return rows


def promote_adapter(team: Team, base: Path, folder: Path, *, seed: int = 1) -> str:
    """Make a version and point the installation at it, as a learning round would."""
    make_adapter(base, folder, seed=seed, installation=str(team.installation_id))
    save_scores(folder / "locator.skops", fit_locator(guilty_rows(), alarms=0.05))
    save_scores(folder / "filter.skops", fit_acceptance([], precision=0.8))
    manifest = seal(folder, base, seed=seed, installation=str(team.installation_id))
    with writing(team.services.database) as session:
        save_adapter_version(
            session,
            AdapterVersionRow(
                name=manifest.name,
                installation_id=team.installation_id,
                snapshot_id=manifest.snapshot,
                state="promoted",
                path=str(folder),
                manifest=manifest.model_dump(mode="json"),
            ),
        )
        move_pointer(session, team.installation_id, manifest.name)
    return manifest.name


@dataclass(frozen=True)
class Outcome:
    """What a pull request got."""

    state: str
    row: ReviewRow
    reviews: list[dict[str, Any]]
    checks: list[dict[str, Any]]


class ReviewedTeam:
    def __init__(self, team: Team, adapter: str) -> None:
        self.team = team
        self.adapter = adapter

    def review_id(self, number: int) -> str:
        repository = self.team.standin.repository(REPO)
        return f"{self.team.services.host}:{repository.id}:{number}:{self.pull(number).head_sha}"

    def pull(self, number: int) -> PullRequest:
        return self.team.standin.find_pull(REPO, number)[1]

    def review(self, number: int, attempt: int = 0, *, seconds: float = 120) -> Outcome:
        """Run the workflow as a webhook would start it, and look at what came of it."""
        review_id, head = self.review_id(number), self.pull(number).head_sha
        workflow_id = f"review:{review_id}" + (f":{attempt}" if attempt else "")
        installation = self.team.installation_id
        engine.start("review", workflow_id, installation, REPO, review_id, queue=Queue.GITHUB, partition=installation)
        state = str(engine.wait(workflow_id, seconds))
        with reading(self.team.services.database) as session:
            row = next(row for row in select_reviews(session, installation) if row.id == review_id)
        return Outcome(state, row, self.reviews(number), self.checks(head))

    def reviews(self, number: int) -> list[dict[str, Any]]:
        return self.team.standin.reviews(REPO, number, author=f"{self.team.standin.slug}[bot]")

    def checks(self, head: str) -> list[dict[str, Any]]:
        return [run for run in self.team.standin.check_runs(REPO, head) if run["name"] == CHECK_NAME]
