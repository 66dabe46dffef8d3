"""A push is read where it changed something; a Finding is answered when its line is gone and open while it moved."""

from app.domain.diff import parse_patch
from app.domain.findings import Finding, finding_fingerprint
from app.review.increment import ReadBefore, hash_patch, select_addressed, select_carried

PATCH = "@@ -1,1 +1,2 @@\n one\n+two = 2.0"
MOVED = "@@ -9,1 +9,2 @@\n one\n+two = 2.0"


def _before(**patches: str) -> ReadBefore:
    return ReadBefore(
        head_sha="a" * 40, made_by="7--0 p", patches={path: hash_patch(patch) for path, patch in patches.items()}
    )


def _finding(text: str, *, path: str = "a.py", body: str = "Use `Cents`.") -> Finding:
    return Finding(
        repository="o/r",
        pull_request=1,
        path=path,
        line=2,
        body=body,
        severity="minor",
        fingerprint=finding_fingerprint(path, text, body),
        locator_score=0.9,
        acceptance_score=0.9,
        adapter="7--0",
    )


def test_only_an_equal_patch_under_the_same_reviewer_is_carried() -> None:
    before = _before(a=PATCH, b=PATCH, c=PATCH)
    now = {"a": PATCH, "b": MOVED, "d": PATCH}
    assert select_carried(now, before, "7--0 p") == {"a"}
    assert select_carried(now, before, "7--1 p") == frozenset()
    assert select_carried(now, before, "7--0 q") == frozenset()
    assert select_carried(now, None, "7--0 p") == frozenset()


def test_a_file_without_a_patch_is_never_taken_for_read() -> None:
    assert select_carried({"a": None, "b": ""}, _before(a="", b=""), "7--0 p") == frozenset()


def test_a_line_that_moved_is_open_and_one_that_changed_is_addressed() -> None:
    open_finding, changed = _finding("two = 2.0"), _finding("three = 3.0")
    moved = parse_patch("a.py", MOVED)
    assert select_addressed([open_finding, changed], [moved], frozenset()) == {changed.fingerprint}


def test_a_file_taken_back_is_addressed_and_one_that_is_not_shown_is_not_judged() -> None:
    gone, hidden = _finding("x", path="gone.py"), _finding("x", path="large.py")
    assert select_addressed([gone, hidden], [], frozenset({"large.py"})) == {gone.fingerprint}


def test_spaces_and_case_of_a_line_do_not_make_it_another() -> None:
    patch = parse_patch("a.py", "@@ -1,1 +1,2 @@\n one\n+    two  =  2.0")
    assert select_addressed([_finding("two = 2.0")], [patch], frozenset()) == frozenset()
