"""The suite's name changes with what is measured and with nothing else."""

from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.domain.snapshots import HunkRow
from tests.training_data import write_snapshot
from tests.unit.training.evaluation.rows import comment_row
from training.config import resolve_config
from training.evaluation.suite import pick_strangers, plan_suite, thin
from training.process.files import hash_file, load_rows, save_record, save_text
from training.rows.snapshot import Snapshot, load_snapshot

CONFIG = resolve_config().config


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    write_snapshot(tmp_path / "snapshot", train_pulls=3, heldout_pulls=2)
    return load_snapshot(tmp_path / "snapshot")


def _rewrite(snapshot: Snapshot, name: str, text: str) -> Snapshot:
    save_text(snapshot.folder / name, text)
    files = {**snapshot.manifest.files, name: hash_file(snapshot.folder / name)}
    save_record(snapshot.folder / "manifest.json", snapshot.manifest.model_copy(update={"files": files}))
    return load_snapshot(snapshot.folder)


def test_new_training_rows_leave_the_suite_as_it_is(snapshot: Snapshot) -> None:
    before = plan_suite(snapshot, CONFIG)
    text = (snapshot.folder / "comments.train.jsonl").read_text()
    grown = _rewrite(snapshot, "comments.train.jsonl", text + comment_row(99).model_dump_json() + "\n")
    assert grown.id != snapshot.id
    assert plan_suite(grown, CONFIG) == before


def test_what_is_learned_later_about_a_comment_and_its_place_in_the_file_do_not_matter(snapshot: Snapshot) -> None:
    before = plan_suite(snapshot, CONFIG)
    rows = [row.model_copy(update={"weight": 0.5}) for row in snapshot.comments("heldout")]
    text = "".join(row.model_dump_json() + "\n" for row in reversed(rows))
    assert plan_suite(_rewrite(snapshot, "comments.heldout.jsonl", text), CONFIG).id == before.id


def test_other_comments_hunks_or_ways_of_asking_are_another_suite(snapshot: Snapshot) -> None:
    before = plan_suite(snapshot, CONFIG).id
    assert plan_suite(snapshot, CONFIG.model_copy(update={"answer_tokens": 7})).id != before
    assert plan_suite(snapshot, CONFIG.model_copy(update={"heldout_rows": 3})).id != before
    hunks = load_rows(snapshot.folder / "lines.heldout.jsonl", HunkRow)
    silent = [row for row in hunks if 1 not in row.labels]
    assert silent
    left = "".join(row.model_dump_json() + "\n" for row in hunks if row is not silent[0])
    assert plan_suite(_rewrite(snapshot, "lines.heldout.jsonl", left), CONFIG).id != before


def test_nothing_held_out_is_said(snapshot: Snapshot) -> None:
    with pytest.raises(UserError, match="holds out no comments"):
        plan_suite(_rewrite(snapshot, "comments.heldout.jsonl", ""), CONFIG)


def test_rows_are_thinned_evenly() -> None:
    assert thin(range(10), 5) == [0, 2, 4, 6, 8]
    assert thin(range(3), 0) == thin(range(3), 9) == [0, 1, 2]


def test_a_stranger_says_something_else_in_another_pull_request() -> None:
    rows = [comment_row(at, f"comment {at % 2}") for at in range(6)]
    for row, stranger in zip(rows, pick_strangers(rows), strict=True):
        assert stranger.completion != row.completion
        assert stranger.pull_request != row.pull_request
