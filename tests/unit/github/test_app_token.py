from datetime import UTC, datetime, timedelta

import pytest

from app.github.app_token import sign_app_token
from app.rehearsal.standin.answers import Refusal
from app.rehearsal.standin.auth import AppKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = AppKey()


@pytest.mark.parametrize("minutes", [-3, -2, 0, 2, 3])
def test_a_token_is_good_on_clocks_that_differ_by_minutes(minutes: int) -> None:
    KEY.check(sign_app_token("1", KEY.pem, NOW), app_id=1, now=NOW + timedelta(minutes=minutes))


def test_it_lives_for_minutes_only() -> None:
    with pytest.raises(Refusal, match="Expiration time"):
        KEY.check(sign_app_token("1", KEY.pem, NOW), app_id=1, now=NOW + timedelta(minutes=6))
