"""The baseline learns what is written on a line, and gives probabilities for lines it never saw."""

from pathlib import Path

from tests.training_data import write_snapshot
from training.evaluation.ranking import measure_ranking
from training.rows.snapshot import load_snapshot
from training.scores.baseline import score_tfidf
from training.scores.lines import judge_lines


def test_it_ranks_commented_lines_of_unseen_pull_requests_above_others(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshot", train_pulls=12, heldout_pulls=4)
    snapshot = load_snapshot(tmp_path / "snapshot")
    asked = judge_lines(snapshot.hunks("heldout"))
    scores = score_tfidf(judge_lines(snapshot.hunks("train")), asked)
    ranking = measure_ranking(asked, scores)
    assert ranking.line_auc is not None
    assert ranking.line_auc.value > 0.8
    assert ((scores > 0) & (scores < 1)).all()
    assert scores[asked.labels == 1].mean() > scores[asked.labels == 0].mean()
