"""Scorings never meet another request, and are not kept waiting by a stream of answers."""

import asyncio

from serving.turnstile import Turnstile


async def test_answers_meet_and_scorings_do_not() -> None:
    turnstile = Turnstile()
    inside: list[str] = []
    met: set[frozenset[str]] = set()

    async def pass_through(name: str, *, alone: bool) -> None:
        async with turnstile.alone() if alone else turnstile.together():
            inside.append(name)
            for _ in range(3):
                met.add(frozenset(inside))
                await asyncio.sleep(0)
            inside.remove(name)

    await asyncio.gather(*(pass_through(f"{at}", alone=at % 3 == 0) for at in range(30)))
    assert any(len(group) > 1 for group in met), "answers go together"
    assert all(len(group) == 1 for group in met if any(int(name) % 3 == 0 for name in group))


async def test_a_scoring_goes_before_answers_that_come_later_and_one_that_gives_up_blocks_nobody() -> None:
    turnstile = Turnstile()
    order: list[str] = []

    async def score() -> None:
        async with turnstile.alone():
            order.append("score")

    async def answer() -> None:
        async with turnstile.together():
            order.append("answer")

    async with turnstile.together():
        scoring = asyncio.create_task(score())
        given_up = asyncio.create_task(score())
        await asyncio.sleep(0)
        late = asyncio.create_task(answer())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(scoring, late), 5)
    assert order == ["score", "answer"]
