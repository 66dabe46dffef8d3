"""Same issue as the reference, and the rubric: by a judge where one is named, else by shared words, and that is said.

Every case is asked in both orders. The comments of all arms go in one heap, in an order that knows no arm, so that a
budget that ends early cuts all arms alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.base import content_hash
from app.domain.evals import Figure, JudgeRecord
from app.domain.snapshots import CommentRow
from training.evaluation.judging.questions import (
    Case,
    Ratings,
    SameIssue,
    ask_rating,
    ask_same_issue,
    decide_marks,
    decide_same,
)
from training.evaluation.judging.settings import JudgeSettings
from training.evaluation.measures import mean_figure, share_figure
from training.evaluation.neighbours import judge_same_issue, read_comment
from training.evaluation.sheet import Sheet, known

if TYPE_CHECKING:
    # It imports the SDK, which takes seconds that an evaluation without a judge need not spend.
    from training.evaluation.judging.asking import Answers, Asker

#: Comments of the team that a judge sees as the measure of its conventions, at the most.
TEAM_EXAMPLES = 6
_MARKS = ("correctness", "adherence", "completeness")
Marks = tuple[float, float, float]


@dataclass(frozen=True)
class Verdict:
    """`same` and `marks` are None where an order went unanswered; `agreed` is whether both orders said the same."""

    same: bool | None
    agreed: bool | None
    marks: Marks | None = None


class WordJudge:
    """No judge: comments are the same when they share their telling words. A lower bound, and no opinion on quality."""

    def __init__(self, train: Sequence[CommentRow]) -> None:
        self._train = train

    def decide(self, cases: Sequence[Case]) -> list[Verdict]:
        same = judge_same_issue(self._train, [case.written for case in cases], [case.reference for case in cases])
        return [Verdict(verdict, None) for verdict in same]

    def record(self) -> JudgeRecord | None:
        return None

    def notes(self) -> list[str]:
        return ["not judged: no judge was named, so same_issue is by shared words and there are no marks"]


class ModelJudge:
    """A language model that knows neither the arms nor which comment is the team's."""

    def __init__(self, settings: JudgeSettings, asker: "Asker", team: Sequence[str]) -> None:
        self._settings = settings
        self._asker = asker
        self._team = tuple(team[:TEAM_EXAMPLES])
        self._agreed: list[bool] = []

    def decide(self, cases: Sequence[Case]) -> list[Verdict]:
        heap = sorted({*cases}, key=lambda case: content_hash("case", [case.lines, case.reference, case.written]))
        same = self._asker.ask(ask_same_issue(case, reference_first=first) for case in heap for first in (True, False))
        marks: Answers = {}
        if self._settings.rubric:
            marks = self._asker.ask(
                ask_rating(case, self._team, reference_first=first) for case in heap for first in (True, False)
            )
        verdicts = {case: self._verdict(case, same, marks) for case in heap}
        self._agreed += [verdict.agreed for verdict in verdicts.values() if verdict.agreed is not None]
        return [verdicts[case] for case in cases]

    def record(self) -> JudgeRecord:
        tally = self._asker.tally
        heard = sorted(tally.models - {self._settings.model})
        return JudgeRecord(
            name=" as ".join([self._settings.model, *heard]),
            endpoint=self._settings.endpoint,
            agreement=share_figure(self._agreed),
            asked=tally.asked,
            from_cache=tally.from_cache,
            unanswered=tally.unanswered,
        )

    def notes(self) -> list[str]:
        tally = self._asker.tally
        if not tally.unanswered:
            return []
        return [f"not judged: {tally.unanswered} of {tally.asked} questions went unanswered, or were over the budget"]

    def _verdict(self, case: Case, same: "Answers", marks: "Answers") -> Verdict:
        one, other = (_same(same.get(ask_same_issue(case, reference_first=first).id)) for first in (True, False))
        rated = [marks.get(ask_rating(case, self._team, reference_first=first).id) for first in (True, False)]
        return Verdict(
            same=decide_same(one, other),
            agreed=None if one is None or other is None else one.same == other.same,
            marks=decide_marks(_ratings(rated[0]), _ratings(rated[1])),
        )


Judge = WordJudge | ModelJudge


def judge_sheet(sheet: Sheet, judge: Judge) -> None:
    """Verdicts on everything that arms wrote, as figures and, for the whole, one by one."""
    written = sheet.writings()
    verdicts = judge.decide([make_case(row, comment) for _, row, comment in written])
    by_arm: dict[str, list[Verdict]] = {arm: [] for arm in sheet.written}
    for (arm, _, _), verdict in zip(written, verdicts, strict=True):
        by_arm[arm].append(verdict)
    for arm, found in by_arm.items():
        sheet.same[arm] = tuple(verdict.same for verdict in found)
        sheet.add(arm, same_issue=share_figure(known(sheet.same[arm])), **_mark_figures(found))


def make_case(row: CommentRow, comment: str) -> Case:
    return Case(example=row.example, lines=row.prompt[-1].content, reference=read_comment(row), written=comment)


def _mark_figures(verdicts: Sequence[Verdict]) -> dict[str, Figure | None]:
    marks = [verdict.marks for verdict in verdicts if verdict.marks is not None]
    return {name: mean_figure([item[at] for item in marks]) for at, name in enumerate(_MARKS)}


def _same(answer: object) -> SameIssue | None:
    return answer if isinstance(answer, SameIssue) else None


def _ratings(answer: object) -> Ratings | None:
    return answer if isinstance(answer, Ratings) else None
