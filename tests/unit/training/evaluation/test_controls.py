"""Trained controls are made of the rows they say, and their reports compare with the candidate's."""

from pathlib import Path

import pytest

from app.domain.errors import Refused, UserError
from app.domain.snapshots import OutcomeRow, Part
from tests.training_data import write_snapshot
from training.config import resolve_config
from training.evaluation.controls import ensure_snapshot, find_rejected, make_rows
from training.evaluation.naming import parse_controls
from training.evaluation.suite import plan_suite
from training.rows.snapshot import Snapshot, load_snapshot


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder: Path = tmp_path_factory.mktemp("controls") / "snapshot"
    write_snapshot(folder, train_pulls=24, heldout_pulls=2)
    return load_snapshot(folder)


def test_shuffled_keeps_the_lines_and_the_words_and_breaks_every_pair(snapshot: Snapshot) -> None:
    real, made = snapshot.comments("train"), make_rows(snapshot, "shuffled", seed=7)
    assert made == make_rows(snapshot, "shuffled", seed=7)
    assert made != make_rows(snapshot, "shuffled", seed=8)
    assert [row.prompt for row in made] == [row.prompt for row in real]
    assert sorted(row.completion[0].content for row in made) == sorted(row.completion[0].content for row in real)
    assert sum(row.completion == other.completion for row, other in zip(made, real, strict=True)) < len(real) / 3


def test_inverted_says_what_nobody_acted_on(snapshot: Snapshot) -> None:
    refused = {row.body for row in snapshot.outcomes("train") if not row.accepted}
    made = make_rows(snapshot, "inverted", seed=7)
    assert len(made) == sum(not row.accepted for row in snapshot.outcomes("train"))
    assert all(any(body in row.completion[0].content for body in refused) for row in made)


def test_random_subset_is_as_large_and_draws_from_both(snapshot: Snapshot) -> None:
    real, made = snapshot.comments("train"), make_rows(snapshot, "random_subset", seed=7)
    assert len(made) == len(real)
    rejected = find_rejected(snapshot)
    assert 0 < sum(row in rejected for row in made) < len(made)


def test_a_rejected_comment_without_a_row_is_placed_by_the_text_of_its_line(snapshot: Snapshot, tmp_path: Path) -> None:
    real = snapshot.comments("train")
    alone = ensure_snapshot(tmp_path / "without", snapshot, real, "shuffled")
    assert alone.hunks("train") == []
    assert find_rejected(alone) == []
    asked = {row.example: row.prompt for row in real}
    hidden = Snapshot(snapshot.folder, snapshot.manifest.model_copy(update={"files": _without_comments(snapshot)}))
    placed = find_rejected(hidden)
    assert placed
    assert all(row.prompt == asked[row.example] for row in placed)


class _OurOwn(Snapshot):
    """Every outcome is one of our own Findings."""

    def outcomes(self, part: Part) -> list[OutcomeRow]:
        rows = super().outcomes(part)
        return [row.model_copy(update={"example": f"fp1:{at}"}) for at, row in enumerate(rows)]


def test_what_we_said_ourselves_is_no_rejected_comment_though_its_line_is_known(snapshot: Snapshot) -> None:
    own = _OurOwn(snapshot.folder, snapshot.manifest)
    assert any(not row.accepted for row in own.outcomes("train"))
    assert find_rejected(own) == []


def test_a_snapshot_without_rejected_comments_gives_no_inverted_control(snapshot: Snapshot, tmp_path: Path) -> None:
    bare = ensure_snapshot(tmp_path / "bare", snapshot, snapshot.comments("train"), "shuffled")
    for name in ("inverted", "random_subset"):
        with pytest.raises(Refused, match="at least 12 comments, the snapshot gives 0") as refused:
            make_rows(bare, name, seed=7)
        assert refused.value.reason == "no_control"


def test_a_control_is_measured_on_the_candidates_suite(snapshot: Snapshot, tmp_path: Path) -> None:
    config = resolve_config().config
    rows = make_rows(snapshot, "shuffled", seed=7)
    made = ensure_snapshot(tmp_path / "made", snapshot, rows, "shuffled")
    assert plan_suite(made, config) == plan_suite(snapshot, config)
    assert made.comments("train") == rows
    assert made.id != snapshot.id
    assert "control shuffled of" in made.manifest.source


def test_an_unknown_control_is_named() -> None:
    assert parse_controls([]) == ("random_subset", "inverted", "shuffled")
    assert parse_controls(["shuffled"]) == ("shuffled",)
    with pytest.raises(UserError, match="got upside_down"):
        parse_controls(["upside_down"])


def _without_comments(snapshot: Snapshot) -> dict[str, str]:
    return {name: value for name, value in snapshot.manifest.files.items() if not name.startswith("comments.train")}
