"""From changed lines to Evidence."""

import time

import pytest

from app.domain.examples import Evidence
from app.harvest.evidence import FileFate, decide_evidence, decide_left_evidence
from app.harvest.positions import Change
from app.harvest.suggestions import is_applied, parse_suggestions

BEFORE = tuple(f"line {number}" for number in range(1, 31))


def a_fate(start: int, removed: int, put: tuple[str, ...]) -> FileFate:
    """Lines start..start+removed-1 replaced by `put`."""
    after = BEFORE[: start - 1] + put + BEFORE[start - 1 + removed :]
    change = Change(old_start=start, old_count=removed, new_start=start, new_count=len(put))
    return FileFate(changes=(change,), before=BEFORE, after=after)


@pytest.mark.parametrize(
    ("line", "evidence"),
    [(10, Evidence.LINE), (11, Evidence.NEAR), (13, Evidence.NEAR), (14, Evidence.FILE), (6, Evidence.FILE)],
)
def test_by_distance(line: int, evidence: Evidence) -> None:
    assert decide_evidence(a_fate(10, 1, ("new",)), first=line, last=line, body="Rename.") is evidence


def test_a_range_is_changed_when_one_of_its_lines_is() -> None:
    assert decide_evidence(a_fate(10, 1, ("new",)), first=5, last=12, body="Rename.") is Evidence.LINE


def test_the_same_file_and_no_file() -> None:
    same = FileFate(changes=(), before=BEFORE, after=BEFORE)
    assert decide_evidence(same, first=1, last=1, body="x") is Evidence.UNCHANGED
    assert decide_evidence(None, first=1, last=1, body="x") is Evidence.UNKNOWN


@pytest.mark.parametrize(
    ("put", "evidence"),
    [
        (("new one", "new two"), Evidence.SUGGESTION_APPLIED),
        (("import x", "new one", "new two"), Evidence.SUGGESTION_APPLIED),
        (("new one",), Evidence.LINE),
        (("new two", "new one"), Evidence.LINE),
    ],
)
def test_a_suggestion_is_applied_when_its_lines_stand_there(put: tuple[str, ...], evidence: Evidence) -> None:
    body = "Shorter:\r\n```suggestion\r\nnew one\r\nnew two\r\n```\r\n"
    assert decide_evidence(a_fate(10, 1, put), first=10, last=10, body=body) is evidence


def test_suggestions_are_read_from_any_fence() -> None:
    assert parse_suggestions("````suggestion\n```py\nx\n```\n````\n~~~suggestion:-0+1\ny\n~~~") == (
        ("```py", "x", "```"),
        ("y",),
    )
    assert parse_suggestions("```suggestion\n```") == ((),)
    assert parse_suggestions("```python\nx\n```") == ()


def test_suggestions_that_never_end_are_given_up_soon() -> None:
    before = time.process_time()
    assert parse_suggestions("```suggestion\n" * 20_000) == ()
    assert time.process_time() - before < 1.0


def test_what_stood_there_before_was_not_applied() -> None:
    assert not is_applied(["same"], ["same "], ["same"], 1)
    assert not is_applied([], ["gone"], [], 1)


@pytest.mark.parametrize(
    ("removed_at_head", "start", "evidence"),
    [
        (False, 25, Evidence.LINE),
        (True, 10, Evidence.NEAR),
        (True, 25, Evidence.FILE),
        (None, 10, Evidence.UNKNOWN),
    ],
)
def test_a_removed_line(*, removed_at_head: bool | None, start: int, evidence: Evidence) -> None:
    fate = a_fate(start, 1, ("new",))
    assert decide_left_evidence(fate, removed_at_head=removed_at_head, new_first=10, new_last=11) is evidence
