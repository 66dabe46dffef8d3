"""More than half must say the same, and one of them speaks."""

import pytest

from app.review.agreement import Agreed, measure_likeness, select_agreed

CENTS = "Keep the total in cents."
ALSO = "Please keep this total in cents!"
THIRD = "The total must be kept as cents"
LOG = "Log instead of printing."


@pytest.mark.parametrize(
    ("samples", "asked", "agreed"),
    [
        ([CENTS], 1, Agreed(0, 1)),
        ([None], 1, None),
        ([CENTS, ALSO, LOG], 3, Agreed(0, 2)),
        ([LOG, ALSO, CENTS], 3, Agreed(1, 2)),
        ([CENTS, LOG, None], 3, None),
        ([CENTS, ALSO, None, None], 4, None),
        ([CENTS, ALSO, None, None, ALSO], 5, Agreed(0, 3)),
        ([CENTS, None], 2, None),
        ([CENTS, ALSO], 2, Agreed(0, 2)),
        ([], 3, None),
        (["", "", ""], 3, None),
        (["!!", "!!", "??"], 3, Agreed(0, 2)),
    ],
)
def test_the_majority_of_all_that_were_asked(samples: list[str | None], asked: int, agreed: Agreed | None) -> None:
    assert select_agreed(samples, asked) == agreed


def test_likeness_is_of_words_that_carry_meaning() -> None:
    assert measure_likeness(CENTS, ALSO) == 1
    assert measure_likeness(CENTS, LOG) == 0
    assert measure_likeness("Use grossTotal.", "use gross_total") == 1
    assert 0.3 < measure_likeness(CENTS, THIRD) < 1
    assert measure_likeness("you can do it", "we will use that") == 0
