"""What nobody showed the model it can't speak of; what a team asks for by name it may."""

import time

import pytest

from app.review.unseen import collect_names, find_unseen

SHOWN = "src/store/Order.java\n > total = price * 1.2\n   Ledger.add(total)"


@pytest.mark.parametrize(
    ("comment", "claim"),
    [
        ("As on line 40, this is wrong.", "line 40"),
        ("See lines 40-44.", "lines 40-44"),
        ("See L40.", "L40"),
        ("This breaks Basket.java.", "Basket.java"),
        ("See `src/store/Basket.java`.", "src/store/Basket.java"),
        ("It is defined in `Basket`.", "defined in `Basket`"),
        ("Already handled by checkBasket(x).", "handled by checkBasket("),
        ("`total` is not defined.", "is not defined"),
        ("The same is done elsewhere.", "elsewhere"),
    ],
)
def test_claims_about_code_that_was_not_shown(comment: str, claim: str) -> None:
    assert find_unseen(comment, SHOWN) == claim


@pytest.mark.parametrize(
    "comment",
    [
        "Use `Clock.now()` instead.",
        "Rename it to `grossTotal`.",
        "How about `Money.of(price)`?",
        "`Order.java` has no test.",
        "It is used in `Ledger`.",
        "See https://example.org/a/Basket.java#L40.",
        "Keep lines under 100 characters.",
        "Split this line in two.",
        "Use e.g. 1.2 of the config.",
        "Should be\n```java\nreturn Basket.java; // line 40\n```",
        "`nowhere` is a poor name.",
        "`l2` may be null here, and L2 regularisation fits in the L3 cache.",
        "`user` is undefined on the first render.",
        "If the key does not exist this throws.",
        "Extract this into another class.",
    ],
)
def test_wishes_and_what_was_shown_are_no_claims(comment: str) -> None:
    assert find_unseen(comment, SHOWN) == ""


def test_what_the_team_names_in_its_reviews_is_known() -> None:
    vocabulary = collect_names(["Always go through Basket."])
    assert find_unseen("This is done in Basket.java: used in `Basket`.", SHOWN, vocabulary) == ""


def test_numbers_that_were_shown_may_be_named() -> None:
    assert find_unseen("As on lines 3 to 5.", SHOWN, numbers=[3, 4, 5]) == ""
    assert find_unseen("As on lines 3 to 6.", SHOWN, numbers=[3, 4, 5]) == "lines 3 to 6"


def test_hostile_words_cost_no_time() -> None:
    began = time.thread_time()
    for part in ("a/", "a.", "`", "line ", "defined in the ", "x://", "```", "a-", "is ", "used "):
        find_unseen(part * 20_000, SHOWN)
    assert time.thread_time() - began < 1
