"""Hunks that GitHub cut off below the commented line."""

import pytest

from app.domain.diff_hunk import last_position, parse_diff_hunk
from app.domain.errors import UserError


def test_the_header_is_counted_anew() -> None:
    hunk = parse_diff_hunk("@@ -10,30 +12,40 @@ def f():\n one\n-two\n+three\n+four\n\\ No newline at end of file")

    assert hunk.header == "@@ -10,2 +12,3 @@ def f():"
    assert [(line.mark, line.old, line.new) for line in hunk.lines] == [
        (" ", 10, 12),
        ("-", 11, None),
        ("+", None, 13),
        ("+", None, 14),
    ]
    assert last_position(hunk) == (14, "RIGHT")


def test_a_comment_on_a_removed_line_stands_on_the_left() -> None:
    assert last_position(parse_diff_hunk("@@ -7 +7,0 @@\n-gone")) == (7, "LEFT")


def test_lines_that_look_like_headers_and_foreign_line_ends_are_content() -> None:
    hunk = parse_diff_hunk("@@ -1,2 +1,3 @@\r\n+++ counter\r\n one\u2028two\r\n")

    assert [line.text for line in hunk.lines] == ["++ counter", "one\u2028two"]


@pytest.mark.parametrize("text", ["", "+one", "@@ -1 +1 @@", "@@ -1,2 +1,2 @@\n one\n*two"])
def test_what_is_no_hunk_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="expected"):
        parse_diff_hunk(text)
