"""A push is read where it changed something."""

from app.review.increment import ReadBefore, hash_patch, select_carried

PATCH = "@@ -1,1 +1,2 @@\n one\n+two = 2.0"
MOVED = "@@ -9,1 +9,2 @@\n one\n+two = 2.0"


def _before(**patches: str) -> ReadBefore:
    return ReadBefore(made_by="7--0 p", patches={path: hash_patch(patch) for path, patch in patches.items()})


def test_only_an_equal_patch_under_the_same_reviewer_is_carried() -> None:
    before = _before(a=PATCH, b=PATCH, c=PATCH)
    now = {"a": PATCH, "b": MOVED, "d": PATCH}
    assert select_carried(now, before, "7--0 p") == {"a"}
    assert select_carried(now, before, "7--1 p") == frozenset()
    assert select_carried(now, before, "7--0 q") == frozenset()
    assert select_carried(now, None, "7--0 p") == frozenset()


def test_a_file_without_a_patch_is_never_taken_for_read() -> None:
    assert select_carried({"a": None, "b": ""}, _before(a="", b=""), "7--0 p") == frozenset()
