"""Accepted and rejected comments: enough of both, and neither louder than 4:3."""

import pytest

from app.domain.errors import UserError
from training.rows.preferences import decide_balance


@pytest.mark.parametrize(("accepted", "rejected"), [(50, 50), (57, 43), (90, 10), (10, 90), (95, 5), (5, 95)])
def test_the_weights_bring_both_kinds_near_each_other(accepted: int, rejected: int) -> None:
    balance = decide_balance([True] * accepted + [False] * rejected)
    ratio = accepted * balance.accepted_weight / (rejected * balance.rejected_weight)
    assert 1 - 1e-9 <= ratio <= 4 / 3 + 1e-9
    assert min(balance.accepted_weight, balance.rejected_weight) == 1.0


@pytest.mark.parametrize(("accepted", "rejected"), [(96, 4), (4, 96), (10, 0), (0, 0)])
def test_almost_only_one_kind_is_refused_with_the_figures(accepted: int, rejected: int) -> None:
    with pytest.raises(UserError, match=f"{accepted} accepted and {rejected} rejected"):
        decide_balance([True] * accepted + [False] * rejected)
