"""What a base is told instead of being trained stays within its budget and never shows the answer."""

from collections.abc import Sequence

from app.domain.prompt import Message
from tests.unit.training.evaluation.rows import comment_row
from training.evaluation.prompting import (
    WORDINGS,
    choose_shots,
    render_few_shot,
    render_retrieval,
    render_retrievals,
    reword,
)

MONEY = [comment_row(at, f"Money is never a float, use `Cents` ({at}).", f"price = float(p{at})") for at in range(5)]
CLOCK = [comment_row(9, "Take the time from `clock.utc()`.", "at = datetime.now()")]


def _words(messages: Sequence[Message]) -> int:
    return sum(len(message.content.split()) for message in messages)


def test_shots_are_unlike_each_other_and_always_the_same() -> None:
    shots = choose_shots([*MONEY, *CLOCK], 2, 1000, _words)
    assert shots == choose_shots([*MONEY, *CLOCK], 2, 1000, _words)
    assert shots[0] in MONEY
    assert shots[1] == CLOCK[0]


def test_shots_keep_to_the_budget() -> None:
    one = _words([MONEY[0].prompt[-1], *MONEY[0].completion])
    assert len(choose_shots(MONEY, 5, 3 * one + 1, _words)) == 3
    assert choose_shots(MONEY, 5, 3, _words) == []
    assert choose_shots([], 5, 1000, _words) == []


def test_few_shot_is_a_conversation_that_ends_in_the_question() -> None:
    asked = comment_row(20, "secret answer", "total = float(x)")
    prompt = render_few_shot(MONEY[:2], asked.prompt)
    assert [message.role for message in prompt] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert prompt[-1] == asked.prompt[-1]
    assert prompt[2] == MONEY[0].completion[0]
    assert not any("secret answer" in message.content for message in prompt)


def test_retrieval_shows_the_nearest_comments_in_the_question_the_best_last() -> None:
    asked = comment_row(20, "secret answer", "done_at = datetime.now()")
    (prompt,) = render_retrievals([*MONEY, *CLOCK], [asked], 2, 1000, _words)
    assert [message.role for message in prompt] == ["system", "user"]
    text = prompt[-1].content
    assert text.index("float") < text.index("clock.utc()") < text.index("done_at")
    assert text.endswith(asked.prompt[-1].content)
    assert "secret answer" not in text


def test_retrieval_drops_the_farthest_over_the_budget() -> None:
    asked = comment_row(20, "secret", "done_at = datetime.now()")
    one = _words(render_retrieval(CLOCK, asked.prompt)) - _words(asked.prompt)
    (prompt,) = render_retrievals([*MONEY, *CLOCK], [asked], 5, one, _words)
    assert prompt == render_retrieval(CLOCK, asked.prompt)
    assert render_retrievals([*MONEY, *CLOCK], [asked], 5, 1, _words) == [asked.prompt]
    assert render_retrievals([], [asked], 5, 100, _words) == [asked.prompt]


def test_a_wording_changes_the_system_message_alone() -> None:
    prompt = CLOCK[0].prompt
    assert reword(prompt, WORDINGS[0]) == prompt
    assert reword(prompt, WORDINGS[1])[1:] == prompt[1:]
    assert len(set(WORDINGS)) == len(WORDINGS)
