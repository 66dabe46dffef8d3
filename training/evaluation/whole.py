"""Where, what and the whole: a held-out comment counts as found when the Locator points at its very line and the
adapter, asked about that line, names the same issue.

The adapter's words for that line are those it was asked for anyway, for the prompt is the same; only the pointing is
the Locator's. So the whole is never better than either part, and the difference says which part loses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.evals import Figure
from app.domain.snapshots import CommentRow, HunkRow
from training.evaluation.measures import share_figure
from training.evaluation.places import Places, measure_places
from training.evaluation.ranking import Ranking, measure_ranking, pick_top
from training.evaluation.sheet import Sheet
from training.rows.snapshot import Snapshot
from training.scores.baseline import score_tfidf
from training.scores.locator import KIND, Lines, fit_locator, judge_lines, read_texts
from training.scores.text_scores import Floats, TextScores, load_scores

#: index of a hunk among the held-out ones, line of the new file
Place = tuple[int, int]


@dataclass(frozen=True)
class Where:
    """The Locator on the held-out part. `pointed` is None when it could not be measured, and `note` says why."""

    places: Places
    pointed: frozenset[Place] | None
    note: str
    #: of the order of the lines by the Locator, and by the TF-IDF baseline that was fitted beside it
    ranking: Ranking | None = None
    tfidf: Ranking | None = None


def measure_where(snapshot: Snapshot, locator: TextScores, *, baseline: bool) -> Where:
    """What the Locator points at in held-out pull requests, and how that fits what reviewers did.

    `baseline`: rank the same lines by TF-IDF too.
    """
    if locator.abstains:
        return Where(Places(None, None, None), None, f"Locator {locator.sentence}")
    lines = judge_lines(snapshot.hunks("heldout"))
    if not lines.sites:
        return Where(Places(None, None, None), None, "no judged line is held out")
    scores = locator.score(read_texts(lines.sites), len(lines.sites))
    tfidf, note = _rank_tfidf(judge_lines(snapshot.hunks("train")), lines) if baseline else (None, "")
    return Where(
        places=measure_places(lines, scores, locator.threshold),
        pointed=select_pointed(lines, scores, locator.threshold),
        note=f"Locator: {locator.sentence}{note}",
        ranking=measure_ranking(lines, scores),
        tfidf=tfidf,
    )


def _rank_tfidf(train: Lines, asked: Lines) -> tuple[Ranking | None, str]:
    """The baseline needs lines of both kinds and of two pull requests; a snapshot of comments alone has none."""
    if len(set(train.labels)) < 2 or len(set(train.pulls)) < 2:
        return None, "; not measured: tfidf, for the snapshot's training part judges too few lines to fit it on"
    return measure_ranking(asked, score_tfidf(train, asked)), ""


def open_locator(snapshot: Snapshot, adapter: Path | None, *, alarms: float) -> TextScores:
    """The version's own; an adapter that comes without one is measured with one fitted on the same snapshot."""
    stored = adapter / "locator.skops" if adapter is not None else None
    if stored is not None and stored.is_file():
        return load_scores(stored, KIND)
    return fit_locator(snapshot.hunks("train"), alarms=alarms)


def select_pointed(lines: Lines, scores: Floats, threshold: float) -> frozenset[Place]:
    """Lines at or over the threshold among the likeliest few of each pull request."""
    return frozenset(
        (int(lines.hunks[at]), lines.sites[at].line)
        for top in pick_top(lines, scores)
        for at in top
        if scores[at] >= threshold
    )


def whole_figure(
    rows: Sequence[CommentRow],
    same: Sequence[bool | None],
    hunks: Sequence[HunkRow],
    pointed: frozenset[Place],
) -> Figure | None:
    """Share of the rows that are found whole; rows that nobody judged do not count either way."""
    places = _places(hunks)
    return share_figure(
        [
            bool(verdict) and places.get((row.example, row.line)) in pointed
            for row, verdict in zip(rows, same, strict=True)
            if verdict is not None
        ]
    )


def add_whole(sheet: Sheet, arm: str, where: Where, hunks: Sequence[HunkRow]) -> None:
    """The arm `whole` of an adapter: both parts one after the other. Nothing when one of them was not measured."""
    if where.pointed is None or arm not in sheet.same:
        sheet.notes.append("not measured: whole (it needs a Locator that points and comments that were judged)")
        return
    rows = sheet.written[arm].rows
    found = whole_figure(rows, sheet.same[arm], hunks, where.pointed)
    sheet.add("whole", same_issue=found, location_hit=_pointed_share(rows, hunks, where.pointed))


def _pointed_share(rows: Sequence[CommentRow], hunks: Sequence[HunkRow], pointed: frozenset[Place]) -> Figure | None:
    """On the same rows: what is lost to pointing alone."""
    return whole_figure(rows, [True] * len(rows), hunks, pointed)


def _places(hunks: Sequence[HunkRow]) -> dict[tuple[str, int], Place]:
    """Where each example's commented line is, by example and line. A comment on a removed line is nowhere."""
    return {
        (example, line.new): (index, line.new)
        for index, row in enumerate(hunks)
        for line, label in zip(row.hunk.lines, row.labels, strict=True)
        if label == 1 and line.new is not None
        for example in row.examples
    }
