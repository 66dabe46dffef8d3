"""What was said on pull requests over all their heads, held against git and against itself."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from app.domain.base import Record
from app.domain.evals import Figure
from app.domain.intervals import wilson_interval
from app.rehearsal.playback import Mirror
from app.rehearsal.standin import StandIn
from tests.benchmarks.reviews.pushing import Branch

_MARK = "Addressed or overtaken as of `"


class SaidComment(Record):
    """A comment of ours. `text` is the line as it stood at the reviewed head; `placed`: git shows that line in the
    diff, `on_added`: as one that the pull request adds; `stands`: the last head still adds a line of those words."""

    path: str
    line: int
    text: str
    body: str
    head: str
    placed: bool
    on_added: bool
    marked: bool
    stands: bool


class Followed(Record):
    """One pull request after its last round. `silent_at_first`: nothing was said when it was opened."""

    name: str
    is_clean: bool
    heads: int
    reviews: int
    at_first: int
    comments: tuple[SaidComment, ...]


class Figures(Record):
    pull_requests: int
    heads: int
    reviews: int
    comments: int
    placed: int
    on_added: int
    duplicates: int
    same_line: int
    median_at_first: float
    median_in_all: float
    most_in_all: int
    silent: int
    marked: int
    marked_wrongly: int
    unmarked: int
    clean: int
    clean_silent: Figure | None


def read_followed(branch: Branch, mirror: Mirror, *, is_clean: bool) -> Followed:
    standin: StandIn = branch.standin
    own = standin.reviews(branch.repository, branch.number, author=f"{standin.slug}[bot]")
    first = next(iter(branch.bases))
    said = tuple(_read(branch, mirror, review["commit_id"], one) for review in own for one in review["comments"])
    return Followed(
        name=f"{branch.repository}#{branch.number}",
        is_clean=is_clean,
        heads=len(branch.bases),
        reviews=len(own),
        at_first=sum(one.head == first for one in said),
        comments=said,
    )


def _read(branch: Branch, mirror: Mirror, head: str, comment: dict[str, object]) -> SaidComment:
    path, line, body = str(comment["path"]), int(str(comment["original_line"])), str(comment["body"])
    shown = mirror.shown(branch.bases[head], head).get(path)
    text = line_at(branch, head, path, line)
    now = mirror.shown(branch.base, branch.head).get(path)
    return SaidComment(
        path=path,
        line=line,
        text=text,
        body=body.partition("\n\n<sub>")[0],
        head=head,
        placed=shown is not None and line in shown.shown,
        on_added=shown is not None and line in shown.added,
        marked=_MARK in body,
        stands=now is not None and _words(text) in _added_words(branch, path, now.added),
    )


def _added_words(branch: Branch, path: str, added: frozenset[int]) -> set[str]:
    lines = (branch.objects.read(branch.head, path) or "").split("\n")
    return {_words(lines[number - 1]) for number in added if number <= len(lines)}


def line_at(branch: Branch, head: str, path: str, line: int) -> str:
    """As `wc` and editors count; empty past the end."""
    lines = (branch.objects.read(head, path) or "").split("\n")
    return lines[line - 1].strip() if line <= len(lines) else ""


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().lower()


def count_figures(pulls: Sequence[Followed]) -> Figures:
    said = [one for pull in pulls for one in pull.comments]
    clean = [pull for pull in pulls if pull.is_clean]
    return Figures(
        pull_requests=len(pulls),
        heads=sum(pull.heads for pull in pulls),
        reviews=sum(pull.reviews for pull in pulls),
        comments=len(said),
        placed=sum(one.placed for one in said),
        on_added=sum(one.on_added for one in said),
        duplicates=sum(
            _count_repeated((one.path, _words(one.text), _words(one.body)) for one in pull.comments) for pull in pulls
        ),
        same_line=sum(_count_repeated((one.path, _words(one.text)) for one in pull.comments) for pull in pulls),
        median_at_first=median([pull.at_first for pull in pulls] or [0]),
        median_in_all=median([len(pull.comments) for pull in pulls] or [0]),
        most_in_all=max((len(pull.comments) for pull in pulls), default=0),
        silent=sum(not pull.at_first for pull in pulls),
        marked=sum(one.marked and not one.stands for one in said),
        marked_wrongly=sum(one.marked and one.stands for one in said),
        unmarked=sum(not one.marked and not one.stands for one in said),
        clean=len(clean),
        clean_silent=wilson_interval(sum(not pull.at_first for pull in clean), len(clean)),
    )


def _count_repeated(keys: Iterable[tuple[str, ...]]) -> int:
    """How many are there once more than needed."""
    return sum(count - 1 for count in Counter(keys).values())
