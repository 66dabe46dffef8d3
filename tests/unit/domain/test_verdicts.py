"""Every way to a Verdict, and how replies to our comments are heard."""

import pytest

from app.domain.examples import Evidence
from app.domain.verdicts import Answers, Feedback, Verdict, decide_answer, decide_verdict

ADDRESSED, DISMISSED, IGNORED, UNKNOWN = Verdict.ADDRESSED, Verdict.DISMISSED, Verdict.IGNORED, Verdict.UNKNOWN
MERGED, OPEN, CLOSED = {"state": "merged"}, {"state": "open"}, {"state": "closed"}
LINE, NEAR, FILE, SAME = Evidence.LINE, Evidence.NEAR, Evidence.FILE, Evidence.UNCHANGED
DONE, NO, ASKED = Answers(acknowledged=1), Answers(pushback=1), Answers(question=1)


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ({"dismissed": True, "change": LINE}, DISMISSED),
        ({"dismissed": True, "change": Evidence.SUGGESTION_APPLIED}, DISMISSED),
        ({"gone": True, "change": LINE}, DISMISSED),
        ({"change": Evidence.SUGGESTION_APPLIED, "thumbs_down": 1}, ADDRESSED),
        ({"change": LINE, "thumbs_down": 1}, DISMISSED),
        ({"change": LINE, "thumbs_down": 1, "thumbs_up": 1}, ADDRESSED),
        ({"change": LINE, "answers": NO}, DISMISSED),
        ({"change": LINE, "answers": Answers(pushback=1, acknowledged=1)}, ADDRESSED),
        ({"change": LINE}, ADDRESSED),
        ({"change": LINE, **MERGED}, ADDRESSED),
        ({"change": LINE, **CLOSED}, ADDRESSED),
        ({"change": NEAR, **OPEN}, UNKNOWN),
        ({"change": NEAR, "answers": DONE}, ADDRESSED),
        ({"change": NEAR, "thumbs_up": 1}, ADDRESSED),
        ({"change": NEAR, "resolved": True}, ADDRESSED),
        ({"change": NEAR, **MERGED}, IGNORED),
        ({"change": FILE, **MERGED}, IGNORED),
        ({"change": SAME, **MERGED}, IGNORED),
        ({"change": SAME, "resolved": True, **MERGED}, IGNORED),  # resolving follows the house's rules, not its opinion
        ({"change": SAME, "answers": ASKED, **MERGED}, IGNORED),
        ({"change": SAME, "answers": DONE, **MERGED}, UNKNOWN),  # "will do", perhaps elsewhere
        ({"change": SAME, **OPEN}, UNKNOWN),
        ({"change": SAME, **CLOSED}, UNKNOWN),  # nobody decided about the comment
        ({"change": SAME, "thumbs_down": 2, **OPEN}, DISMISSED),
        ({"change": Evidence.UNKNOWN, **MERGED}, UNKNOWN),
        ({"change": Evidence.UNKNOWN, "answers": NO, **MERGED}, DISMISSED),
    ],
)
def test_the_verdict(signs: dict[str, object], verdict: Verdict) -> None:
    assert decide_verdict(Feedback.model_validate(signs)) is verdict


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ({"dismissed": True}, False),
        ({"dismissed": True, "dismissed_with_reason": True}, True),
        ({"thumbs_down": 1}, True),
        ({"thumbs_down": 1, "thumbs_up": 1}, False),
        ({"answers": NO}, False),
    ],
)
def test_a_false_alarm_is_what_somebody_called_one(signs: dict[str, object], expected: bool) -> None:
    assert Feedback.model_validate(signs).is_false_alarm is expected


@pytest.mark.parametrize(
    ("change", "expected"), [(LINE, True), (Evidence.SUGGESTION_APPLIED, True), (NEAR, False), (Evidence.UNKNOWN, None)]
)
def test_only_the_very_line_counts_as_changed(change: Evidence, expected: bool | None) -> None:
    assert Feedback(change=change).is_changed is expected


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("Done in abc123.", "acknowledged"),
        ("> quoted?\n\nGood catch", "acknowledged"),
        ("Won't fix, out of scope", "pushback"),
        ("This is intentional.", "pushback"),
        ("Hm. Is that the same everywhere?", "question"),
        ("The container has no clock.", "other"),
        ("> is that so?\nIt has no clock.", "other"),
        ("", "other"),
    ],
)
def test_a_reply_is_heard(body: str, answer: str) -> None:
    assert decide_answer(body) == answer
