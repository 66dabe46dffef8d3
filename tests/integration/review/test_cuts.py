"""kill -9 before and after every step of a review: always the same one review, its comments and its check run.

Which steps there are is read from an undisturbed run, so that a step that is added later is cut, too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.findings import Finding
from app.review.messages import CHECK_NAME, render_comment
from app.store.database import open_engine, reading
from app.store.reviews import select_findings, select_reviews
from app.workflows import engine
from tests.cutting import Cut, CutProgram
from tests.integration.review.cutting_program import Review, Told
from tests.integration.review.printing import PRINTING
from tests.integration.team import REPO, Team, assembled_team

pytestmark = pytest.mark.slow


class Cutter:
    def __init__(self, team: Team, folder: Path) -> None:
        self.team, self.database = team, str(team.services.database.url)
        standin = team.standin
        told = Told(
            database=self.database,
            api_url=team.server.base_url,
            app_id=standin.app_id,
            app_slug=standin.slug,
            private_key=standin.private_key_pem,
            installation_id=team.installation_id,
            host=team.services.host,
        )
        (folder / "told.json").write_text(told.model_dump_json())
        self.program = CutProgram("-m", "tests.integration.review.cutting_program", str(folder))

    def turn(self, waiting: tuple[str, ...] = (), cut: Cut | None = None) -> tuple[Review, int]:
        """Of a new pull request with one line to comment on."""
        number, sha = self.team.open({"service.py": PRINTING})
        repository = self.team.standin.repository(REPO)
        review_id = f"{self.team.services.host}:{repository.id}:{number}:{sha}"
        return Review(review_id=review_id, repository=REPO, waiting=waiting, cut=cut), number

    def look(self, number: int) -> dict[str, Any]:
        """What people see on GitHub of a pull request."""
        standin = self.team.standin
        head = standin.find_pull(REPO, number)[1].head_sha
        reviews = standin.reviews(REPO, number, author=f"{standin.slug}[bot]")
        return {
            "reviews": [
                (one["state"], [(said["path"], said["line"], said["body"]) for said in one["comments"]])
                for one in reviews
            ],
            "checks": [
                (run["conclusion"], run["output"]["title"])
                for run in standin.check_runs(REPO, head)
                if run["name"] == CHECK_NAME
            ],
        }


@pytest.fixture
def cutter(tmp_path: Path) -> Iterator[Cutter]:
    with assembled_team(tmp_path) as team:
        engine.shutdown()  # the program's processes have the database to themselves
        made = Cutter(team, tmp_path)
        try:
            yield made
        finally:
            made.program.close()


def test_wherever_it_is_killed_a_review_ends_the_same(cutter: Cutter) -> None:
    plain, first = cutter.turn()
    found = cutter.program.take(plain)
    assert found["states"] == {plain.review_id: "posted"}
    wanted = cutter.look(first)
    assert [state for state, _ in wanted["reviews"]] == ["COMMENTED"]
    assert len(wanted["reviews"][0][1]) == 1
    assert len(wanted["checks"]) == 1
    steps = list(dict.fromkeys(found["steps"]))
    assert {"draft", "create_pending", "submit", "publish_check"} < set(steps)
    cut_off: dict[int, Cut] = {}
    waiting: tuple[str, ...] = ()
    for cut in (Cut(step=step, when=when) for step in steps for when in ("before", "after")):
        turn, number = cutter.turn(waiting, cut)
        assert cutter.program.take(turn) is None, f"nothing was cut {cut}"
        cut_off[number], waiting = cut, (turn.review_id,)
    last, _ = cutter.turn(waiting)
    assert set(cutter.program.take(last)["states"].values()) == {"posted"}
    for number, cut in cut_off.items():
        assert cutter.look(number) == wanted, f"cut {cut}"
    assert _told_by_our_tables(cutter) == len(cut_off) + 2


def _told_by_our_tables(cutter: Cutter) -> int:
    """How many reviews there are; each says what GitHub shows, and knows the ids of both."""
    database = open_engine(f"sqlite:///{cutter.team.services.database.url.database}")
    try:
        with reading(database) as session:
            reviews = select_reviews(session, cutter.team.installation_id, repository=REPO)
            for review in reviews:
                (shown,) = cutter.look(review.pull_request)["reviews"]
                rows = select_findings(session, review.id)
                findings = [Finding.model_validate(row.payload) for row in rows]
                assert [(one.path, one.line, render_comment(one)) for one in findings] == shown[1]
                assert review.state == "posted"
                assert review.github_review_id is not None
                assert all(row.posted and row.comment_id for row in rows)
    finally:
        database.dispose()
    return len(reviews)
