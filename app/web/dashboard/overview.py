"""Which installations there are, and of one: is it helping, what was read, what reviews."""

from collections import Counter
from typing import Any, NamedTuple

from sqlmodel import Session
from starlette.responses import Response

from app.domain.evals import Figure
from app.review.coverage import Coverage
from app.store.deliveries import select_installations
from app.store.overviews import count_review_states, select_coverages
from app.store.rounds import load_adapter_version, load_pointer
from app.store.searching import Count, count_examples
from app.store.tables import InstallationRow
from app.web.dashboard.access import Sight, load_ground
from app.web.dashboard.desk import Route, Visit

#: The newest reviews whose coverage is summed.
_COVERED = 100
_DECISIONS = {"approve": "approved", "reject": "rejected", "void": "undecided", None: "undecided"}


async def list_installations(visit: Visit) -> Response:
    """Those that the viewer sees; GitHub is asked about each."""
    viewer = visit.viewer

    def look(session: Session) -> list[tuple[InstallationRow | None, dict[str, int]]]:
        rows = select_installations(session)
        mine = [row.id for row in rows if viewer.is_operator or row.id in viewer.installations]
        return [load_ground(session, installation_id) for installation_id in mine]

    grounds = await visit.read(look)
    sights = [await visit.desk.access.look(viewer, *ground) for ground in grounds]
    found = [sight for sight in sights if sight is not None]
    return visit.page("installations.html", installations=found)


class Helping(NamedTuple):
    """One word for a glance, and the sentence that it stands on."""

    word: str
    tone: str
    sentence: str


def decide_helping(difference: Figure | None, addressed: Figure | None) -> Helping:
    """What the control group says goes first: it alone tells what posting changed. Pure."""
    if difference is not None and difference.low > 0:
        return Helping("It helps", "good", _difference(difference, "more"))
    if difference is not None and difference.high < 0:
        return Helping("It does harm", "bad", _difference(difference, "less"))
    if difference is not None:
        rest = "The interval holds zero: more reviews will tell."
        return Helping("Not known yet", "open", f"Posted and held back differ too little to say. {rest}")
    if addressed is not None:
        sentence = "Comments are acted on, but without a control group nobody knows what would have changed anyway."
        return Helping("Without a control group", "open", sentence)
    return Helping("Nothing measured yet", "open", "No comment of ours has a known outcome so far.")


def _difference(figure: Figure, word: str) -> str:
    points, low, high = (round(100 * value) for value in (figure.value, figure.low, figure.high))
    return (
        f"Lines with a posted comment change {abs(points)} points {word} often than lines where it was held back "
        f"(95 % interval {low} to {high}, {figure.n} comments)."
    )


class Covered(NamedTuple):
    reviews: int
    read: int
    reasons: list[tuple[str, int]]
    lines: int


def sum_coverage(coverages: list[dict[str, Any]]) -> Covered:
    """Files that reviews read, and those that they did not, by reason. Pure."""
    found = [Coverage.model_validate(one) for one in coverages if one]
    reasons = Counter(file.reason or "unknown" for one in found for file in one.files if file.outcome == "skipped")
    read = sum(file.outcome == "reviewed" for one in found for file in one.files)
    return Covered(len(found), read, reasons.most_common(6), sum(one.lines_read for one in found))


def table_counts(counts: list[Count]) -> dict[str, dict[str, int]]:
    """By kind: approved, rejected, undecided. Pure."""
    table: dict[str, dict[str, int]] = {}
    for one in counts:
        row = table.setdefault(one.kind, {"approved": 0, "rejected": 0, "undecided": 0})
        row[_DECISIONS.get(one.decision, "undecided")] += one.number
    return dict(sorted(table.items()))


class _Seen(NamedTuple):
    counts: list[Count]
    coverages: list[dict[str, Any]]
    states: dict[str, int]
    serving: str | None
    previous: str | None
    state: str | None
    since: Any


def _look(sight: Sight, session: Session) -> _Seen:
    pointer = load_pointer(session, sight.id)
    name = None if pointer is None else pointer.adapter_name
    version = None if name is None else load_adapter_version(session, sight.id, name)
    return _Seen(
        counts=count_examples(session, sight.id, sight.repositories),
        coverages=select_coverages(session, sight.id, sight.repositories, limit=_COVERED),
        states=count_review_states(session, sight.id, sight.repositories),
        serving=name,
        previous=None if pointer is None else pointer.previous,
        state=None if version is None else version.state,
        since=None if pointer is None or name is None else pointer.moved_at,
    )


async def show_overview(visit: Visit) -> Response:
    rates = await visit.rates()
    seen = await visit.read(lambda session: _look(visit.sight, session))
    now = next((one for one in rates if one.adapter == seen.serving), rates[0] if rates else None)
    helping = decide_helping(now.holdback.difference, now.addressed) if now else decide_helping(None, None)
    covered = sum_coverage(seen.coverages)
    return visit.page(
        "overview.html",
        seen=seen,
        rates=rates,
        now=now,
        helping=helping,
        covered=covered,
        table=table_counts(seen.counts),
    )


ROUTES = (
    Route("GET", "", list_installations, needs="session"),
    Route("GET", "/{installation_id}", show_overview),
)
