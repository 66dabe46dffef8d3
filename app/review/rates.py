"""How people take the reviews, in rates by adapter version. Pure.

Rates are shares of Findings with 95 % Wilson intervals. Findings of one pull request are taken as independent, which
makes the intervals somewhat too narrow where a review says much. Of which Findings: `addressed`, `dismissed` and
`false_alarms` of those whose Verdict is known. `missed` counts people's comments on lines where a review was silent.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median
from typing import NamedTuple

from app.domain.base import Record
from app.domain.evals import Figure
from app.domain.intervals import newcombe_interval, wilson_interval
from app.domain.verdicts import Feedback, Verdict

Pull = tuple[str, int]
#: Lines within which a comment of people and one of ours are about the same place.
_SAME_PLACE = 3


class Reviewed(NamedTuple):
    """A review that was posted, silent or held back. `asked_at`: when its webhook came."""

    adapter: str
    pull: Pull
    state: str
    created_at: datetime
    asked_at: datetime | None
    finished_at: datetime | None


class Judged(NamedTuple):
    """A Finding, posted or held back, and what became of it."""

    adapter: str
    pull: Pull
    path: str
    line: int
    held_back: bool
    verdict: Verdict
    signs: Feedback


class Said(NamedTuple):
    """A person's comment that became an Example."""

    pull: Pull
    path: str
    line: int


class Comparison(Record):
    """How often the very line changed by the merge, where the Finding was posted and where it was held back.

    `difference` is posted minus held back: what posting changed, with Newcombe's interval. None where an arm is empty.
    """

    posted: Figure | None
    held_back: Figure | None
    difference: Figure | None


class AdapterRates(Record):
    """`comments_per_pull` is a mean over pull requests with a review that was not held back; times are medians, in
    seconds from the webhook to the finished review, over `timed` reviews. None means nothing to measure, never zero.
    """

    adapter: str
    pulls: int
    comments: int
    held_back_pulls: int
    undecided: int
    addressed: Figure | None
    dismissed: Figure | None
    ignored: Figure | None
    false_alarms: Figure | None
    comments_per_pull: float | None
    missed: int
    seconds_to_review: float | None
    timed: int
    holdback: Comparison


def measure_adapters(
    reviews: Sequence[Reviewed], judged: Sequence[Judged], said: Sequence[Said]
) -> tuple[AdapterRates, ...]:
    """One for each adapter that reviewed, the newest first. A pull request's misses are its last adapter's."""
    last = {review.pull: review.adapter for review in sorted(reviews, key=lambda one: one.created_at)}
    newest: dict[str, datetime] = {}
    for review in reviews:
        newest[review.adapter] = max(review.created_at, newest.get(review.adapter, review.created_at))
    spoken: dict[tuple[Pull, str], list[int]] = {}
    for one in judged:
        spoken.setdefault((one.pull, one.path), []).append(one.line)
    missed = [one for one in said if not _is_near(one, spoken)]
    return tuple(
        _measure(
            adapter,
            [review for review in reviews if review.adapter == adapter],
            [one for one in judged if one.adapter == adapter],
            sum(last.get(one.pull) == adapter for one in missed),
        )
        for adapter in sorted(newest, key=lambda name: (newest[name], name), reverse=True)
    )


def _is_near(one: Said, spoken: dict[tuple[Pull, str], list[int]]) -> bool:
    return any(abs(line - one.line) <= _SAME_PLACE for line in spoken.get((one.pull, one.path), ()))


def _measure(adapter: str, reviews: Sequence[Reviewed], judged: Sequence[Judged], missed: int) -> AdapterRates:
    posted = [one for one in judged if not one.held_back]
    decided = [one for one in posted if one.verdict is not Verdict.UNKNOWN]
    pulls = {review.pull for review in reviews if review.state != "held_back"}
    seconds = list(_seconds(reviews))

    def share(verdict: Verdict) -> Figure | None:
        return wilson_interval(sum(one.verdict is verdict for one in decided), len(decided))

    return AdapterRates(
        adapter=adapter,
        pulls=len(pulls),
        comments=len(posted),
        held_back_pulls=len({review.pull for review in reviews} - pulls),
        undecided=len(posted) - len(decided),
        addressed=share(Verdict.ADDRESSED),
        dismissed=share(Verdict.DISMISSED),
        ignored=share(Verdict.IGNORED),
        false_alarms=wilson_interval(sum(one.signs.is_false_alarm for one in decided), len(decided)),
        comments_per_pull=len(posted) / len(pulls) if pulls else None,
        missed=missed,
        seconds_to_review=median(seconds) if seconds else None,
        timed=len(seconds),
        holdback=_compare(judged),
    )


def _seconds(reviews: Iterable[Reviewed]) -> Iterable[float]:
    for review in reviews:
        if review.asked_at is not None and review.finished_at is not None:
            yield (review.finished_at - review.asked_at).total_seconds()


def _compare(judged: Sequence[Judged]) -> Comparison:
    """Merged pull requests only: both arms have had the same time, and the same reason to change."""
    merged = [one for one in judged if one.signs.state == "merged" and one.signs.is_changed is not None]
    arms = [[one.signs.is_changed for one in merged if one.held_back is held] for held in (False, True)]
    posted, held_back = (wilson_interval(sum(map(bool, arm)), len(arm)) for arm in arms)
    return Comparison(posted=posted, held_back=held_back, difference=newcombe_interval(posted, held_back))
