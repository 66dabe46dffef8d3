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
