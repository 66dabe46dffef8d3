"""Over-long hunks end at the borders of a block, and no prompt changes by it."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.diff import DiffLine, Hunk, parse_patch
from app.domain.prompt import render_prompt
from app.screening.cutting import LONGEST, cut_hunk


def a_service(functions: int, lines: int = 18) -> Hunk:
    """A class of many methods, all added."""
    text = ["class Orders:"]
    for number in range(functions):
        text += ["    @traced", f"    def load_{number}(self, order):"]
        text += [f"        total_{at} = order.price({at})" for at in range(lines)] + [""]
    added = "".join(f"+{line}\n" for line in text)
    return parse_patch("orders.py", f"@@ -0,0 +1,{len(text)} @@\n{added}").hunks[0]


def test_a_short_hunk_stays_as_it_is() -> None:
    hunk = a_service(10)
    assert cut_hunk(hunk, 30, 30) is hunk


def test_a_long_hunk_is_cut_to_the_method_that_holds_the_line() -> None:
    hunk = a_service(60)
    at = next(index for index, line in enumerate(hunk.lines) if "load_30" in line.text) + 9
    cut = cut_hunk(hunk, at, at)
    assert cut.lines[0].text == "    @traced"
    assert cut.lines[1].text == "    def load_30(self, order):"
    assert cut.lines[-1].text in {"", "        total_17 = order.price(17)"}
    assert cut.header == f"@@ -0,0 +{cut.lines[0].new},{len(cut.lines)} @@"


def test_braces_end_with_their_block() -> None:
    method = ["    void load(Order order) {", *("        price(order);" for _ in range(30)), "    }", ""]
    text = ["class Orders {", *(line for _ in range(20) for line in method), "}"]
    hunk = parse_patch("O.java", f"@@ -0,0 +1,{len(text)} @@\n" + "".join(f"+{line}\n" for line in text)).hunks[0]
    cut = cut_hunk(hunk, 1 + 33 * 9 + 15, 1 + 33 * 9 + 15)
    assert (cut.lines[0].text, cut.lines[-1].text) == ("    void load(Order order) {", "    }")


def test_a_comment_on_more_lines_than_that_keeps_them_all() -> None:
    hunk = a_service(60)
    cut = cut_hunk(hunk, 100, 900)
    assert {line.new for line in hunk.lines[100:901]} <= {line.new for line in cut.lines}


LINES = st.lists(
    st.tuples(
        st.sampled_from(["context", "added", "removed"]),
        st.integers(0, 5),
        st.sampled_from(["x = f()", "}", "", "end"]),
    ),
    min_size=LONGEST + 1,
    max_size=LONGEST + 300,
)


@given(LINES, st.data())
def test_prompts_are_the_same_before_and_after(rows: list[tuple[str, int, str]], data: st.DataObject) -> None:
    old = new = 0
    lines: list[DiffLine] = []
    for kind, depth, text in rows:
        old, new = old + (kind != "added"), new + (kind != "removed")
        lines.append(
            DiffLine.model_validate(
                {
                    "kind": kind,
                    "old": old if kind != "added" else None,
                    "new": new if kind != "removed" else None,
                    "text": " " * 4 * depth + text,
                }
            )
        )
    hunk = Hunk(header=f"@@ -1,{old} +1,{new} @@", lines=tuple(lines))
    at = data.draw(st.integers(0, len(lines) - 1))
    line, side = (lines[at].new, "RIGHT") if lines[at].new is not None else (lines[at].old, "LEFT")
    assert line is not None
    cut = cut_hunk(hunk, at, at)
    assert len(cut.lines) <= LONGEST
    assert render_prompt("f.py", cut, line, side) == render_prompt("f.py", hunk, line, side)  # type: ignore[arg-type]
