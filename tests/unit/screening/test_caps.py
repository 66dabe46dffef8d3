"""Nits and loud voices are capped, and the best of them stay."""

import pytest

from app.screening.caps import Caps, is_nit, select_over_cap, select_over_voice


@pytest.mark.parametrize(
    ("body", "nit"),
    [
        ("nit: two spaces", True),
        ("**Nit:** two spaces", True),
        ("super-nit, but two spaces here", True),
        ("Nitpick: rename it", True),
        ("Typo.", True),
        ("minor - rename it", True),
        ("Please initialise it here.", False),
        ("Nitrogen levels are read twice.", False),
        ("This is a nit.", False),
    ],
)
def test_what_its_author_calls_small(body: str, nit: bool) -> None:
    assert is_nit(body) is nit


def over(rows: list[tuple[str, float]], share: float, always: int = 0) -> list[int]:
    return select_over_cap(rows, lambda row: row[0] == "nit", lambda row: (row[1],), share, always)


def test_the_share_is_of_what_stays() -> None:
    rows = [("nit", 0.5)] * 50 + [("rule", 0.5)] * 80
    gone = over(rows, 0.2)
    assert len(rows) - len(gone) == 100
    assert gone == list(range(30))


def test_rows_of_more_worth_stay_then_the_newest() -> None:
    rows = [("nit", 0.9), ("nit", 0.4), ("nit", 0.9), ("rule", 1.0)]
    assert over(rows, 0.5) == [0, 1]


def test_few_rows_stay_whatever_their_share() -> None:
    assert over([("nit", 0.5)] * 9, 0.2, always=10) == []
    assert over([("nit", 0.5)] * 12, 0.2, always=10) == [0, 1]
    assert over([("nit", 0.5)] * 12, 1.0) == []


def test_the_loudest_of_four_voices_gets_half() -> None:
    rows = ["mara"] * 60 + ["jun"] * 15 + ["tim"] * 15 + ["ada"] * 10
    assert select_over_voice(rows, str, lambda _: (1.0,), Caps()) == list(range(20))


def test_a_team_of_three_is_left_as_it_is() -> None:
    assert select_over_voice(["mara"] * 90 + ["jun", "tim"], str, lambda _: (1.0,), Caps()) == []
