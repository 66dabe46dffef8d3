"""The diff parser gives GitHub's own line numbers, for every shape of hunk header."""

import pytest

from app.domain.diff import parse_patch
from app.domain.errors import UserError

PATCH = """@@ -3,4 +3,5 @@ def settle(ledger):
 total = 0
-for row in ledger:
+for row in rows:
+    check(row)
     total += 1
 return total"""


def test_numbers_of_both_sides() -> None:
    lines = parse_patch("a.py", PATCH).hunks[0].lines
    assert [(line.mark, line.old, line.new) for line in lines] == [
        (" ", 3, 3),
        ("-", 4, None),
        ("+", None, 4),
        ("+", None, 5),
        (" ", 5, 6),
        (" ", 6, 7),
    ]


@pytest.mark.parametrize("header", ["@@ -0,0 +1 @@", "@@ -0,0 +1,1 @@"])
def test_a_new_file_of_one_line_is_read_with_and_without_count(header: str) -> None:
    hunk = parse_patch("a.py", f"{header}\n+only\n\\ No newline at end of file").hunks[0]
    assert [(line.kind, line.new, line.text) for line in hunk.lines] == [("added", 1, "only")]


def test_unicode_line_separators_are_text_and_not_line_ends() -> None:
    hunk = parse_patch("a.py", "@@ -1 +1 @@\n-a\n+a\x0cb\u2028c").hunks[0]
    assert hunk.lines[1].text == "a\x0cb\u2028c"


def test_a_removed_line_is_on_the_left_only() -> None:
    hunk = parse_patch("a.py", PATCH).hunks[0]
    assert hunk.index_of(4, "LEFT") == 1
    assert hunk.index_of(4, "RIGHT") == 2
    assert hunk.index_of(9, "RIGHT") is None


def test_an_empty_patch_has_no_hunks() -> None:
    assert parse_patch("a.py", "").hunks == ()


def test_text_that_is_no_diff_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"a\.py: expected the hunks of a unified diff"):
        parse_patch("a.py", "@@ -1,9 +1,9 @@\n x\n")
