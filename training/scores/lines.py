"""The judged lines of a snapshot part, as the Locator learns from them and is measured on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.lines import LineSite, render_pairs, render_sites
from app.domain.snapshots import HunkRow


@dataclass(frozen=True)
class Lines:
    """Every judged line of a snapshot part: its site, its label, its pull request and its hunk (index)."""

    sites: tuple[LineSite, ...]
    labels: NDArray[np.int64]
    pulls: NDArray[np.int64]
    hunks: NDArray[np.int64]
    #: hunks with a comment that is neither a yes nor a no: nobody acted on it, or it was no lesson
    doubtful: frozenset[int] = frozenset()

    @property
    def clean_hunks(self) -> NDArray[np.int64]:
        """Hunks in which no line was commented on by anyone, of whatever worth."""
        spoken = set(self.hunks[self.labels == 1])
        return np.array(sorted(set(self.hunks) - spoken - self.doubtful), dtype=np.int64)


def judge_lines(rows: Sequence[HunkRow]) -> Lines:
    """The labelled lines of the rows; a line that is neither a yes nor a no is left out."""
    sites: list[LineSite] = []
    labels, pulls, hunks = [], [], []
    doubtful: set[int] = set()
    numbers: dict[tuple[str, int], int] = {}
    for index, row in enumerate(rows):
        pull = numbers.setdefault((row.repository, row.pull_request), len(numbers))
        said = {line.new: label for line, label in zip(row.hunk.lines, row.labels, strict=True) if line.kind == "added"}
        for site in render_sites(row.path, row.hunk):
            label = said[site.line]
            if label is None:
                doubtful.add(index)
            else:
                sites.append(site)
                labels.append(label)
                pulls.append(pull)
                hunks.append(index)
    return Lines(tuple(sites), _integers(labels), _integers(pulls), _integers(hunks), frozenset(doubtful))


def read_texts(sites: Sequence[LineSite]) -> dict[str, list[str]]:
    """The blocks' texts by field, as `app/inference/locator.py` reads them too."""
    fields = ("text", "previous", "above", "below", "enclosing", "path", "shape")
    texts = {name: [getattr(site, name) for site in sites] for name in fields}
    return texts | {"pairs": [render_pairs(site) for site in sites]}


def _integers(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)
