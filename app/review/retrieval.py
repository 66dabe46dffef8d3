"""The one ranking by likeness: of past reviews for `why` and for the base's question, of documentation for it. Pure.

Lexical: cosine of TF-IDF vectors over names and the parts of names, of the asked code with a piece's code and words
and, where words are asked, of those with its words. Dense: cosine of the asked text with the piece's words. Each is put
on the scale of its own spread over all pieces (z-score), and the two are added: figures in docs/adr/0023.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

Floats = NDArray[np.float64]
#: Rows of length 1, or 0 for a text without words.
Vectors = NDArray[np.float32]

#: Characters of a text that are read: enough for sixty lines of code, whatever a stranger's file holds.
_READ_CHARACTERS = 10_000
_NAME = re.compile(r"[A-Za-z_]\w{1,79}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Piece(NamedTuple):
    """What can be found."""

    code: str
    words: str


class Asked(NamedTuple):
    """What is looked for. `words` may be empty: then the code alone asks."""

    code: str
    words: str = ""

    @property
    def text(self) -> str:
        """What the dense half reads."""
        return self.words or self.code


class Ranked(NamedTuple):
    """`score` orders and means nothing by itself; `similarity`, in 0..1, is the mean of the cosines behind it."""

    at: int
    score: float
    similarity: float


def split_names(text: str) -> list[str]:
    """Names in lower case, each followed by its parts when it has several: `maxSize` is maxsize, max and size."""
    return [word for name in _NAME.findall(text[:_READ_CHARACTERS]) for word in _split(name)]


@lru_cache(maxsize=65_536)  # a repository says the same few thousand names over and over
def _split(name: str) -> tuple[str, ...]:
    parts = _PART.findall(name)
    return (name.lower(), *(part.lower() for part in parts if len(parts) > 1))


class Index:
    """Pieces made ready for several questions. `vectors`: one row for each piece's words; None for lexical only."""

    def __init__(self, pieces: Sequence[Piece], vectors: Vectors | None = None) -> None:
        self._all = _Texts([f"{piece.code}\n{piece.words}" for piece in pieces])
        self._words = _Texts([piece.words for piece in pieces])
        self._vectors = vectors
        self._count = len(pieces)

    def rank(self, asked: Asked, vector: Vectors | None = None) -> list[Ranked]:
        """Every piece, the likeliest first. `vector` is that of `asked.text`, None for lexical only."""
        if not self._count:
            return []
        lexical = [self._all.cosines(asked.code), *([self._words.cosines(asked.words)] if asked.words else [])]
        cosines, score = lexical, _standardise(np.mean(lexical, axis=0))
        if vector is not None and self._vectors is not None:
            dense = np.asarray(self._vectors @ vector, dtype=np.float64)
            cosines, score = [*lexical, dense], score + _standardise(dense)
        similarity = np.clip(np.mean(cosines, axis=0), 0.0, 1.0)
        order = np.argsort(-score, kind="stable")
        return [Ranked(int(at), float(score[at]), float(similarity[at])) for at in order]


class _Texts:
    """TF-IDF of texts, fitted when it is first asked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._vectoriser = TfidfVectorizer(analyzer=split_names, sublinear_tf=True)
        self._matrix = None

    def cosines(self, asked: str) -> Floats:
        """With each of the texts, in their order; 0 where nothing has a name."""
        if self._matrix is None:
            try:
                self._matrix = self._vectoriser.fit_transform(self._texts)
            except ValueError:  # not one name in all of them
                return np.zeros(len(self._texts))
        found: Floats = (self._matrix @ self._vectoriser.transform([asked]).T).toarray().ravel()
        return found


def _standardise(values: Floats) -> Floats:
    spread = float(values.std())
    return np.zeros_like(values) if spread < 1e-9 else (values - values.mean()) / spread
