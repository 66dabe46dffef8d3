"""A rehearsal's figures: met is near and on the reviewed commit; what people said later is not held against it."""

import pytest

from app.domain.examples import Evidence
from app.rehearsal.backtest import PullBacktest, Remark, measure_backtest, pair_remarks, spell_share
from app.rehearsal.report_page import render_report


def _remark(line: int, *, path: str = "a.py", evidence: Evidence = Evidence.UNKNOWN, author: str = "ann") -> Remark:
    return Remark(path=path, line=line, body=f"about {line}", author=author, evidence=evidence)


def _pull(ours: tuple[Remark, ...] = (), theirs: tuple[Remark, ...] = (), state: str = "posted") -> PullBacktest:
    return PullBacktest(
        pull_request=7, title="t", commit_sha="a" * 40, state=state, ours=ours, theirs=theirs, later=len(theirs) * 2
    )


def test_a_comment_within_three_lines_of_a_persons_is_met_and_one_in_another_file_is_not() -> None:
    pull = _pull((_remark(10), _remark(20), _remark(10, path="b.py")), (_remark(13), _remark(24), _remark(90)))
    figures = measure_backtest([pull])
    assert figures.precision is not None
    assert figures.precision.value == pytest.approx(1 / 3)
    assert figures.precision.n == 3
    assert figures.recall is not None
    assert figures.recall.value == pytest.approx(1 / 3)
    assert figures.recall.n == 3
    assert figures.later_remarks == 6


def test_what_was_not_reviewed_says_nothing_about_the_reviewer() -> None:
    skipped = _pull(theirs=(_remark(1),), state="skipped")
    figures = measure_backtest([skipped, _pull((_remark(1),)), _pull(state="silent")])
    assert (figures.pull_requests, figures.reviewed, figures.silent, figures.remarks) == (3, 2, 1, 0)
    assert figures.recall is None
    assert figures.median_findings == 0.5
    assert spell_share(figures.recall) == "nothing to measure"


def test_only_lines_that_git_knows_count_as_changed_or_not() -> None:
    ours = (
        _remark(1, evidence=Evidence.LINE),
        _remark(20, evidence=Evidence.UNCHANGED),
        _remark(40, evidence=Evidence.UNKNOWN),
        _remark(60, evidence=Evidence.FILE),
    )
    figures = measure_backtest([_pull(ours)])
    assert figures.ours_changed is not None
    assert figures.ours_changed.n == 3
    assert figures.ours_changed.value == pytest.approx(1 / 3)
    assert figures.theirs_changed is None
    assert spell_share(figures.ours_changed) == "33% (6% to 79%, n = 3)"


def test_side_by_side_each_remark_stands_once() -> None:
    pairs = pair_remarks(_pull((_remark(30), _remark(10)), (_remark(11), _remark(12), _remark(80))))
    assert [(pair.ours and pair.ours.line, [one.line for one in pair.theirs]) for pair in pairs] == [
        (10, [11, 12]),
        (30, []),
        (None, [80]),
    ]


def test_nothing_at_all_is_no_error() -> None:
    figures = measure_backtest([])
    assert (figures.reviewed, figures.median_findings, figures.precision) == (0, 0, None)


def _report(verdict: str) -> dict[str, object]:
    return {
        "repository": "o/r",
        "seconds": 1,
        "harvest": {"pull_requests": 2, "evidence": {"line": 3}, "rejections": {}},
        "requests": {"mean": 1, "most": 2},
        "learning": {"decision": {"verdict": verdict, "reasons": []}},
    }


def test_the_page_shows_both_sides_and_runs_nothing_that_people_wrote() -> None:
    theirs = Remark(path="a.py", line=11, body="<script>x</script>", author="ann", evidence=Evidence.LINE)
    page = render_report(_report("promote"), [], (_pull((_remark(10),), (theirs,)),))
    assert "about 10" in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "<script>" not in page
    assert "100% (21% to 100%, n = 1)" in page
    assert "said nothing at all" not in page


def test_the_page_says_that_a_refused_adapter_would_have_been_silent() -> None:
    page = render_report(_report("reject"), [], (_pull(theirs=(_remark(4),), state="skipped"),))
    assert "No adapter passed the gate, so it would have said nothing at all." in page
    assert "refused candidate" not in page
    told = _report("reject") | {"review": {"refused": "7--v1"}}
    page = render_report(told, [], (_pull((_remark(4),)),))
    assert "Below is what the refused candidate <code>7--v1</code> would have said" in page
    assert "0 of 1" in page, "no line of a made-up comment is shown by git"
