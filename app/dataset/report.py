"""The dataset report's figures: what is in the rows, what was refused, and what that means for training. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.dataset.grouping import group_by_words, normalise, pick_diverse
from app.dataset.report_rows import Contradiction, ReportRow
from app.dataset.rows import LEAST_WEIGHT
from app.domain.advice import Advice, AdviceCounts, advise
from app.domain.base import Record
from app.domain.evals import EvalReport
from app.domain.examples import ExampleKind, Rejection

#: Bars of one chart; what is rarer is one bar together.
MOST_BARS = 15
_SHOWN_OF_EACH, _SHOWN_GROUPS, _SHOWN_PAIRS, _READ = 3, 10, 20, 10
_TEXT_SHOWN = 1200
_SIZES = ((0, "0"), (4, "1–4"), (9, "5–9"), (19, "10–19"), (49, "20–49"), (150, "50–150"), (300, "151–300"))
#: Nats per token of the base on the team's own words: it gives each token 0.78 on average (geometric), so that its
#: greedy answer is nearly those words. Our own choice; no guide has a figure.
LEAKED_NLL = 0.25


class Bar(Record):
    name: str
    count: int
    #: of all that the chart counts, 0..100
    percent: float


class Chart(Record):
    key: str
    title: str
    note: str
    bars: tuple[Bar, ...]


class Refused(Record):
    """A pull request's thread that became no Example. The thread's words are not kept, only why and where."""

    where: str
    detail: str


class RefusedKind(Record):
    reason: str
    count: int
    shown: tuple[Refused, ...]


class Repeated(Record):
    text: str
    count: int


class BaseLeak(Record):
    """`rows` were measured by an evaluation; `answered` of them the base gives the team's own words for."""

    measured: bool
    note: str
    rows: int = 0
    answered: int = 0
    percent: float = 0.0
    shown: tuple[str, ...] = ()


class ReadRow(Record):
    where: str
    kind: str
    evidence: str | None
    weight: float
    context: str
    text: str


class DatasetReport(Record):
    """Everything the page shows; the page shows nothing else."""

    schema_version: Literal["dataset-report/1"] = "dataset-report/1"
    title: str
    source: str
    created_at: datetime
    rows: int
    #: comments that the team likely acted on
    good: int
    heldout: int
    charts: tuple[Chart, ...]
    left_out: tuple[Bar, ...]
    refused_known: bool
    refused: tuple[RefusedKind, ...]
    repeated_rows: int
    repeated: tuple[Repeated, ...]
    contradictions_note: str
    contradictions: int
    contradictions_shown: tuple[Contradiction, ...]
    base_leak: BaseLeak
    advice: Advice
    to_read: tuple[ReadRow, ...]


@dataclass(frozen=True)
class Material:
    """What a report is made of. `rejections` is None where only a snapshot is known."""

    title: str
    source: str
    rows: Sequence[ReportRow]
    created_at: datetime
    left_out: Mapping[str, int] = field(default_factory=dict)
    rejections: Sequence[Rejection] | None = None
    contradictions: Sequence[Contradiction] = ()
    #: whether somebody still has to choose between the answers
    contradictions_open: bool = False
    evaluation: EvalReport | None = None


def render_figures(material: Material) -> DatasetReport:
    """The report of these rows; an empty one where there are none."""
    rows = material.rows
    spoken = [row for row in rows if row.text]
    good = [row for row in rows if row.kind == ExampleKind.REVIEW_COMMENT and row.weight >= LEAST_WEIGHT]
    heldout = sum(row.part == "heldout" for row in good)
    repeated = _repeated(spoken)
    repeated_rows = sum(group.count - 1 for group in repeated)
    leak = measure_base_leak(spoken, material.evaluation)
    return DatasetReport(
        title=material.title,
        source=material.source,
        created_at=material.created_at,
        rows=len(rows),
        good=len(good),
        heldout=heldout,
        charts=_charts(rows, spoken),
        left_out=_bars(Counter(dict(material.left_out))),
        refused_known=material.rejections is not None,
        refused=_refused(material.rejections or ()),
        repeated_rows=repeated_rows,
        repeated=tuple(repeated[:_SHOWN_GROUPS]),
        contradictions_note=_contradictions_note(material),
        contradictions=len(material.contradictions),
        contradictions_shown=tuple(map(_cut_pair, material.contradictions[:_SHOWN_PAIRS])),
        base_leak=leak,
        advice=advise(_advice_counts(material, good, spoken, repeated_rows, leak)),
        to_read=tuple(_to_read(spoken[index]) for index in pick_diverse([row.text for row in spoken], _READ)),
    )


def _advice_counts(
    material: Material, good: Sequence[ReportRow], spoken: Sequence[ReportRow], repeated: int, leak: BaseLeak
) -> AdviceCounts:
    author, author_share = _top(row.author for row in spoken)
    reviewer, reviewer_share = _top(row.reviewer for row in spoken)
    parted = any(row.part for row in good)
    heldout = sum(row.part == "heldout" for row in good)
    return AdviceCounts(
        examples=len(good),
        heldout=heldout if parted else None,
        top_author=author,
        top_author_share=author_share,
        top_reviewer=reviewer,
        top_reviewer_share=reviewer_share,
        contradictions=len(material.contradictions) if material.contradictions_open else 0,
        repeated=repeated,
        base_leak=leak.answered / leak.rows if leak.rows else None,
    )


def _top(names: Iterable[str | None]) -> tuple[str | None, float | None]:
    counts = Counter(name for name in names if name)
    if not counts:
        return None, None
    ((name, count),) = counts.most_common(1)
    return name, count / counts.total()


