"""Lines of a file around its hunks: never one of another hunk, never more than a person would look at."""

from app.domain.diff import DiffLine, FileDiff, Hunk, parse_patch
from app.domain.scopes import Scope
from app.history.enclosing import find_scopes
from app.review.extending import GAP, LINES_OVER, LINES_UNDER, Extended, extend_hunks, select_rows


def made(lines: list[str], *added: int) -> tuple[FileDiff, str]:
    """A diff of single added lines, by number, each with a line of context on either side."""
    hunks = []
    for number in added:
        shown = [n for n in (number - 1, number, number + 1) if 1 <= n <= len(lines)]
        rows = "\n".join(f"{'+' if n == number else ' '}{lines[n - 1]}" for n in shown)
        hunks.append(f"@@ -{shown[0]},{len(shown) - 1} +{shown[0]},{len(shown)} @@\n{rows}")
    return parse_patch("a.py", "\n".join(hunks)), "\n".join(lines)


def extend(lines: list[str], *added: int) -> tuple[Extended, ...]:
    diff, source = made(lines, *added)
    scopes = find_scopes("a.py", source, select_rows(diff.hunks))
    assert scopes is not None
    extended = extend_hunks(diff.hunks, source, scopes)
    assert extended is not None
    return extended


def body(count: int) -> list[str]:
    return [f"    line_{number} = {number}" for number in range(count)]


def test_a_short_function_is_shown_whole() -> None:
    (one,) = extend(["def f():", *body(8), "", "after = 1"], 6)
    assert one.above == ("def f():", *body(3))
    assert one.below == tuple(body(8)[6:])


def test_of_a_long_function_the_signature_is_shown_and_a_gap() -> None:
    (one,) = extend(["class A:", "    def f(", "        self,", "    ):", *[f"    {line}" for line in body(60)]], 45)
    assert one.above == ("class A:", GAP, "    def f(", "        self,", "    ):", GAP)
    assert len(one.below) == LINES_UNDER
    (other,) = extend(["def f():", *body(90)], LINES_OVER + 2)
    assert len(other.above) == LINES_OVER


def test_no_hunk_shows_a_line_of_another() -> None:
    first, second = extend(["def f():", *body(12)], 4, 8)
    assert first.below == (body(12)[4],)
    assert second.above == ()
    numbers = {line.new for one in (first, second) for line in one.hunk.lines if line.new is not None}
    assert numbers == {3, 4, 5, 7, 8, 9}


def test_code_at_the_top_has_nothing_around() -> None:
    assert extend(["a = 1", "b = 2", "c = 3", "d = 4"], 2) == (
        Extended(hunk=made(["a = 1", "b = 2", "c = 3"], 2)[0].hunks[0]),
    )


def test_a_text_that_is_not_the_hunks_own_extends_nothing() -> None:
    diff, source = made(["def f():", *body(5)], 3)
    assert extend_hunks(diff.hunks, source.replace("line_1", "other"), {}) is None
    assert extend_hunks(diff.hunks, "", {}) is None
    assert extend_hunks(diff.hunks, source.replace("\n", "\r\n"), {}) is not None


def test_scopes_that_lie_lead_nowhere() -> None:
    diff, source = made(["def f():", *body(5)], 3)
    lies = (Scope(0, 900, 900, True), Scope(-5, 2, 900, True))
    extended = extend_hunks(diff.hunks, source, dict.fromkeys(select_rows(diff.hunks), lies))
    assert extended is not None
    assert len(extended[0].below) <= LINES_UNDER


def test_a_hunk_that_only_removes_stays_as_it_is() -> None:
    hunk = Hunk(header="@@ -1,1 +0,0 @@", lines=(DiffLine(kind="removed", old=1, new=None, text="x"),))
    assert extend_hunks([hunk], "", {}) == (Extended(hunk=hunk),)
    assert select_rows([hunk]) == []
