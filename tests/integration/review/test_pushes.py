"""The benchmark of pushes on a pull request or two: its own counting must be able to fail."""

import pytest

from app.rehearsal.playback import Mirror
from tests.benchmarks.reviews.counting import Followed, count_figures, line_at, read_followed
from tests.benchmarks.reviews.pushing import ROUNDS, Branch
from tests.integration.review.printing import OTHER, PRINTING, Loggers, install_reviewer, review
from tests.integration.team import REPO, Team


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Loggers:
    return install_reviewer(monkeypatch)


def commented(branch: Branch) -> list[tuple[str, str]]:
    own = branch.standin.reviews(REPO, branch.number, author=f"{branch.standin.slug}[bot]")
    return [
        (one["path"], line_at(branch, made["commit_id"], one["path"], one["original_line"]))
        for made in own
        for one in made["comments"]
    ]


def follow(team: Team, number: int) -> tuple[Branch, list[tuple[str, str] | None]]:
    branch = Branch(team.standin, REPO, number)
    deleted = []
    for step in ROUNDS:
        if step != ROUNDS[0]:
            deleted.append(branch.go_on(step, commented(branch)))
        assert review(team, number) in ("posted", "silent")
    return branch, deleted


def read(team: Team, branch: Branch) -> Followed:
    return read_followed(branch, Mirror(team.standin.bare_path(REPO)), is_clean=False)


def test_three_pushes_and_a_rebase_repeat_nothing_and_leave_every_place_valid(team: Team, writer: Loggers) -> None:
    number, _ = team.open({"service.py": PRINTING, "other.py": OTHER})
    branch, deleted = follow(team, number)
    assert deleted == [None, ("other.py", "print(rows)"), None, None]
    figures = count_figures([read(team, branch)])
    assert (figures.heads, figures.reviews, figures.comments) == (5, 1, 2)
    assert (figures.placed, figures.on_added, figures.duplicates, figures.same_line) == (2, 2, 0, 0)
    assert (figures.marked, figures.marked_wrongly, figures.unmarked) == (1, 0, 0)
    for path in ("service.py", f"notes-{number}.txt"):
        assert path in branch.objects.changed(branch.base, branch.head)


def test_the_count_sees_repetitions_wrong_places_and_wrong_marks(team: Team, writer: Loggers) -> None:
    number, sha = team.open({"service.py": PRINTING})
    assert review(team, number) == "posted"
    branch = Branch(team.standin, REPO, number)
    (before,) = read(team, branch).comments
    again = team.standin.reviews(REPO, number)[0]["comments"][0]["body"]
    bot = f"{team.standin.slug}[bot]"
    team.say(number, sha, 10, again, author=bot)
    team.say(number, sha, 10, "In other words.", author=bot)
    team.say(
        number,
        sha,
        400,
        "Nowhere.\n\nAddressed or overtaken as of `abc1234`: so.",
        author=bot,
        diff_hunk="@@ -1 +1 @@\n+x",
    )
    figures = count_figures([read(team, branch)])
    assert before.placed
    assert (figures.comments, figures.placed, figures.on_added) == (4, 3, 3)
    assert (figures.duplicates, figures.same_line) == (1, 2)
    assert (figures.marked, figures.marked_wrongly) == (1, 0)
    team.standin.edit_comment(
        REPO,
        number,
        team.standin.review_comments(REPO, number)[0]["id"],
        f"{again}\n\nAddressed or overtaken as of `abc1234`: so.",
    )
    assert count_figures([read(team, branch)]).marked_wrongly == 1
