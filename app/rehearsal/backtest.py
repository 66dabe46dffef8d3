"""What it would have said beside what people said: the figures of a rehearsal that goes on to reviews. Pure.

A finding is *met* when a person commented on the same file within three lines, on the very commit that was reviewed;
what people said on later commits is counted apart, for it was not there to be found. Whether a comment was worth it is
asked of git, of both sides alike: did the line change between the reviewed commit and the pull request's head?
"""

from collections.abc import Iterable, Sequence
from statistics import median

from app.domain.base import Record
from app.domain.evals import Figure
from app.domain.examples import Evidence
from app.domain.intervals import wilson_interval
from app.harvest.evidence import NEAR

_CHANGED = frozenset({Evidence.LINE, Evidence.NEAR})
_KNOWN = _CHANGED | {Evidence.FILE, Evidence.UNCHANGED}


class Remark(Record):
    """One comment on a new-side line, of a person or of ours; `evidence` is what git says became of the line."""

    path: str
    line: int
    body: str
    author: str
    evidence: Evidence = Evidence.UNKNOWN

    def is_near(self, other: "Remark") -> bool:
        return self.path == other.path and abs(self.line - other.line) <= NEAR


class Pair(Record):
    """What stands at one place: ours, people's, or both."""

    pull_request: int
    ours: Remark | None
    theirs: tuple[Remark, ...]


class PullBacktest(Record):
    """One pull request as it was reviewed. `later`: comments of people on other commits than that one. `placed`: ours
    that stand on a line which git itself shows in the diff."""

    pull_request: int
    title: str
    commit_sha: str
    state: str
    ours: tuple[Remark, ...]
    theirs: tuple[Remark, ...]
    later: int = 0
    placed: int = 0


class Backtest(Record):
    """Shares with 95 % intervals; None where there is nothing to measure."""

    pull_requests: int
    reviewed: int
    silent: int
    findings: int
    placed: int
    median_findings: float
    remarks: int
    later_remarks: int
    precision: Figure | None
    recall: Figure | None
    ours_changed: Figure | None
    theirs_changed: Figure | None


def measure_backtest(pulls: Sequence[PullBacktest]) -> Backtest:
    """Over the pull requests that were reviewed; one that was skipped or failed says nothing about the reviewer."""
    reviewed = [pull for pull in pulls if pull.state in ("posted", "silent")]
    ours = [(pull, remark) for pull in reviewed for remark in pull.ours]
    theirs = [(pull, remark) for pull in reviewed for remark in pull.theirs]
    met = sum(any(remark.is_near(other) for other in pull.theirs) for pull, remark in ours)
    found = sum(any(remark.is_near(other) for other in pull.ours) for pull, remark in theirs)
    return Backtest(
        pull_requests=len(pulls),
        reviewed=len(reviewed),
        silent=sum(not pull.ours for pull in reviewed),
        findings=len(ours),
        placed=sum(pull.placed for pull in reviewed),
        median_findings=median([len(pull.ours) for pull in reviewed] or [0]),
        remarks=len(theirs),
        later_remarks=sum(pull.later for pull in reviewed),
        precision=wilson_interval(met, len(ours)),
        recall=wilson_interval(found, len(theirs)),
        ours_changed=_changed(remark for _, remark in ours),
        theirs_changed=_changed(remark for _, remark in theirs),
    )


def pair_remarks(pull: PullBacktest) -> tuple[Pair, ...]:
    """Side by side, in the order of the diff: each of ours with what people said there, then theirs that we missed."""
    number, left = pull.pull_request, list(pull.theirs)
    pairs = []
    for remark in sorted(pull.ours, key=lambda one: (one.path, one.line)):
        near = tuple(other for other in left if remark.is_near(other))
        left = [other for other in left if other not in near]
        pairs.append(Pair(pull_request=number, ours=remark, theirs=near))
    missed = [Pair(pull_request=number, ours=None, theirs=(other,)) for other in left]
    return (*pairs, *missed)


def spell_share(figure: Figure | None) -> str:
    """For people: a share is never said without its interval and its count."""
    if figure is None:
        return "nothing to measure"
    return f"{figure.value:.0%} ({figure.low:.0%} to {figure.high:.0%}, n = {figure.n})"


def _changed(remarks: Iterable[Remark]) -> Figure | None:
    """The share whose line, or one within three, changed by the head, of those that git can tell."""
    known = [remark for remark in remarks if remark.evidence in _KNOWN]
    return wilson_interval(sum(remark.evidence in _CHANGED for remark in known), len(known))
