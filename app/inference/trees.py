"""Scores lines by their shape with the trees that training writes (described in `training/scores/trees.py`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.shapes import SHAPE_NAMES

_ARRAYS = ("roots", "feature", "cut", "left", "right", "value")


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees, one row each; a leaf is its own child."""

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    cut: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float64]

    def decide(self, shapes: Sequence[str]) -> NDArray[np.float64]:
        """What the shapes add to the decision, one number each."""
        numbers = np.array(" ".join(shapes).split(), dtype=np.float64).reshape(len(shapes), len(SHAPE_NAMES))
        rows = np.arange(len(numbers))[:, None]
        at = np.broadcast_to(self.roots, (len(numbers), len(self.roots)))
        while True:
            below = np.where(numbers[rows, self.feature[at]] <= self.cut[at], self.left[at], self.right[at])
            if (below == at).all():
                return np.asarray(self.value[at].sum(axis=1))
            at = below


def read_trees(document: Mapping[str, Any]) -> Trees:
    """Arrays of one length whose children stand behind their parents, so that every walk ends.

    Raises:
        ValueError: when they are none.
    """
    trees = Trees(**{name: np.asarray(document[name]) for name in _ARRAYS})
    own = np.arange(len(trees.value))
    children = np.stack([trees.left, trees.right])
    walkable = (children == own).all(axis=0) | (children > own).all(axis=0)
    known = (trees.feature >= 0) & (trees.feature < len(SHAPE_NAMES))
    if not (walkable.all() and known.all() and (children < len(own)).all() and (trees.roots < len(own)).all()):
        raise ValueError("its trees lead nowhere")
    return trees
