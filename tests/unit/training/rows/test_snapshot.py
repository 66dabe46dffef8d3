"""A snapshot is read whole and unchanged, or not at all."""

from pathlib import Path

import pytest

from app.domain.errors import UserError
from tests.training_data import write_snapshot
from training.process.files import hash_file
from training.rows.snapshot import load_snapshot


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_snapshot(tmp_path / "snapshot", train_pulls=2, heldout_pulls=1)
    return tmp_path / "snapshot"


def test_rows_come_back(folder: Path) -> None:
    opened = load_snapshot(folder)
    assert len(opened.comments("train")) == 8
    assert len(opened.hunks("heldout")) == 7


def test_a_changed_file_is_named(folder: Path) -> None:
    changed = folder / "comments.train.jsonl"
    changed.write_text(changed.read_text().replace("journal", "diary"))
    with pytest.raises(UserError, match=r"comments\.train\.jsonl changed"):
        load_snapshot(folder)


def test_an_absent_file_is_named(folder: Path) -> None:
    (folder / "lines.heldout.jsonl").unlink()
    with pytest.raises(UserError, match=r"lines\.heldout\.jsonl is named in the manifest but absent"):
        load_snapshot(folder)


def test_a_folder_without_a_manifest_is_incomplete(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(UserError, match="written last"):
        load_snapshot(folder)


def test_prompts_of_another_version_are_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"prompt_version": "p2"', '"prompt_version": "p1"'))
    with pytest.raises(UserError, match="version p1"):
        load_snapshot(folder)


def test_a_broken_row_is_named_by_file_line_and_field(folder: Path) -> None:
    path = folder / "comments.train.jsonl"
    before = hash_file(path)
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace('"reviewer"', '"reviwer"')
    path.write_text("\n".join(lines) + "\n")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace(before, hash_file(path)))
    with pytest.raises(UserError, match=r"comments\.train\.jsonl line 3 .*(reviewer|reviwer)"):
        load_snapshot(folder).comments("train")
