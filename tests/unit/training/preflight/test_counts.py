"""What the advice rests on is counted from the rows themselves."""

from pathlib import Path

from tests.training_data import write_snapshot
from training.preflight.flight import count_rows
from training.rows.snapshot import load_snapshot


def test_rows_voices_repeats_and_contradictions_are_counted(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshot", train_pulls=5, heldout_pulls=2)
    snapshot = load_snapshot(tmp_path / "snapshot")
    train, heldout = snapshot.comments("train"), snapshot.comments("heldout")
    alone = [row.model_copy(update={"reviewer": "ada"}) for row in train]
    other = alone[0].model_copy(update={"completion": alone[-1].completion, "example": "ex1:other"})
    counts = count_rows([*alone, other], heldout)
    assert (counts.examples, counts.heldout) == (29, 8)
    assert (counts.top_reviewer, counts.top_reviewer_share) == ("ada", 1.0)
    assert counts.contradictions == count_rows(alone, heldout).contradictions + 1
    assert counts.repeated == count_rows(alone, heldout).repeated + 1
