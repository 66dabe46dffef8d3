"""Which words teach nothing. Every sentence here is made up."""

import time

import pytest

from app.domain.noise import decide_bot, decide_noise


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("LGTM", "praise"),
        ("Nice catch!", "praise"),
        ("Thanks for the clean-up :tada:", "praise"),
        ("@ann looks good to me 👍", "praise"),
        ("👍", "praise"),
        ("", "praise"),
        ("same here", "too_short"),
        ("@ann here too", "too_short"),
        ("Same as above.", "too_short"),
        ("ditto", "too_short"),
        ("hmm ok?", "too_short"),
        ("https://example.org/guide", "link_only"),
        ("[guide](https://example.org/guide)", "link_only"),
        ("Why was this removed?", "question_only"),
        ("What happens when the queue is empty?", "question_only"),
        ("Could you explain why this retries?", "question_only"),
        ("question: where is the lock taken?", "question_only"),
    ],
)
def test_noise(body: str, reason: str) -> None:
    noise = decide_noise(body)
    assert noise is not None
    assert noise.reason == reason


@pytest.mark.parametrize(
    "body",
    [
        "How about a constant?",
        "Could we reuse the client here?",
        "Why not use the builder?",
        "Why don't we close it first?",
        "What about the empty list?",
        "Should this be final?",
        "nit: blank line",
        "typo: recieve",
        "Rename to `offset`.",
        "`final`?",
        "Thanks, but please close the file.",
        "Is this used?",
        "What happens if it is null? Please add a test.",
        "Nice, could you add the same to the reader?",
        "```suggestion\nreturn None\n```",
        "See https://example.org/guide for how we name these.",
    ],
)
def test_demands_in_any_words_are_no_noise(body: str) -> None:
    assert decide_noise(body) is None


@pytest.mark.parametrize(
    ("login", "kind", "is_bot"),
    [
        ("dependabot[bot]", "Bot", True),
        ("release-bot", "User", True),
        ("codeclimate", "User", True),
        ("linter[bot]", "User", True),
        ("abbott", "User", False),
        ("botond", "User", False),
        ("ann", "User", False),
    ],
)
def test_machines_are_known_by_type_or_name(login: str, kind: str, *, is_bot: bool) -> None:
    assert decide_bot(login, kind) is is_bot


@pytest.mark.timeout(20)  # the old rules took minutes, or for ever, on any of these
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("love it " * 30 + "zebra", None),
        ("just curious " * 30 + "zebra?", None),
        ("[](" * 20_000, "praise"),  # no word in it
        ("[](" + " " * 60_000, "praise"),
        ("\n" * 60_000 + "> x", "praise"),
        ("thanks for the fix great catch " * 100, "praise"),
    ],
)
def test_no_stranger_can_keep_the_rules_busy(body: str, reason: str | None) -> None:
    before = time.process_time()
    noise = decide_noise(body)
    assert time.process_time() - before < 1.0
    assert (noise and noise.reason) == reason
