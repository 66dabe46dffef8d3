"""Where, by the order of lines: figures held against scikit-learn's, intervals by pull request."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from training.evaluation.places import measure_places
from training.evaluation.ranking import compare_rankings, measure_ranking, pick_top
from training.scores.lines import Lines


def _lines(labels: list[int], pulls: list[int]) -> Lines:
    return Lines(sites=(), labels=np.array(labels), pulls=np.array(pulls), hunks=np.arange(len(labels)))


@pytest.fixture(scope="module")
def many() -> Lines:
    draw = np.random.default_rng(3)
    return _lines([int(label) for label in draw.random(400) < 0.1], [int(pull) for pull in draw.integers(0, 16, 400)])


def _calibration_error(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean distance of what was promised from what came, over ten bins of equally many lines by score."""
    bins = np.array_split(np.argsort(scores, kind="stable"), 10)
    return sum(abs(float((scores[part] - labels[part]).sum())) for part in bins) / len(scores)


def test_the_figures_are_those_of_the_definitions(many: Lines) -> None:
    scores = np.round(np.random.default_rng(4).random(400), 1)  # with ties
    ranking = measure_ranking(many, scores)
    top = np.concatenate(pick_top(many, scores))
    assert ranking.line_auc is not None
    assert ranking.top_precision is not None
    assert ranking.top_recall is not None
    assert ranking.calibration is not None
    assert ranking.line_auc.value == pytest.approx(roc_auc_score(many.labels, scores))
    assert ranking.top_precision.value == pytest.approx(many.labels[top].mean())
    assert ranking.top_recall.value == pytest.approx(many.labels[top].sum() / many.labels.sum())
    assert ranking.calibration.value == pytest.approx(_calibration_error(scores, many.labels))
    assert all(figure.n == 16 and figure.low < figure.value < figure.high for figure in vars(ranking).values())


def test_the_top_is_five_of_each_pull_request_and_ties_keep_reading_order() -> None:
    lines = _lines([0] * 9, [0] * 7 + [1] * 2)
    top = pick_top(lines, np.array([0.5, 0.5, 0.9, 0.5, 0.5, 0.5, 0.1, 0.2, 0.3]))
    assert [list(part) for part in top] == [[2, 0, 1, 3, 4], [8, 7]]


def test_intervals_resample_pull_requests_not_lines() -> None:
    """The same line a hundred times in one pull request is one witness: the interval must not shrink."""
    labels, pulls = [1, 0, 0, 1, 1, 0], [0, 0, 1, 1, 2, 2]
    scores = np.array([0.9, 0.1, 0.8, 0.2, 0.7, 0.6])
    once = measure_ranking(_lines(labels, pulls), scores).line_auc
    often = measure_ranking(_lines(labels * 100, pulls * 100), np.tile(scores, 100)).line_auc
    assert once is not None
    assert often is not None
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))


def test_a_better_order_wins_outside_the_interval_and_an_equal_one_is_no_better(many: Lines) -> None:
    noise = np.random.default_rng(5).random(400)
    knowing = 0.5 * noise + 0.5 * many.labels
    better, same = compare_rankings(many, knowing, noise), compare_rankings(many, noise, noise)
    assert better.line_auc is not None
    assert same.line_auc is not None
    assert better.line_auc.low > 0.2
    assert (same.line_auc.value, same.line_auc.low, same.line_auc.high) == (0.0, 0.0, 0.0)


def test_promises_that_come_true_are_calibrated() -> None:
    labels = np.array([1] * 20 + [0] * 80)
    lines = _lines(list(labels[np.random.default_rng(6).permutation(100)]), [0] * 100)
    honest, boastful = (measure_ranking(lines, np.full(100, said)).calibration for said in (0.2, 0.9))
    assert honest is not None
    assert boastful is not None
    assert honest.value == pytest.approx(0.0, abs=0.2)
    assert boastful.value == pytest.approx(0.7)


def test_nothing_to_rank_is_none_and_never_zero() -> None:
    lines, scores = _lines([0, 0], [0, 1]), np.array([0.1, 0.9])
    ranking, places = measure_ranking(lines, scores), measure_places(lines, scores, 0.5)
    assert ranking.line_auc is None
    assert ranking.calibration is None
    assert places.hit is None
    assert places.alarm is not None
    assert places.alarm.value == 0.5
