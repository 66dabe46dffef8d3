"""Where literals stand in a text, told in one pass."""

from app.screening.anchors import Anchors, lowered


def test_every_place_of_every_literal_is_told_overlapping_ones_too() -> None:
    found = Anchors(["token", "to", "en_to", "key"]).find("Token_TOKEN, tokentoken")
    assert found == {"token": [0, 6, 13, 18], "to": [0, 6, 13, 18], "en_to": [3]}


def test_places_count_characters_not_bytes() -> None:
    text = "Größe İ 🤖 API_KEY"
    assert Anchors(["key"]).find(text) == {"key": [text.index("KEY")]}
    assert text[Anchors(["key"]).find(text)["key"][0] :] == "KEY"


def test_half_a_surrogate_pair_hides_nothing() -> None:
    text = "\ud800 key"
    assert Anchors(["key"]).find(text) == {"key": [2]}
    assert len(lowered(text)) == len(text)
