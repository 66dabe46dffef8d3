"""The budget of bodies that nobody vouches for yet."""

import pytest

from app.domain.errors import Refused
from app.intake.unverified import UnverifiedBytes


def test_what_is_over_is_refused_and_what_ends_is_given_back() -> None:
    budget = UnverifiedBytes(10)
    with budget.share() as first:
        first.take(6)
        with budget.share() as second:
            second.take(4)
            with pytest.raises(Refused) as refused:
                second.take(1)
        assert refused.value.reason == "no_room"
        assert budget.held == 6
        with budget.share() as third:
            third.take(4)
    assert budget.held == 0
