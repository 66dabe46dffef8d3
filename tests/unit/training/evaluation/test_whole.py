"""A comment is found whole when its line is pointed at and its issue is named."""

from pathlib import Path

from app.domain.diff import parse_patch
from app.domain.evals import Figure
from app.domain.snapshots import HunkRow
from tests.training_data import write_snapshot
from tests.unit.training.evaluation.rows import START, comment_row
from training.evaluation.controls import ensure_snapshot
from training.evaluation.places import Places
from training.evaluation.sheet import Sheet, Written
from training.evaluation.whole import Where, add_whole, measure_where, whole_figure
from training.rows.snapshot import load_snapshot
from training.scores.locator import fit_locator

ROWS = [comment_row(at) for at in range(4)]
HUNK = parse_patch("src/a.py", "@@ -1,1 +1,3 @@\n import os\n+x = 1\n+y = 2").hunks[0]
HUNKS = [
    HunkRow(
        examples=(row.example,),
        repository="acme/depot",
        pull_request=row.pull_request,
        created_at=START,
        path="src/a.py",
        hunk=HUNK,
        labels=(None, 1, 0),
    )
    for row in ROWS
]
POINTED = frozenset({(0, 2), (1, 2), (2, 3)})


def test_both_parts_must_hit() -> None:
    figure = whole_figure(ROWS, [True, False, True, True], HUNKS, POINTED)
    assert figure is not None
    assert (figure.value, figure.n) == (0.25, 4)


def test_rows_that_nobody_judged_count_neither_way() -> None:
    figure = whole_figure(ROWS, [True, None, None, None], HUNKS, POINTED)
    assert figure is not None
    assert (figure.value, figure.n) == (1.0, 1)


def test_a_comment_on_no_added_line_is_not_found() -> None:
    elsewhere = [row.model_copy(update={"line": 1}) for row in ROWS]
    figure = whole_figure(elsewhere, [True] * 4, HUNKS, frozenset({*POINTED, (0, 1)}))
    assert figure is not None
    assert figure.value == 0.0


def test_the_parts_stand_beside_the_whole_and_what_is_missing_is_said() -> None:
    sheet = Sheet(written={"candidate": Written(tuple(ROWS), ("",) * 4)}, same={"candidate": (True, False, True, True)})
    nowhere = Places(None, None, None)
    add_whole(sheet, "candidate", Where(nowhere, POINTED, ""), HUNKS)
    whole = sheet.arms()["whole"]
    assert isinstance(whole.location_hit, Figure)
    assert isinstance(whole.same_issue, Figure)
    assert (whole.location_hit.value, whole.same_issue.value) == (0.5, 0.25)
    silent = Sheet(written=sheet.written, same=sheet.same)
    add_whole(silent, "candidate", Where(nowhere, None, "abstains"), HUNKS)
    assert "whole" not in silent.arms()
    assert "not measured: whole" in silent.notes[0]


def test_a_snapshot_of_comments_alone_has_no_line_to_fit_the_baseline_on(tmp_path: Path) -> None:
    """The hunks of a control's training part are left out; the adapter brings the Locator it was proven with."""
    folder = tmp_path / "snapshot"
    write_snapshot(folder, train_pulls=12, heldout_pulls=4)
    whole = load_snapshot(folder)
    locator = fit_locator(whole.hunks("train"), alarms=0.05)
    assert not locator.abstains
    assert measure_where(whole, locator, baseline=True).tfidf is not None
    rows = list(whole.comments("train"))
    comments = ensure_snapshot(tmp_path / "comments", whole, rows, "shuffled")
    where = measure_where(comments, locator, baseline=True)
    assert where.ranking is not None
    assert where.tfidf is None
    assert "not measured: tfidf" in where.note
