"""Past comments and later ones as questions, of real archives, and how like two comments are."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from app.domain.noise import decide_bot, decide_noise
from app.domain.references import REVIEWED_LINES
from app.review.retrieval import Piece

Matrix = NDArray[np.float64]
_NAME = re.compile(r"[A-Za-z_]\w+")
_TOKENS = r"[A-Za-z_]\w+"
#: Lines of a hunk that the base model's question shows.
_SHOWN = 60


class Comment(NamedTuple):
    """`lines`: of its hunk with their marks, the commented one last."""

    opened: str
    pull: int
    path: str
    body: str
    lines: tuple[str, ...]

    @property
    def whole(self) -> str:
        return "\n".join(line[1:] for line in self.lines[-_SHOWN:])

    @property
    def near(self) -> str:
        return "\n".join(line[1:] for line in self.lines[-REVIEWED_LINES:])

    @property
    def added(self) -> str:
        """What the base's question is looked up by."""
        found = [line[1:] for line in self.lines[-_SHOWN:] if line.startswith("+")]
        return "\n".join(found) or self.near

    @property
    def piece(self) -> Piece:
        return Piece(code=self.near, words=self.body)


class Split(NamedTuple):
    past: list[Comment]
    later: list[Comment]


def read_split(files: Sequence[Path], share: float) -> Split:
    """Comments that say something, by someone other than the author; pull requests by date, none in both parts."""
    found = sorted(comment for file in files for comment in _read(file))
    cut = int(share * len(found))
    while 0 < cut < len(found) and found[cut].pull == found[cut - 1].pull:
        cut += 1
    return Split(found[:cut], found[cut:])


def _read(file: Path) -> Iterator[Comment]:
    for row in file.read_text(encoding="utf-8").splitlines():
        record = json.loads(row)
        entries = [record] if "diff_hunk" in record else record["comments"]
        for entry in entries:
            reviewer = str(entry.get("author") or entry.get("user"))
            author = str(record.get("pr_author") or record.get("author"))
            if reviewer != author and not decide_bot(reviewer, "User") and not decide_noise(entry["body"]):
                yield _comment(record, entry)


def _comment(record: Mapping[str, Any], entry: Mapping[str, Any]) -> Comment:
    return Comment(
        opened=str(record.get("pr_created") or record["created_at"]),
        pull=int(record.get("pr") or record["number"]),
        path=str(entry["path"]),
        body=str(entry["body"]),
        lines=tuple(str(entry["diff_hunk"]).split("\n")[1:]) or ("",),
    )


def keep_half(text: str, half: int) -> str:
    """Its words of one of two halves, by a hash of each word: what is asked with one is judged by the other."""
    return _NAME.sub(lambda word: word[0] if _half(word[0]) == half else "", text)


def _half(word: str) -> int:
    return hashlib.blake2b(word.lower().encode(), digest_size=1).digest()[0] % 2


def judge(split: Split, half: int | None = None) -> Matrix:
    """How like each later comment (row) is to each past one: cosine of TF-IDF over their words, or one half of them."""
    past, later = ([c.body if half is None else keep_half(c.body, half) for c in part] for part in split)
    vectoriser = TfidfVectorizer(token_pattern=_TOKENS, sublinear_tf=True).fit([*past, *later])
    found: Matrix = (vectoriser.transform(later) @ vectoriser.transform(past).T).toarray()
    return found


def cosines(past: Sequence[str], asked: Sequence[str]) -> Matrix:
    """As `understudy why` compared before: whole names only, fitted on the past."""
    vectoriser = TfidfVectorizer(token_pattern=_TOKENS, sublinear_tf=True)
    known = vectoriser.fit_transform(past)
    found: Matrix = (vectoriser.transform(asked) @ known.T).toarray()
    return found
