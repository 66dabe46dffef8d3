"""Reads the scores that training writes ("scores/1" and "scores/2" of `training/scores/text_scores.py`).

The file may hold plain data only: nothing in it is executed, an unknown type is refused before it is read.

skops and scikit-learn are imported with the first score that is read: they bring torch along, and a service that starts
would wait for it three quarters of its start.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from app.domain.errors import Refused, UserError
from app.inference.trees import Trees, read_trees

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

#: The second adds trees; a reader of the first must not pass over them.
SCHEMAS = ("scores/1", "scores/2")
_PATTERNS = {"names": r"[A-Za-z_]\w*|[^\w\s]", "words": r"\S+"}


@dataclass(frozen=True)
class _Block:
    field: str
    vectoriser: "TfidfVectorizer"
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class TextScores:
    """A linear score over blocks of text, and trees over shapes where there are any.

    `about` says what it was fitted on, and why it abstains if it does.
    """

    threshold: float
    abstains: bool
    about: dict[str, Any]
    _blocks: tuple[_Block, ...]
    _intercept: float
    _slope: float
    _offset: float
    _trees: Trees | None = None

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(block.field for block in self._blocks) | ({"shape"} if self._trees is not None else set())

    def score(self, texts: Mapping[str, Sequence[str]], count: int) -> list[float]:
        """Probabilities in 0..1 for `count` things; `texts` holds a text of each for every field in `fields`."""
        from scipy.special import expit

        decisions = np.full(count, self._intercept)
        for block in self._blocks:
            decisions = decisions + block.vectoriser.transform(texts[block.field]) @ block.weights
        if self._trees is not None and count:
            decisions = decisions + self._trees.decide(texts["shape"])
        return [float(value) for value in expit(self._slope * decisions + self._offset)]


@dataclass(frozen=True)
class Scorer:
    """What asks a score about things of its own kind."""

    scores: TextScores

    @property
    def threshold(self) -> float:
        return self.scores.threshold

    @property
    def abstains(self) -> bool:
        return self.scores.abstains


def load_text_scores(path: Path, kind: str) -> TextScores:
    """Read `locator.skops` (kind locator) or `filter.skops` (kind filter).

    Raises:
        Refused: when the file holds a type that is not plain data.
        UserError: when it is absent, damaged, or of another kind or schema.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    if not path.is_file():
        raise UserError(f"expected a {kind} at {path}, found no such file")
    try:
        document = skops.io.load(path, trusted=[])
    except UntrustedTypesFoundException as error:
        raise Refused("untrusted_type", f"{path} holds more than plain data and is not loaded: {error}") from error
    except (BadZipFile, KeyError, ValueError) as error:
        raise UserError(f"{path} is damaged and no {kind}: {error}") from error
    if not isinstance(document, dict) or document.get("schema") not in SCHEMAS or document.get("kind") != kind:
        raise UserError(f"{path} is no {kind} of schema {SCHEMAS[-1]} or older; train it again with this version")
    try:
        return _read_scores(document)
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} is damaged and no {kind}: {error}") from error


def _read_scores(document: dict[str, Any]) -> TextScores:
    return TextScores(
        threshold=float(document["threshold"]),
        abstains=bool(document["abstains"]),
        about=json.loads(document["about"]),
        _blocks=tuple(_read_block(item) for item in document["blocks"]),
        _intercept=float(document["intercept"]),
        _slope=float(document["slope"]),
        _offset=float(document["offset"]),
        _trees=read_trees(document["trees"]) if document["schema"] == SCHEMAS[1] else None,
    )


def _read_block(document: dict[str, Any]) -> _Block:
    from sklearn.feature_extraction.text import TfidfVectorizer

    pattern = _PATTERNS.get(document["analyzer"])
    cut = {"analyzer": "char"} if pattern is None else {"token_pattern": pattern}
    vectoriser = TfidfVectorizer(
        ngram_range=(document["shortest"], document["longest"]),
        lowercase=False,
        sublinear_tf=True,
        vocabulary=json.loads(document["terms"]),
        **cut,
    )
    vectoriser.idf_ = document["idf"]
    return _Block(document["field"], vectoriser, document["weights"])
