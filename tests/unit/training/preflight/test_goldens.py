"""The ids of fixed texts, as first published: a dependency that changes them fails here, and at train and load."""

from copy import deepcopy
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.domain.goldens import FILE, Goldens, find_difference
from training.base.goldens import check_goldens, load_goldens, make_goldens
from training.base.tokens import load_tokenizer
from training.rows.tokenising import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> Tokenizer:
    return load_tokenizer(tiny_base)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Goldens:
    found = load_goldens(tmp_path_factory.mktemp("bare"), name="SmolLM2-135M-Instruct")
    assert found is not None
    return found


def test_the_embedded_tokenizer_is_the_published_one(tokenizer: Tokenizer, published: Goldens) -> None:
    check_goldens(published, tokenizer)


def test_a_base_is_made_with_its_goldens(tiny_base: Path, tokenizer: Tokenizer) -> None:
    assert Goldens.model_validate_json((tiny_base / FILE).read_bytes()) == make_goldens(tokenizer)


def test_a_changed_id_is_named(tokenizer: Tokenizer, published: Goldens) -> None:
    first = published.texts[0]
    changed = first.model_copy(update={"tokens": (*first.tokens[:3], 9, *first.tokens[4:])})
    with pytest.raises(UserError, match="token 3 was 9"):
        check_goldens(published.model_copy(update={"texts": (changed, *published.texts[1:])}), tokenizer)


def test_a_changed_template_is_named(tokenizer: Tokenizer, published: Goldens) -> None:
    other = deepcopy(tokenizer.raw)
    other.chat_template = "x" + other.chat_template
    with pytest.raises(UserError, match="golden prompt 0"):
        check_goldens(published, Tokenizer(other))


def test_a_base_of_somebody_without_goldens_has_none(tmp_path: Path) -> None:
    assert load_goldens(tmp_path, name="theirs") is None


@pytest.mark.parametrize(
    ("stored", "found", "said"),
    [
        ((1, 2), (1, 2), None),
        ((1, 2), (1, 3), "token 1 was 2 and is 3"),
        ((1, 2), (1,), "token 1 was 2 and is absent"),
        ((1,), (1, 2), "token 1 was absent and is 2"),
    ],
)
def test_the_first_difference_is_told(stored: tuple[int, ...], found: tuple[int, ...], said: str | None) -> None:
    difference = find_difference(stored, found)
    assert difference is None if said is None else (difference or "").startswith(said)
