"""Where docstrings open is found in time that grows with a diff's length, whatever a stranger puts into it."""

import time

import pytest

from app.history.changes import select_opened_rows


@pytest.mark.parametrize(
    ("path", "run"),
    [("a.py", ":#"), ("a.py", "+#:\n"), ("a.py", "+# a:\n "), ("a.go", "+//\n"), ("a.go", "+//a\n //\n")],
)
def test_long_diffs_take_no_longer_than_their_length(path: str, run: str) -> None:
    """A file of up to a mebibyte is shown; these took minutes to hours."""
    hunks = b"@@ -0,0 +1,9 @@\n+x\n" + run.encode() * (400_000 // len(run))
    began = time.thread_time()
    select_opened_rows(path, hunks)
    assert time.thread_time() - began < 8


def test_what_opens_one_is_still_seen() -> None:
    assert select_opened_rows("a.py", b'@@ -0,0 +1,3 @@\n+def f():  # why\n+    """Say."""\n+    return 1\n') == (1,)
    assert select_opened_rows("a.go", b"@@ -0,0 +1,3 @@\n+\n+// F says.\n+// More.\n+func F() {\n") == (1, 2)
