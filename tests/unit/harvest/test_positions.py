"""Lines through a diff."""

import pytest

from app.harvest.positions import Change, follow, nearest, parse_changes

#: lines 3..4 replaced by three lines, two lines put after line 8, line 12 removed
DIFF = (
    "diff --git a/f b/f\n@@ -3,2 +3,3 @@ def f():\n-a\n-b\n+c\n+d\n+e\n@@ -8,0 +10,2 @@\n+x\n+y\n@@ -12 +15,0 @@\n-z\n"
)
CHANGES = parse_changes(DIFF)


def test_parse() -> None:
    assert (
        Change(old_start=3, old_count=2, new_start=3, new_count=3),
        Change(old_start=8, old_count=0, new_start=10, new_count=2),
        Change(old_start=12, old_count=1, new_start=15, new_count=0),
    ) == CHANGES


@pytest.mark.parametrize(
    ("first", "last", "distance"),
    [
        (3, 3, 0),
        (4, 4, 0),
        (2, 2, 1),
        (1, 1, 2),
        (6, 6, 2),
        (7, 7, 2),
        (8, 8, 1),
        (9, 9, 1),
        (1, 5, 0),
        (8, 9, 1),
        (14, 14, 2),
    ],
)
def test_distance_to_the_nearest_change(first: int, last: int, distance: int) -> None:
    assert nearest(CHANGES, first, last) == distance


def test_no_change_is_at_no_distance() -> None:
    assert nearest((), 1, 1) is None


@pytest.mark.parametrize(
    ("line", "place"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 6), (8, 9), (9, 12), (12, 15), (13, 15)]
)
def test_follow(line: int, place: int) -> None:
    assert follow(CHANGES, line) == place
