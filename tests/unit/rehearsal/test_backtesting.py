"""A pull request is rehearsed as its first reviewer met it, and git says what became of each line."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.examples import Evidence
from app.domain.findings import Finding
from app.rehearsal.archive import ArchivedPullRequest
from app.rehearsal.backtesting import find_reviewed, let_refused_review, read_backtest
from app.rehearsal.playback import Mirror
from app.store.database import open_engine, reading, writing
from app.store.migrate import migrate
from app.store.reviews import save_findings, save_review
from app.store.rounds import load_pointer, move_pointer, save_adapter_version
from app.store.tables import AdapterVersionRow, ReviewRow

INSTALLATION = 5


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *identity, "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def commits(tmp_path: Path) -> tuple[Mirror, str, str]:
    """A mirror, the commit people looked at, and the head, whose second line is another."""
    work = tmp_path / "work"
    _git(tmp_path, "init", "--quiet", str(work))
    _git(work, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    shas = []
    for text in ("one\ntwo\nthree\n" + "filler\n" * 20, "one\nTWO\nthree\n" + "filler\n" * 20):
        (work / "a.py").write_text(text)
        _git(work, "add", "a.py")
        _git(work, "commit", "--quiet", "-m", "c")
        shas.append(_git(work, "rev-parse", "HEAD"))
    _git(work, "update-ref", "refs/pull/3/head", shas[1])
    return Mirror(work / ".git"), shas[0], shas[1]


def _comment(
    number: int, *, user: str, line: int, commit: str, body: str = "Say why this is two."
) -> dict[str, object]:
    return {
        "id": number,
        "user": user,
        "body": body,
        "path": "a.py",
        "diff_hunk": "@@ -0,0 +1 @@\n+one",
        "side": "RIGHT",
        "original_line": line,
        "original_commit_id": commit,
        "created_at": f"2020-01-0{number}T00:00:00Z",
    }


def _row(head: str, *comments: dict[str, object]) -> ArchivedPullRequest:
    return ArchivedPullRequest.model_validate(
        {
            "repo": "o/r",
            "number": 3,
            "title": "t",
            "author": "author",
            "created_at": "2020-01-01T00:00:00Z",
            "head_sha": head,
            "comments": comments,
        }
    )


def test_the_first_commented_commit_is_reviewed_and_the_head_where_it_is_gone(
    commits: tuple[Mirror, str, str],
) -> None:
    mirror, early, head = commits
    late_first = (_comment(2, user="ann", line=1, commit=head), _comment(1, user="ann", line=2, commit=early))
    assert find_reviewed(mirror, _row(head, *late_first)) == early
    assert find_reviewed(mirror, _row(head, _comment(1, user="ann", line=2, commit="f" * 40))) == head
    assert find_reviewed(mirror, _row(head)) == head


def test_people_and_findings_are_read_side_by_side(commits: tuple[Mirror, str, str], tmp_path: Path) -> None:
    mirror, early, head = commits
    row = _row(
        head,
        _comment(1, user="ann", line=2, commit=early),
        _comment(2, user="author", line=2, commit=early, body="I shall change it."),
        _comment(3, user="ann", line=20, commit=head),
    )
    url = f"sqlite:///{tmp_path / 'u.db'}"
    migrate(url)
    database = open_engine(url)
    with writing(database) as session:
        save_review(
            session,
            ReviewRow(
                id="x", installation_id=INSTALLATION, repository="o/r", pull_request=3, head_sha=early, state="posted"
            ),
        )
        save_findings(session, "x", [_finding(2, "f1"), _finding(15, "f2")])
    (pull,) = read_backtest(database, INSTALLATION, mirror, (row,))
    database.dispose()
    assert [(one.line, one.evidence) for one in pull.ours] == [(2, Evidence.LINE), (15, Evidence.FILE)]
    assert [(one.author, one.line, one.evidence) for one in pull.theirs] == [("ann", 2, Evidence.LINE)]
    assert (pull.state, pull.commit_sha, pull.later) == ("posted", early, 1)
    assert pull.placed == 2, "the first commit adds every line"


@pytest.mark.parametrize(
    ("states", "serving", "expected"),
    [
        ({"5--old": "rejected", "5--new": "rejected"}, None, "5--new"),
        ({"5--old": "rejected", "5--new": "promoted"}, "5--new", None),
        ({"5--old": "rejected", "5--held": "candidate"}, None, "5--held"),
        ({"5--old": "quarantined"}, None, None),
        ({}, None, None),
    ],
)
def test_a_refused_candidate_reviews_only_where_none_passed(
    tmp_path: Path, states: dict[str, str], serving: str | None, expected: str | None
) -> None:
    url = f"sqlite:///{tmp_path / 'u.db'}"
    migrate(url)
    database = open_engine(url)
    with writing(database) as session:
        for day, (name, state) in enumerate(states.items(), 1):
            row = AdapterVersionRow(
                name=name,
                installation_id=INSTALLATION,
                snapshot_id="s",
                state=state,
                path="p",
                manifest={},
                created_at=datetime(2026, 1, day, tzinfo=UTC),
            )
            save_adapter_version(session, row)
        if serving is not None:
            move_pointer(session, INSTALLATION, serving)
    assert let_refused_review(database, INSTALLATION) == expected
    with reading(database) as session:
        pointer = load_pointer(session, INSTALLATION)
        reviewing = None if pointer is None else pointer.adapter_name
    database.dispose()
    assert reviewing == (expected or serving)


def _finding(line: int, fingerprint: str) -> Finding:
    return Finding(
        repository="o/r",
        pull_request=3,
        path="a.py",
        line=line,
        body="Say why.",
        severity="minor",
        fingerprint=fingerprint,
        locator_score=0.9,
        acceptance_score=0.9,
        adapter="5--0",
    )
