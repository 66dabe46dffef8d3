"""Trees kept as arrays decide as scikit-learn's own do, in both programs."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from app.domain.diff import parse_patch
from app.domain.lines import render_sites
from app.domain.shapes import SHAPE_NAMES
from app.inference.trees import read_trees as read_served
from training.scores.trees import fit_trees, flatten_trees, read_numbers, read_trees


@pytest.fixture(scope="module")
def numbers() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 50, (600, len(SHAPE_NAMES))).astype(np.float64)


def test_the_arrays_decide_as_the_library_does(numbers: np.ndarray) -> None:
    labels = ((numbers[:, 0] > 25) & (numbers[:, 5] > 10)).astype(np.int64)
    boosting = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=6, early_stopping=False).fit(numbers, labels)
    difference = boosting.decision_function(numbers) - flatten_trees(boosting).decide(numbers)
    assert np.ptp(difference) < 1e-9  # the library adds a constant, which calibration makes good
    assert np.ptp(boosting.decision_function(numbers)) > 1


def test_both_programs_decide_alike(numbers: np.ndarray) -> None:
    trees = fit_trees(numbers, (numbers[:, 3] > 30).astype(np.int64))
    shapes = [" ".join(str(int(number)) for number in row) for row in numbers]
    expected = trees.decide(numbers)
    assert (read_numbers(shapes) == numbers).all()
    assert read_trees(trees.document()).decide(numbers) == pytest.approx(expected)
    assert read_served(trees.document()).decide(shapes) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "value"), [("left", 0), ("right", 10_000), ("feature", len(SHAPE_NAMES)), ("feature", -1)]
)
def test_trees_that_lead_nowhere_are_refused(numbers: np.ndarray, name: str, value: int) -> None:
    """A child before its parent would be walked for ever."""
    document = fit_trees(numbers, (numbers[:, 3] > 30).astype(np.int64)).document()
    document[name] = document[name].copy()
    document[name][1] = value
    with pytest.raises(ValueError, match="lead nowhere"):
        read_served(document)


def test_one_kind_of_number_for_each_name_and_line() -> None:
    hunk = parse_patch("src/a.py", "@@ -1,2 +1,4 @@\n-old = 1\n+def put(order):\n+\n+    return old\n rest()\n").hunks[
        0
    ]
    numbers = read_numbers([site.shape for site in render_sites("src/a.py", hunk)])
    first, last = (dict(zip(SHAPE_NAMES, row, strict=True)) for row in numbers)
    assert (first["run"], first["run_above"], first["run_below"], first["replaced"]) == (3, 0, 2, 1)
    assert (last["run_above"], last["indentation"], last["blank_above"]) == (2, 4, 1)
    assert (first["role"], last["role"], last["known_removed"]) == (6, 5, 50)
    assert (first["opens"], first["number"], first["folders"], first["test"]) == (1, 1, 1, 0)
