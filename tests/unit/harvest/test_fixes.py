"""Choosing the hunks of a fix."""

from app.harvest.fixes import select_hunks

PATCH = "@@ -1,4 +1,5 @@\n a\n+b\n c\n d\n e\n@@ -20 +21 @@\n-x\n+y\n"


def test_hunks_that_show_the_place() -> None:
    first, second = PATCH[: PATCH.index("@@ -20")], PATCH[PATCH.index("@@ -20") :]
    assert select_hunks(PATCH, 4, 4, 0) == (first,)
    assert select_hunks(PATCH, 20, 20, 0) == (second,)
    assert select_hunks(PATCH, 10, 10, 0) == ()
    assert select_hunks(PATCH, 2, 30, 0) == (first, second)
    assert select_hunks(PATCH, 7, 7, 3) == (first,)
