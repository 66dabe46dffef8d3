"""Which hunks count as seen and left alone."""

from app.domain.diff_hunk import parse_diff_hunk
from app.harvest.silence import LONGEST, PER_PULL, SeenHunk, Spot, select_commented, select_silent

ONE = parse_diff_hunk("@@ -1,2 +1,3 @@\n def f():\n+    print(x)\n     return x")
TWO = parse_diff_hunk("@@ -20,1 +21,2 @@\n def g():\n+    return 2")


def seen(hunk: object = ONE, *, sha: str = "a", path: str = "f.py") -> SeenHunk:
    return SeenHunk.model_validate({"sha": sha, "path": path, "hunk": hunk})


def spot(**more: object) -> Spot:
    facts = {"sha": "a", "path": "f.py", "side": "RIGHT", "line": 2, "words": None}
    return Spot.model_validate(facts | more)


def test_a_hunk_without_a_comment_is_silent() -> None:
    assert select_silent((seen(ONE), seen(TWO)), (spot(),)) == (seen(TWO),)


def test_a_comment_at_another_commit_is_known_by_its_words() -> None:
    words = ("def f():", "print(x)")
    assert select_commented(ONE, "f.py", "b", (spot(line=40, words=words),)) == {1}
    assert select_silent((seen(ONE, sha="b"),), (spot(line=40, words=words),)) == ()


def test_the_same_words_in_another_file_are_not_that_line() -> None:
    elsewhere = spot(path="g.py", words=("def f():", "print(x)"))
    assert select_silent((seen(ONE),), (elsewhere,)) == (seen(ONE),)


def test_a_comment_on_the_left_or_on_the_whole_file_breaks_the_silence() -> None:
    assert select_silent((seen(ONE),), (spot(side="LEFT", line=1),)) == ()
    assert select_silent((seen(ONE),), (spot(line=None),)) == ()


def test_unread_files_pure_removals_and_endless_hunks_say_nothing() -> None:
    endless = parse_diff_hunk("@@ -0,0 +1,9 @@\n" + "\n".join(f"+{number}" for number in range(LONGEST + 1)))
    removal = parse_diff_hunk("@@ -1,2 +1,1 @@\n keep\n-gone")
    assert select_silent((seen(endless), seen(removal), seen(ONE, path="yarn.lock")), ()) == ()


def test_each_text_once_and_a_cap_that_no_order_changes() -> None:
    many = [seen(parse_diff_hunk(f"@@ -{at},0 +{at},1 @@\n+line {at}")) for at in range(1, 100)]
    chosen = select_silent((*many, *[seen(item.hunk, sha="b") for item in many]), ())
    assert len(chosen) == PER_PULL
    assert {item.hunk for item in select_silent(tuple(reversed(many)), ())} == {item.hunk for item in chosen}
