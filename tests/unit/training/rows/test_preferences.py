"""Accepted and rejected comments: enough of both, and neither louder than 4:3."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import MagicMock

import pytest

from app.domain.diff_hunk import parse_diff_hunk
from app.domain.errors import UserError
from app.domain.examples import Evidence
from app.domain.prompt import Message
from app.domain.snapshots import CommentRow, HunkRow, OutcomeRow
from training.rows.preferences import decide_balance, pair_outcomes


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


def test_our_own_words_are_no_preference_though_their_prompt_is_known() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    place: dict[str, Any] = {"repository": "acme/store", "pull_request": 1, "created_at": at, "path": "a.py"}
    own = OutcomeRow(example="fp1:abc", line_text="x = 1", body="Our own words.", accepted=True, **place)
    comment = CommentRow(
        example=own.example,
        line=1,
        reviewer="mara",
        prompt=(Message(role="user", content="a.py"),),
        completion=(Message(role="assistant", content="Name it."),),
        weight=0.9,
        evidence=Evidence.LINE,
        **place,
    )
    hunk = HunkRow(examples=(own.example,), hunk=parse_diff_hunk("@@ -0,0 +1 @@\n+x = 1"), labels=(1,), **place)
    tokenizer = MagicMock()
    tokenizer.row.return_value.tokens = [1]
    theirs = own.model_copy(update={"example": "ex1:abc"})
    known = comment.model_copy(update={"example": theirs.example})
    found = pair_outcomes([own, theirs], [comment, known], [hunk], tokenizer, 100)
    assert len(found) == 1
    (asked,) = tokenizer.row.call_args_list
    assert asked.args[0] == theirs.example
