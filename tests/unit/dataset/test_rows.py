"""What each Example teaches, and what it does not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.dataset.rows import address, clean_body, render_hunk_rows, render_rows
from app.domain.diff_hunk import parse_diff_hunk
from app.domain.examples import Evidence, Example, ExampleKind

HUNK = parse_diff_hunk("@@ -1,3 +1,5 @@\n def f():\n+    print(x)\n+    y = 1\n+\n-    return\n+    return y")


def an_example(**more: Any) -> Example:
    facts = {
        "kind": ExampleKind.REVIEW_COMMENT,
        "host": "github.test",
        "repository_id": 1,
        "repository": "acme/store",
        "pull_request": 7,
        "pull_request_created_at": datetime(2026, 1, 5, tzinfo=UTC),
        "commit_sha": "a" * 40,
        "path": "f.py",
        "hunk": HUNK,
        "commented_lines": (2,),
        "comment_id": 11,
        "reviewer": "mara",
        "line": 2,
        "body": "Never print.",
        "evidence": Evidence.LINE,
    }
    return Example.model_validate(facts | more)


def a_clean_hunk(**more: Any) -> Example:
    silent = {"comment_id": None, "reviewer": None, "line": None, "body": None, "evidence": None}
    return an_example(kind=ExampleKind.CLEAN_HUNK, commented_lines=(), **silent, **more)


def test_a_comment_becomes_a_prompt_its_words_and_a_weight() -> None:
    (row,) = render_rows([an_example(body="@dev, never print.\r\nUse the logger.")]).comments
    assert [message.role for message in row.prompt] == ["system", "user"]
    assert ">+    print(x)" in row.prompt[1].content
    assert row.completion[0].content == '{"comment": "never print.\\nUse the logger."}'
    assert row.weight == 0.9


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"side": "LEFT", "line": 2}, "left_side"),
        ({"evidence": Evidence.FILE}, "seldom_acted_on"),
        ({"evidence": Evidence.UNCHANGED}, "seldom_acted_on"),
        ({"body": "@dev"}, "too_long"),
    ],
)
def test_comments_left_out(more: dict[str, Any], reason: str) -> None:
    if reason == "too_long":
        more = {"body": "long " * 200}
    rows = render_rows([an_example(**more)])
    assert rows.comments == ()
    assert rows.left_out[f"comment:{reason}"] == 1


def test_an_unknown_outcome_still_teaches_what_to_say() -> None:
    rows = render_rows([an_example(evidence=Evidence.UNKNOWN)])
    assert [row.weight for row in rows.comments] == [0.43]
    assert rows.outcomes == ()


@pytest.mark.parametrize(
    ("evidence", "accepted"),
    [
        (Evidence.LINE, True),
        (Evidence.NEAR, True),
        (Evidence.SUGGESTION_APPLIED, True),
        (Evidence.UNCHANGED, False),
        (Evidence.FILE, False),
        (Evidence.UNKNOWN, None),
    ],
)
def test_outcomes(*, evidence: Evidence, accepted: bool | None) -> None:
    outcomes = render_rows([an_example(evidence=evidence)]).outcomes
    assert [row.accepted for row in outcomes] == ([] if accepted is None else [accepted])
    assert all(row.line_text == "print(x)" for row in outcomes)


def test_labels_one_zero_none() -> None:
    """Commented by an approved Example, left alone, and neither: context, removed, blank, or a doubtful comment."""
    (row,) = render_hunk_rows(address([an_example(commented_lines=(2, 3))]))
    assert row.labels == (None, 1, None, None, None, 0)


@pytest.mark.parametrize("evidence", [Evidence.FILE, Evidence.UNCHANGED])
def test_a_line_whose_comment_nobody_acted_on_is_doubtful(evidence: Evidence) -> None:
    (row,) = render_hunk_rows(address([an_example(evidence=evidence)]))
    assert row.labels == (None, None, 0, None, None, 0)


@pytest.mark.parametrize("more", [{"line": 5}, {"line": 3, "side": "LEFT"}])
def test_a_comment_on_a_line_that_was_not_added_leaves_no_clean_hunk(more: dict[str, Any]) -> None:
    shown = parse_diff_hunk("@@ -1,4 +1,5 @@\n def f():\n+    print(x)\n+    y = 1\n+    z = 2\n     pass\n-    return")
    (row,) = render_hunk_rows(address([an_example(hunk=shown, commented_lines=(), **more)]))
    assert row.labels == (None, 0, 0, None, None, None)


def test_lines_spanned_by_a_comment_are_doubtful() -> None:
    (row,) = render_hunk_rows(address([an_example(line=3, start_line=2, commented_lines=(3,))]))
    assert row.labels == (None, None, 1, None, None, 0)


def test_examples_of_one_hunk_are_one_row() -> None:
    first, second = an_example(), an_example(line=3, comment_id=12, commented_lines=(2, 3))
    (row,) = render_hunk_rows(address([first, second]))
    assert row.labels == (None, 1, 1, None, None, 0)
    assert set(row.examples) == {first.hash, second.hash}


def test_the_same_text_at_two_commits_is_one_row_and_a_doubt_stays() -> None:
    clean = a_clean_hunk(commit_sha="b" * 40)
    (row,) = render_hunk_rows(address([an_example(commented_lines=(2, 3)), clean]))
    assert row.labels == (None, 1, None, None, None, 0)


def test_hunks_cut_at_their_comment_are_prefixes_of_one_hunk() -> None:
    cut = parse_diff_hunk("@@ -1,3 +1,5 @@\n def f():\n+    print(x)")
    (row,) = render_hunk_rows(address([an_example(hunk=cut), an_example(line=3, comment_id=12, commented_lines=(3,))]))
    assert row.hunk == HUNK
    assert row.labels == (None, 1, 1, None, None, 0)


def test_a_clean_hunk_is_all_zeros() -> None:
    rows = render_rows([a_clean_hunk()])
    assert [row.labels for row in rows.hunks] == [(None, 0, 0, None, None, 0)]
    assert not rows.comments
    assert not rows.outcomes


def test_whom_a_comment_is_addressed_to_is_not_learned() -> None:
    assert clean_body("@ann-b @team/core: please rename @this") == "please rename @this"
    assert clean_body("  @dev") == "@dev"
