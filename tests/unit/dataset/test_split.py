"""Time split and one answer per prompt."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.dataset.split import decide_split, settle_comments
from app.domain.examples import Evidence
from app.domain.prompt import Message, render_completion
from app.domain.snapshots import CommentRow

BEGINNING = datetime(2026, 1, 5, tzinfo=UTC)


def a_row(prompt: str, completion: str, *, number: int = 1) -> CommentRow:
    return CommentRow(
        example=f"ex1:{prompt}{completion}{number}",
        repository="acme/store",
        pull_request=number,
        created_at=BEGINNING,
        path="f.py",
        line=1,
        reviewer="mara",
        prompt=(Message(role="user", content=prompt),),
        completion=(render_completion(completion),),
        weight=0.9,
        evidence=Evidence.LINE,
    )


def test_the_newest_fifth_is_held_out() -> None:
    pulls = [(BEGINNING + timedelta(days=number), ("acme/store", number)) for number in range(10)]
    split = decide_split([*reversed(pulls), pulls[3]])
    assert [number for (_, number), part in split.parts.items() if part == "heldout"] == [8, 9]
    assert split.rule == "by creation date: the first 8 of 10 pull requests train"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9))))
def test_no_pull_request_is_older_in_the_held_out_part(given_pulls: list[tuple[int, int]]) -> None:
    pulls = {number: (BEGINNING + timedelta(days=day), ("r/r", number)) for day, number in given_pulls}
    parts = decide_split(pulls.values()).parts
    train = [pulls[number][0] for (_, number), part in parts.items() if part == "train"]
    heldout = [pulls[number][0] for (_, number), part in parts.items() if part == "heldout"]
    assert max(train, default=BEGINNING) <= min(heldout, default=BEGINNING + timedelta(days=9))
    assert bool(heldout) == (len(parts) > 1)


def test_contradictions_are_counted_and_the_newest_stands() -> None:
    rows = [a_row("p", "old"), a_row("q", "same"), a_row("p", "new", number=2), a_row("q", "same", number=2)]
    train, _ = settle_comments(rows, [])
    assert [row.completion for row in train.rows] == [rows[2].completion, rows[3].completion]
    assert train.left_out == {"train:contradiction": 1, "train:duplicate": 1}


def test_no_prompt_is_on_both_sides() -> None:
    train, heldout = settle_comments([a_row("p", "a"), a_row("q", "b")], [a_row("p", "c", number=9)])
    assert [row.prompt[0].content for row in train.rows] == ["q"]
    assert train.left_out == {"train:prompt_in_heldout": 1}
    assert len(heldout.rows) == 1


def a_prompt(*, name: str = "total", last: str = "tax = order.tax(total)") -> str:
    shown = [f" +    {name}_{at} = order.price({at}, rate={at})" for at in range(8)]
    return "\n".join(["app/orders.py", *shown, f">+    {last}", f"line: {last}"])


NEARLY = a_prompt().replace("price(3, rate=3)", "price(3, rates=3)")


def test_near_duplicates_leave_the_newest() -> None:
    rows = [a_row(a_prompt(), "Take the tax from the table."), a_row(NEARLY, "take the tax  from the table.", number=2)]
    train, _ = settle_comments(rows, [])
    assert [row.pull_request for row in train.rows] == [2]
    assert train.left_out == {"train:near_duplicate": 1}
    assert train.contradictions == ()


def test_nothing_near_a_held_out_row_is_trained_on_whatever_it_says() -> None:
    rows = [a_row(NEARLY, "Never."), a_row(a_prompt(name="sum"), "Close it.", number=2)]
    train, heldout = settle_comments(rows, [a_row(a_prompt(), "Take the tax from the table.", number=9)])
    assert [row.pull_request for row in train.rows] == [2]
    assert train.left_out == {"train:near_duplicate_of_heldout": 1}
    assert len(heldout.rows) == 1


def test_contradictions_are_shown_with_both_sides() -> None:
    almost = a_prompt().replace("price(3, rate=3)", "price(3, rate=4)")
    rows = [
        a_row(a_prompt(), "Take it from the table."),
        a_row(a_prompt(), "Ask the customer.", number=2),
        a_row(almost, "Take the tax out.", number=3),
        a_row(a_prompt(last="tax = 3"), "No number here.", number=4),
    ]
    train, _ = settle_comments(rows, [])
    assert [row.pull_request for row in train.rows] == [3, 4]
    assert train.left_out == {"train:contradiction": 1, "train:near_contradiction": 1}
    assert [(found.dropped.pull_request, found.kept.pull_request) for found in train.contradictions] == [(1, 2), (2, 3)]
    assert train.contradictions[0].likeness == 1
    assert 0.9 <= train.contradictions[1].likeness < 1


def test_nits_over_their_cap_are_left_out_and_counted() -> None:
    nits = [a_row(f"n{at}", "nit: two spaces", number=at) for at in range(20)]
    rules = [a_row(f"r{at}", "Take the logger.", number=at) for at in range(48)]
    train, _ = settle_comments([*nits, *rules], nits)
    assert train.left_out["train:prompt_in_heldout"] == 20
    train, _ = settle_comments([*nits, *rules], [])
    assert train.left_out == {"train:nit_over_cap": 8}
    assert len(train.rows) == 60


def test_one_reviewer_of_four_gets_half_of_the_training_rows_and_all_of_the_held_out() -> None:
    loud = [a_row(f"m{at}", "Take the logger.", number=at) for at in range(30)]
    other = [a_row(f"o{at}", "Close it.", number=at).model_copy(update={"reviewer": "abc"[at % 3]}) for at in range(20)]
    train, _ = settle_comments([*loud, *other], [])
    assert train.left_out == {"train:reviewer_over_cap": 10}
    assert len(train.rows) == 40
    _, heldout = settle_comments([], [*loud, *other])
    assert len(heldout.rows) == 50
