"""The AcceptanceFilter holds back what the team never acts on, and passes everything when it cannot know."""

from pathlib import Path

import numpy as np
import pytest

from app.domain.evals import AcceptanceRecord
from app.domain.intervals import wilson_interval
from tests.training_data import write_snapshot
from training.evaluation.whether import measure_whether
from training.rows.snapshot import Snapshot, load_snapshot
from training.scores.acceptance import choose_threshold, fit_acceptance, read_texts


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder: Path = tmp_path_factory.mktemp("acceptance") / "snapshot"
    write_snapshot(folder)
    return load_snapshot(folder)


def test_ignored_comments_are_held_back_at_no_cost(snapshot: Snapshot) -> None:
    fitted = fit_acceptance(snapshot.outcomes("train"), precision=0.8)
    heldout = snapshot.outcomes("heldout")
    texts = read_texts([row.line_text for row in heldout], [row.body for row in heldout])
    passes = fitted.score(texts, len(heldout)) >= fitted.threshold
    accepted = np.array([row.accepted for row in heldout])
    assert passes[accepted].all()
    assert not passes[~accepted].any()


def test_what_passes_of_the_held_out_comments_is_measured(snapshot: Snapshot) -> None:
    fitted, heldout = fit_acceptance(snapshot.outcomes("train"), precision=0.8), snapshot.outcomes("heldout")
    record = measure_whether(heldout, fitted)
    accepted = sum(row.accepted for row in heldout)
    assert record.kept == wilson_interval(accepted, accepted)
    assert record.precision == wilson_interval(accepted, accepted)
    assert record.base_rate == wilson_interval(accepted, len(heldout))
    assert measure_whether([], fitted) == AcceptanceRecord(kept=None, precision=None, base_rate=None)


def test_too_few_rejected_outcomes_pass_everything_and_say_so(snapshot: Snapshot) -> None:
    rows = [row for row in snapshot.outcomes("train") if row.accepted]
    fitted = fit_acceptance(rows, precision=0.8)
    assert fitted.abstains
    assert "at least 8" in fitted.about["reason"]
    assert fitted.score(read_texts(["x"], ["anything"]), 1)[0] >= fitted.threshold


def test_a_target_out_of_reach_keeps_half_of_the_good_comments() -> None:
    labels = np.array([1, 0] * 20)
    threshold, reached = choose_threshold(np.linspace(0, 1, 40), labels, 0.99)
    assert labels[np.linspace(0, 1, 40) >= threshold].sum() >= 10
    assert 0.5 <= reached < 0.99
