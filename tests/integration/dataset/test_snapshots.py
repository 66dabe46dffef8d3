"""From labels to a snapshot, and real review comments of other projects into one."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.curation.decision import APPROVE_LABEL
from app.dataset.building import build_snapshot
from app.dataset.folder import verify_snapshot
from app.dataset.imports import import_comments
from app.domain.snapshots import CommentRow, SnapshotManifest
from app.store.database import reading
from app.store.learning import select_approved_examples
from tests.integration.team import REPO, SERVICE, Team

REVIEWS = Path(__file__).parents[4] / "shared" / "data" / "reviews"
CHANGED = SERVICE.replace("    total = 0\n", "    total = 0\n    print(order)\n")
PRINT = CHANGED.split("\n").index("    print(order)") + 1


def a_snapshot(team: Team, root: Path) -> tuple[Path, SnapshotManifest]:
    with reading(team.services.database) as session:
        rows = select_approved_examples(session, team.installation_id)
    return build_snapshot(rows, team.installation_id, root)


def a_merged_pull(team: Team, day: int, label: str | None) -> int:
    number, sha = team.open({"service.py": CHANGED, f"notes-{day}.md": "one\n"}, day=day)
    team.say(number, sha, PRINT, f"Never print here, as on day {day}.")
    team.fix(number, {"service.py": SERVICE})
    team.standin.approve(REPO, number, author="mara", commit_sha=sha)
    team.standin.merge(REPO, number, by="mara")
    if label:
        team.standin.label(REPO, number, label, by="mara")
    team.run("harvest", number)
    return number


def test_only_what_is_approved_now_enters_and_the_newest_is_held_out(team: Team, tmp_path: Path) -> None:
    approved = [a_merged_pull(team, day, APPROVE_LABEL) for day in range(5)]
    a_merged_pull(team, 6, None)
    taken_back = a_merged_pull(team, 7, APPROVE_LABEL)
    team.standin.unlabel(REPO, taken_back, APPROVE_LABEL, by="tim")
    team.run("curate", taken_back)

    folder, manifest = a_snapshot(team, tmp_path)

    rows = {
        part: [CommentRow.model_validate_json(line) for line in text.splitlines()]
        for part, text in ((part, (folder / f"comments.{part}.jsonl").read_text()) for part in ("train", "heldout"))
    }
    # the same lines were commented on in each pull request: one prompt, so only the newest part may have it
    assert [row.pull_request for row in rows["heldout"]] == approved[-1:]
    assert rows["train"] == []
    assert manifest.left_out["train:prompt_in_heldout"] == 4
    assert manifest.counts["outcomes.train.jsonl"] == 4
    assert manifest.counts["lines.heldout.jsonl"] == 2
    assert verify_snapshot(folder) == manifest


def test_the_same_approvals_give_the_same_folder(team: Team, tmp_path: Path) -> None:
    number = a_merged_pull(team, 8, APPROVE_LABEL)
    first, manifest = a_snapshot(team, tmp_path / "one")

    team.run("harvest", number)
    second, again = a_snapshot(team, tmp_path / "two")

    assert (manifest.id, first.name) == (again.id, second.name)
    for path in first.iterdir():
        if path.name in manifest.files:
            assert path.read_bytes() == (second / path.name).read_bytes()


@pytest.mark.field
@pytest.mark.skipif(not REVIEWS.exists(), reason="the field data is not on this machine")
@pytest.mark.parametrize(("team_name", "rows"), [("line__armeria", 2_282), ("checkstyle__checkstyle", 1_100)])
def test_real_review_comments_are_imported_in_seconds(tmp_path: Path, team_name: str, rows: int) -> None:
    began = time.monotonic()
    folder = REVIEWS / team_name
    manifest = import_comments(
        folder / "train.jsonl",
        folder / "heldout.jsonl",
        tmp_path / "snapshot",
        installation="field",
        created_at=datetime.now(UTC),
    )

    assert manifest.counts["comments.train.jsonl"] > 0.9 * rows
    assert manifest.counts["comments.heldout.jsonl"] > 0
    assert time.monotonic() - began < 60
