"""What the base is shown beside a hunk is data, within a budget."""

import pytest

from app.domain.diff import parse_patch
from app.domain.prompt import LINE_WIDTH
from app.domain.references import REVIEWED_LINES, TEXT_CHARACTERS, Reference, ReferenceKind, render_past_review
from app.review.context import (
    LEAST_ALIKE,
    NOTE_CHARACTERS,
    NOTES_CHARACTERS,
    Found,
    ask_for_passages,
    ask_for_reviews,
    render_note,
    render_notes,
    select_found,
)
from app.review.retrieval import Ranked
from tests.attacks import Attack, list_attacks
from tests.unit.dataset.test_rows import a_clean_hunk, an_example


def a_reference(text: str = "An order is logged by its number.", **more: object) -> Reference:
    facts = {"kind": ReferenceKind.SECTION, "repository": "o/r", "path": "docs/a.md", "name": "Orders", "text": text}
    return Reference.model_validate(facts | more)


def found(*references: Reference) -> list[Found]:
    return [Found(reference, 0.5) for reference in references]


def test_a_past_review_is_what_was_said_and_the_lines_above_it() -> None:
    review = render_past_review(an_example(line=2))
    assert (review.code, review.text) == ("def f():\n    print(x)", "Never print.")
    lines = "\n".join(f"+line {number}" for number in range(30))
    long = an_example(hunk=parse_patch("f.py", f"@@ -0,0 +1,30 @@\n{lines}").hunks[0], line=20, body="x" * 9_000)
    assert render_past_review(long).code.split("\n") == [f"line {number}" for number in range(20 - REVIEWED_LINES, 20)]
    assert len(render_past_review(long).text) == TEXT_CHARACTERS
    with pytest.raises(ValueError, match="expected a review comment"):
        render_past_review(a_clean_hunk())


def test_a_hunk_is_looked_up_by_what_it_adds() -> None:
    hunk = parse_patch("a.py", "@@ -1,2 +1,2 @@\n same\n-gone\n+come").hunks[0]
    assert ask_for_reviews(hunk).code == "come"
    assert ask_for_passages("a.py", hunk).code == "a.py\ncome"


def test_what_is_unlike_or_says_the_same_again_is_left_out() -> None:
    references = [a_reference("one, at length"), a_reference("one, at length", path="b.md"), a_reference("two")]
    ranked = [Ranked(0, 3, 0.5), Ranked(1, 2, 0.5), Ranked(2, 1, LEAST_ALIKE)]
    assert [one.reference.text for one in select_found(references, ranked, 3)] == ["one, at length", "two"]
    assert select_found(references, ranked, 1) == [Found(references[0], 0.5)]
    assert select_found(references, [Ranked(2, 1, LEAST_ALIKE - 0.01)], 3) == []


def test_notes_stay_within_their_budget_and_are_whole() -> None:
    assert render_notes([], []) == ""
    long = [a_reference(f"{number} " + "word " * 400, name=str(number)) for number in range(9)]
    notes = render_notes(found(*long[:5]), found(*long[5:]))
    assert len(notes) < NOTES_CHARACTERS + 300
    assert notes.count("Documentation in docs/a.md") == sum(render_note(one) in notes for one in long) > 1
    lines = [a_reference("\n".join(f"line {number} " + "x" * 90 for number in range(50)))]
    assert len(render_note(*lines)) < NOTE_CHARACTERS + 100


@pytest.mark.parametrize("attack", list(list_attacks()), ids=lambda attack: attack.name)
def test_no_text_of_a_stranger_leaves_its_bar_or_opens_a_turn(attack: Attack) -> None:
    text = "\n".join(attack.lines)
    said = a_reference(text, kind=ReferenceKind.REVIEW, code=text, path=attack.path)
    rows = render_notes(found(said), found(a_reference(text, name=attack.title + text))).split("\n")
    ours = (
        "Notes from this repository",
        "A reviewer of this team",
        "this:",
        "Documentation in ",
        "The hunk to review:",
    )
    assert all(row.startswith(("| ", *ours)) for row in rows)
    assert "<|" not in "\n".join(rows)
    assert all(len(row) <= 2 * LINE_WIDTH + 60 for row in rows)


def test_what_cannot_be_seen_is_taken_out() -> None:
    hidden = "\u202eabc\u200b\u2066d\U000e0041\x1b[31m\u2028e\rf"
    note = render_note(a_reference(hidden, name=hidden, path=hidden))
    assert not {"\u202e", "\u200b", "\u2066", "\U000e0041", "\x1b", "\u2028", "\r"} & set(note)
