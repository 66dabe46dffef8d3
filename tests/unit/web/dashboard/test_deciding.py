"""What pages say, drawn and decided without a page."""

import random

import pytest

from app.domain.evals import Figure
from app.github.policy_file import read_policy
from app.store.searching import Count
from app.web.dashboard.charts import Point, draw_curves, strip
from app.web.dashboard.dataset import mark_lines, read_key, split_patch
from app.web.dashboard.guarding import Memory, is_own_form
from app.web.dashboard.overview import decide_helping, sum_coverage, table_counts
from app.web.dashboard.owners import list_policy
from app.workflows.operating import may_review_again
from tests.made_dashboard import make_example

PUBLIC = "https://understudy.example.org"


def _figure(value: float, low: float, high: float) -> Figure:
    return Figure(value=value, low=low, high=high, n=100)


@pytest.mark.parametrize(
    ("difference", "addressed", "word"),
    [
        (_figure(0.2, 0.05, 0.3), None, "It helps"),
        (_figure(-0.2, -0.3, -0.05), _figure(0.9, 0.8, 0.95), "It does harm"),
        (_figure(0.2, -0.01, 0.4), _figure(0.9, 0.8, 0.95), "Not known yet"),
        (None, _figure(0.9, 0.8, 0.95), "Without a control group"),
        (None, None, "Nothing measured yet"),
    ],
)
def test_the_control_group_decides_whether_it_helps(
    difference: Figure | None, addressed: Figure | None, word: str
) -> None:
    assert decide_helping(difference, addressed).word == word


def test_the_sentence_names_its_figures() -> None:
    told = decide_helping(_figure(0.204, 0.05, 0.3), None)
    assert told.sentence == (
        "Lines with a posted comment change 20 points more often than lines where it was held back "
        "(95 % interval 5 to 30, 100 comments)."
    )


def test_a_void_decision_counts_as_none() -> None:
    counts = [Count("commit", None, 2), Count("commit", "void", 3), Count("commit", "approve", 5)]
    assert table_counts(counts) == {"commit": {"approved": 5, "rejected": 0, "undecided": 5}}


def test_coverage_of_nothing_is_nothing() -> None:
    assert sum_coverage([{}, {}]) == (0, 0, [], 0)


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"origin": PUBLIC, "host": "10.0.0.1:8080"}, True),
        ({"origin": "http://127.0.0.1:8080", "host": "127.0.0.1:8080"}, True),
        ({"referer": f"{PUBLIC}/dashboard/1", "host": "10.0.0.1:8080"}, True),
        ({"origin": "http://understudy.example.org", "host": "10.0.0.1:8080"}, False),
        ({"origin": f"{PUBLIC}.evil.example", "host": "understudy.example.org"}, False),
        ({"origin": "null", "host": "understudy.example.org"}, False),
        ({"host": "understudy.example.org"}, False),
    ],
)
def test_a_form_is_ours_by_what_the_browser_says(headers: dict[str, str], is_own: bool) -> None:
    assert is_own_form(headers, PUBLIC) is is_own


def test_figures_are_kept_for_their_time_and_no_longer() -> None:
    now = [0.0]
    memory: Memory[int] = Memory(seconds=60, clock=lambda: now[0])
    memory.keep("a", 1)
    assert (memory.find("a"), memory.find("b")) == (1, None)
    now[0] = 60.0
    assert memory.find("a") is None


def test_marked_are_the_lines_that_were_commented_on() -> None:
    example = make_example(1, "acme/store", 1, random.Random(1), pulls=3)  # noqa: S311
    (marked,) = [line for line in mark_lines(example.hunk, example) if line.marked]
    assert (marked.kind, marked.new) == ("added", example.line)
    line = example.line or 0
    several = example.model_copy(update={"start_line": line - 1})
    assert [one.new for one in mark_lines(example.hunk, several) if one.marked] == [line - 1, line]
    left = example.model_copy(update={"side": "LEFT", "line": example.hunk.lines[1].old})
    assert [one.kind for one in mark_lines(example.hunk, left) if one.marked] == ["removed"]
    silent = example.model_copy(update={"line": None})
    assert not any(one.marked for one in mark_lines(example.hunk, silent))


def test_a_patch_is_split_into_its_lines() -> None:
    kinds = [(line.kind, line.text) for line in split_patch("@@ -1 +1 @@\n-old\n+new\n same")]
    assert kinds == [("header", "@@ -1 +1 @@"), ("removed", "old"), ("added", "new"), ("context", "same")]


@pytest.mark.parametrize("text", ["", "nonsense", "2026-13-01|x", "|"])
def test_a_key_that_is_none_is_the_first_page(text: str) -> None:
    assert read_key(text) is None


def test_a_curve_is_drawn_for_each_stage_from_its_first_to_its_last_step() -> None:
    points = [Point("sft", step, 3.0 - step / 1000) for step in range(1000)] + [Point("kto", 1, 1.0)]
    points += [Point("locator", 1, 0.5), Point("locator", 2, 0.5)]
    sft, locator = draw_curves(points)
    assert (sft.stage, sft.first, sft.steps, len(sft.path.split()) <= 301) == ("sft", 3.0, 999, True)
    assert sft.path.startswith("52.0,12.0 ")
    assert sft.path.endswith(" 628.0,172.0")
    assert locator.path == "52.0,12.0 628.0,12.0"
    assert draw_curves([]) == []


def test_a_strip_stays_within_its_scale() -> None:
    assert strip(None) is None
    assert strip(_figure(0.5, -0.2, 1.4)) == (0.0, 50.0, 100.0, 0.0)
    assert strip(_figure(0.0, -0.5, 0.5), -1.0, 1.0) == (25.0, 50.0, 75.0, 50.0)


def test_the_policy_is_listed_with_where_each_value_comes_from() -> None:
    text = "curation: evidence\nreview:\n  holdback: 0.1\n"
    rows = {key: (value, own) for key, value, own in list_policy(read_policy({"text": text, "byteSize": len(text)}))}
    assert rows["curation"] == ("evidence", True)
    assert rows["review.holdback"] == ("0.1", True)
    assert rows["opt_out"] == ("none", False)
    assert list_policy(None) == []


@pytest.mark.parametrize(
    ("state", "reviewed_before", "may"),
    [
        ("retired", False, True),
        ("promoted", False, True),
        ("candidate", True, True),
        ("candidate", False, False),
        ("rejected", True, False),
        ("erased", True, False),
    ],
)
def test_nothing_comes_to_review_that_the_gate_never_promoted(state: str, reviewed_before: bool, may: bool) -> None:
    assert may_review_again(state, reviewed_before=reviewed_before) is may
