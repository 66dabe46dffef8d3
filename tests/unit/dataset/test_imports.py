"""Bring your own review comments."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.dataset.folder import verify_snapshot
from app.dataset.imports import import_comments
from app.domain.errors import UserError
from app.domain.snapshots import CommentRow, HunkRow, OutcomeRow, SnapshotManifest

NOW = datetime(2026, 2, 1, tzinfo=UTC)


def a_row(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "repo": "acme/store",
        "pr": number,
        "pr_author": "dev",
        "pr_created": f"2026-01-{number:02}T00:00:00Z",
        "id": str(100 + number),
        "author": "mara",
        "path": f"f{number}.py",
        "body": "Never print here.",
        "diff_hunk": "@@ -1,4 +1,6 @@\n def f():\n+    x = 1\n+    print(x)",
        "original_commit": "a" * 40,
        "replies": [],
        "addressed_proxy": None,
    } | more


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def imported(folder: Path, rows: list[Any], heldout: list[Any] | None = None) -> SnapshotManifest:
    train = write(folder / "train.jsonl", rows)
    newer = None if heldout is None else write(folder / "heldout.jsonl", heldout)
    return import_comments(train, newer, folder / "snapshot", installation="imported", created_at=NOW)


Row = TypeVar("Row", CommentRow, HunkRow, OutcomeRow)


def rows_of(folder: Path, name: str, kind: type[Row]) -> list[Row]:
    return [kind.model_validate_json(line) for line in (folder / "snapshot" / name).read_text().splitlines()]


def test_a_comment_is_learned_at_the_last_line_of_its_hunk(tmp_path: Path) -> None:
    manifest = imported(tmp_path, [a_row()], [a_row(9)])

    (row,) = rows_of(tmp_path, "comments.train.jsonl", CommentRow)
    assert (row.line, row.weight, row.reviewer) == (3, 0.43, "mara")
    (hunk,) = rows_of(tmp_path, "lines.train.jsonl", HunkRow)
    assert hunk.labels == (None, 0, 1)
    assert manifest.source == "import:train.jsonl + import:heldout.jsonl"
    assert verify_snapshot(tmp_path / "snapshot") == manifest


def test_lines_that_others_commented_on_are_no_negatives(tmp_path: Path) -> None:
    above = a_row(id=7, body="Nice!", diff_hunk="@@ -1,4 +1,6 @@\n def f():\n+    x = 1")

    manifest = imported(tmp_path, [a_row(), above], [a_row(9)])

    (hunk,) = rows_of(tmp_path, "lines.train.jsonl", HunkRow)
    assert hunk.labels == (None, None, 1)
    assert manifest.left_out == {"import:praise": 1, "outcome:not_told_by_git": 2}


def test_outcomes_come_from_what_the_file_knows(tmp_path: Path) -> None:
    rows = [
        a_row(1, gold_addressed=True, addressed_proxy="no"),
        a_row(2, gold_addressed=False),
        a_row(3, addressed_proxy="yes"),
        a_row(4, addressed_proxy="no"),
        a_row(5),
    ]

    imported(tmp_path, rows, [a_row(9)])

    accepted = {row.pull_request: row.accepted for row in rows_of(tmp_path, "outcomes.train.jsonl", OutcomeRow)}
    assert accepted == {1: True, 2: False, 3: True, 4: False}
    spoken = {row.pull_request for row in rows_of(tmp_path, "comments.train.jsonl", CommentRow)}
    assert spoken == {1, 3, 5}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"author": "dev"}, "self_comment"),
        ({"author": "linter[bot]"}, "bot"),
        ({"path": "yarn.lock"}, "unread_path"),
        ({"body": "Why?"}, "too_short"),
        ({"body": "Why was this removed?"}, "question_only"),
    ],
)
def test_the_same_filters_as_the_harvest(tmp_path: Path, more: dict[str, Any], reason: str) -> None:
    assert imported(tmp_path, [a_row(1, **more), a_row(2)], [a_row(9)]).left_out[f"import:{reason}"] == 1


def test_without_a_held_out_file_the_newest_fifth_is_held_out(tmp_path: Path) -> None:
    manifest = imported(tmp_path, [a_row(number) for number in range(1, 11)])

    assert manifest.counts["comments.train.jsonl"] == 8
    heldout = {row.pull_request for row in rows_of(tmp_path, "comments.heldout.jsonl", CommentRow)}
    assert heldout == {9, 10}


def test_a_pull_request_on_both_sides_is_held_out(tmp_path: Path) -> None:
    manifest = imported(tmp_path, [a_row(1), a_row(9, id=5)], [a_row(9)])

    assert manifest.counts["comments.train.jsonl"] == 1
    assert manifest.left_out["import:pull_request_in_heldout"] == 1


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (a_row(pr="seven"), "pr"),
        (a_row(pr_created="yesterday"), "pr_created"),
        ({key: value for key, value in a_row().items() if key != "body"}, "body"),
        (a_row(addressed_proxy="maybe"), "addressed_proxy"),
        (a_row(diff_hunk="no hunk"), "diff_hunk"),
        ("{broken", "the row"),
    ],
)
def test_a_broken_row_is_named_by_file_row_and_field(tmp_path: Path, row: Any, field: str) -> None:
    with pytest.raises(UserError, match=rf"train\.jsonl, row 2:.*{field}"):
        imported(tmp_path, [a_row(), row], [a_row(9)])
    assert not (tmp_path / "snapshot").exists()


def test_missing_and_empty_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a file of review comments"):
        import_comments(tmp_path / "none", None, tmp_path / "snapshot", installation="x", created_at=NOW)
    with pytest.raises(UserError, match="got an empty file"):
        imported(tmp_path, [])
