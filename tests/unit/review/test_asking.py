"""Questions end with their time, and a failure ends them all."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.domain.errors import RetryLater
from app.review.asking import Late, ask_within
from app.review.budget import count_affordable, estimate_tokens


async def answer(text: str, seconds: float = 0) -> str:
    await asyncio.sleep(seconds)
    return text


def ask(text: str, seconds: float = 0) -> Callable[[], Awaitable[str]]:
    return lambda: answer(text, seconds)


async def test_what_comes_late_is_cancelled_and_said() -> None:
    stopped: list[str] = []

    async def slow() -> str:
        try:
            return await answer("never", 60)
        except asyncio.CancelledError:
            stopped.append("slow")
            raise

    assert await ask_within(0.05, [ask("a"), slow, ask("b")]) == ["a", Late.LATE, "b"]
    assert stopped == ["slow"]
    assert await ask_within(1, list[Callable[[], Awaitable[str]]]()) == []


async def test_no_more_are_under_way_at_once_than_a_server_takes() -> None:
    under_way, most = 0, 0

    async def count() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    assert len(await ask_within(5, [count] * 90)) == 90
    assert most == 32


async def test_a_failure_is_raised_at_once() -> None:
    async def fail() -> str:
        raise RetryLater("away", 5)

    async with asyncio.timeout(5):
        with pytest.raises(RetryLater):
            await ask_within(60, [ask("a", 60), fail])


@pytest.mark.parametrize(
    ("costs", "budget", "count"), [([], 1, 0), ([5, 5], 10, 2), ([5, 6], 10, 1), ([11, 1], 10, 0), ([5, 9, 1], 10, 1)]
)
def test_the_first_question_past_the_budget_ends_it(costs: list[int], budget: int, count: int) -> None:
    assert count_affordable(costs, budget) == count


def test_an_estimate_is_never_nothing_for_words() -> None:
    assert [estimate_tokens(text) for text in ("", "a", "abc", "abcd", "語")] == [0, 1, 2, 2, 2]
