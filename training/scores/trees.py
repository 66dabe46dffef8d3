"""Small boosted trees over the shapes of lines: what term weights cannot say, such as "long, and first of its run".

Fitted with scikit-learn, kept as plain arrays. One row per node of all trees together:

    roots                 the first node of each tree
    feature, cut          go to `left` if the line's number in this column is at most `cut`, else to `right`
    left, right           node numbers; a leaf points to itself
    value                 what a leaf adds to the decision; 0 elsewhere
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from app.domain.shapes import SHAPE_NAMES

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
ARRAYS = ("roots", "feature", "cut", "left", "right", "value")
#: Chosen on checkstyle's and the first 80 % of cactoos' pull requests; eight leaves and more rank no better there.
_TREES = 60
_LEAVES = 4
_RATE = 0.1
_LINES_PER_LEAF = 40
_RIDGE = 5.0


@dataclass(frozen=True)
class Trees:
    """Arrays as described above."""

    roots: Integers
    feature: Integers
    cut: Floats
    left: Integers
    right: Integers
    value: Floats

    def decide(self, numbers: Floats) -> Floats:
        """The sum of the leaves each row falls into; `numbers` is rows by SHAPE_NAMES."""
        rows = np.arange(len(numbers))[:, None]
        at = np.broadcast_to(self.roots, (len(numbers), len(self.roots)))
        while True:
            below = np.where(numbers[rows, self.feature[at]] <= self.cut[at], self.left[at], self.right[at])
            if (below == at).all():
                return np.asarray(self.value[at].sum(axis=1))
            at = below

    def scale(self, factor: float) -> "Trees":
        return replace(self, value=self.value * factor)

    def document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ARRAYS}


def read_trees(document: dict[str, Any]) -> Trees:
    return Trees(**{name: document[name] for name in ARRAYS})


def read_numbers(shapes: Sequence[str]) -> Floats:
    """The sites' `shape` texts as rows of numbers."""
    return np.array(" ".join(shapes).split(), dtype=np.float64).reshape(len(shapes), len(SHAPE_NAMES))


def fit_trees(numbers: Floats, labels: Integers) -> Trees:
    """Shallow trees, in one thread: their threads would wait for each other on a busy machine."""
    boosting = HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_leaf_nodes=_LEAVES,
        learning_rate=_RATE,
        min_samples_leaf=_LINES_PER_LEAF,
        l2_regularization=_RIDGE,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(limits=1):
        boosting.fit(numbers, labels)
    return flatten_trees(boosting)


def flatten_trees(boosting: HistGradientBoostingClassifier) -> Trees:
    """scikit-learn's trees as arrays. It offers no public view of them; a test holds that both decide alike."""
    nodes = [stage[0].nodes for stage in boosting._predictors]
    roots = np.cumsum([0, *(len(tree) for tree in nodes[:-1])])
    own = [np.arange(len(tree)) for tree in nodes]
    leaf = np.concatenate([tree["is_leaf"] for tree in nodes]).astype(bool)
    parts = zip(nodes, own, roots, strict=True)
    children = [
        [np.where(tree["is_leaf"], numbers, tree[side]) + root for side in ("left", "right")]
        for tree, numbers, root in parts
    ]
    return Trees(
        roots=roots.astype(np.int64),
        feature=np.where(leaf, 0, np.concatenate([tree["feature_idx"] for tree in nodes])).astype(np.int64),
        cut=np.where(leaf, 0.0, np.concatenate([tree["num_threshold"] for tree in nodes])).astype(np.float64),
        left=np.concatenate([pair[0] for pair in children]).astype(np.int64),
        right=np.concatenate([pair[1] for pair in children]).astype(np.int64),
        value=np.where(leaf, np.concatenate([tree["value"] for tree in nodes]), 0.0).astype(np.float64),
    )