def _charts(rows: Sequence[ReportRow], spoken: Sequence[ReportRow]) -> tuple[Chart, ...]:
    grouping = group_by_words([row.text for row in spoken])
    rules = Counter(grouping.names[group] for group in grouping.groups)
    plain = "one bar per value"
    return (
        _chart("kind", "Kind", "what the rows teach", Counter(row.kind for row in rows)),
        _chart("part", "Part", "training and held out", Counter(row.part or "not split yet" for row in rows)),
        _chart("decision", "Decision in force", "of maintainers", Counter(row.decision or "none" for row in rows)),
        _chart(
            "evidence", "Evidence", "what became of the line", Counter(row.evidence for row in rows if row.evidence)
        ),
        _chart("reviewer", "Reviewer", plain, Counter(row.reviewer for row in rows if row.reviewer)),
        _chart("author", "Author", "of what is no comment", Counter(row.author for row in rows if row.author)),
        _size_chart(rows),
        _month_chart(rows),
        _chart("rule", "Rule cluster", "comments that share telling words, named by them", rules),
    )


def _size_chart(rows: Sequence[ReportRow]) -> Chart:
    counts = Counter(_size_name(row.size) for row in rows if row.size is not None)
    order = [name for _, name in _SIZES] + ["over 300"]
    return Chart(
        key="size",
        title="Size of change",
        note="changed lines of the hunk or diff",
        bars=tuple(_bar(name, counts[name], counts.total()) for name in order if counts[name]),
    )


def _size_name(size: int) -> str:
    return next((name for most, name in _SIZES if size <= most), "over 300")


def _month_chart(rows: Sequence[ReportRow]) -> Chart:
    counts = Counter(f"{row.created_at:%Y-%m}" for row in rows)
    bars = tuple(_bar(name, counts[name], counts.total()) for name in sorted(counts))
    return Chart(key="month", title="Month", note="when the pull request was created or the text written", bars=bars)


def _chart(key: str, title: str, note: str, counts: Counter[str]) -> Chart:
    return Chart(key=key, title=title, note=note, bars=_bars(counts))


def _bars(counts: Counter[str]) -> tuple[Bar, ...]:
    """Most frequent first; the rarest together as one bar."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown, rest = ordered[:MOST_BARS], ordered[MOST_BARS:]
    if rest:
        shown = [*shown, (f"{len(rest)} others", sum(count for _, count in rest))]
    return tuple(_bar(name, count, counts.total()) for name, count in shown)


def _bar(name: str, count: int, total: int) -> Bar:
    return Bar(name=name, count=count, percent=_percent(count, total))


def _percent(count: int, total: int) -> float:
    return round(100 * count / total, 1) if total else 0.0


def _refused(rejections: Sequence[Rejection]) -> tuple[RefusedKind, ...]:
    by_reason: dict[str, list[Rejection]] = {}
    for rejection in rejections:
        by_reason.setdefault(rejection.reason, []).append(rejection)
    ordered = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        RefusedKind(
            reason=reason,
            count=len(found),
            shown=tuple(
                Refused(where=_where(each.repository, each.pull_request, each.path, each.line), detail=each.detail)
                for each in found[:_SHOWN_OF_EACH]
            ),
        )
        for reason, found in ordered
    )


def _repeated(spoken: Sequence[ReportRow]) -> list[Repeated]:
    """Texts that more than one row says, whatever their case and spaces."""
    groups: dict[str, list[ReportRow]] = {}
    for row in spoken:
        groups.setdefault(normalise(row.text), []).append(row)
    found = [Repeated(text=_cut(group[0].text), count=len(group)) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: (-group.count, group.text))


def _contradictions_note(material: Material) -> str:
    if material.contradictions_open:
        return "Same question, different answers. The newest would stand in a snapshot; a person should choose."
    if material.contradictions:
        return "Same question, different answers: settled before this snapshot was frozen."
    return "The snapshot keeps one answer per question; it does not hold the pairs that were settled before."


def measure_base_leak(rows: Sequence[ReportRow], evaluation: EvalReport | None) -> BaseLeak:
    """Which rows the base already answers, by its loss on the team's own words in an evaluation report."""
    losses = () if evaluation is None else evaluation.paired.get("base", ())
    if evaluation is None or not losses:
        return BaseLeak(measured=False, note="Not measured: no evaluation report of the base was given.")
    by_example = {row.example: row for row in rows}
    measured = [
        (by_example[name], loss) for name, loss in zip(evaluation.rows, losses, strict=True) if name in by_example
    ]
    answered = [row for row, loss in measured if loss <= LEAKED_NLL]
    note = f"Rows of the evaluation whose words the base gives at {LEAKED_NLL} nats per token or less."
    return BaseLeak(
        measured=bool(measured),
        note=note if measured else "Not measured: the evaluation report is of other rows.",
        rows=len(measured),
        answered=len(answered),
        percent=_percent(len(answered), len(measured)),
        shown=tuple(_cut(row.text) for row in answered[:_SHOWN_OF_EACH]),
    )


def _to_read(row: ReportRow) -> ReadRow:
    return ReadRow(
        where=_where(row.repository, row.pull_request, row.path, row.line),
        kind=row.kind,
        evidence=row.evidence,
        weight=row.weight,
        context=_cut(row.context),
        text=_cut(row.text),
    )


def _where(repository: str, pull_request: int | None, path: str | None, line: int | None) -> str:
    number = "" if pull_request is None else f" #{pull_request}"
    place = "" if path is None else f" {path}"
    return f"{repository}{number}{place}{'' if line is None else f':{line}'}"


def _cut_pair(pair: Contradiction) -> Contradiction:
    return Contradiction(prompt=_cut(pair.prompt), kept=_cut(pair.kept), dropped=_cut(pair.dropped))


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]} … ({len(text) - _TEXT_SHOWN} more characters)"
