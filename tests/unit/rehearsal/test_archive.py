"""A broken archive is refused by row and field, and an answer key never gets in."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import UserError
from app.rehearsal.archive import read_archive

COMMENT = {
    "id": 5,
    "user": "ada",
    "body": "Use two.",
    "path": "a.py",
    "diff_hunk": "@@ -1 +1 @@\n-1\n+2",
    "side": "RIGHT",
    "original_line": 1,
    "original_commit_id": "a" * 40,
    "created_at": "2020-01-02T00:00:00Z",
    "truth": {"line_changed_by_head": True},
}
ROW: dict[str, Any] = {
    "repo": "o/r",
    "number": 1,
    "title": "t",
    "author": "bob",
    "created_at": "2020-01-01T00:00:00Z",
    "head_sha": "b" * 40,
    "comments": [COMMENT],
}


def _write(folder: Path, *rows: object) -> Path:
    path = folder / "prs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_rows_come_oldest_first_and_without_the_answer_key(tmp_path: Path) -> None:
    newer = {**ROW, "number": 2, "created_at": "2020-03-01T00:00:00Z"}
    rows = read_archive(_write(tmp_path, newer, ROW))
    assert [row.number for row in rows] == [1, 2]
    assert "truth" not in rows[0].model_dump_json()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([ROW, {**ROW, "number": "x"}], "row 2: expected number"),
        ([{**ROW, "comments": [{**COMMENT, "side": "UP"}]}], r"row 1: expected comments\.0\.side"),
        ([{**ROW, "head_sha": "zz"}], "row 1: expected head_sha"),
        ([{**ROW, "created_at": "2020-01-01T00:00:00"}], r"row 1: expected created_at .*time ?zone"),
        (
            [{**ROW, "comments": [{**COMMENT, "created_at": "2020-01-02T00:00:00"}]}],
            r"row 1: expected comments\.0\.created_at .*time ?zone",
        ),
        ([{**ROW, "repo": "../.."}], "row 1: expected repo .*dots only"),
        ([{**ROW, "repo": "o/.."}], "row 1: expected repo .*dots only"),
        ([{**ROW, "number": 0}], "row 1: expected number"),
        ([], "got an empty file"),
        ([ROW, {**ROW, "number": 2, "repo": "o/other"}], "expected one repository, got o/other, o/r"),
        ([ROW, ROW], "pull request 1 comes twice"),
    ],
)
def test_a_broken_archive_is_refused_by_name(tmp_path: Path, rows: list[object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_archive(_write(tmp_path, *rows))


def test_a_line_that_is_no_json_names_its_row(tmp_path: Path) -> None:
    path = _write(tmp_path, ROW)
    path.write_text(path.read_text() + "\n{oops")
    with pytest.raises(UserError, match="row 2"):
        read_archive(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl: expected an archive"):
        read_archive(tmp_path / "none.jsonl")
