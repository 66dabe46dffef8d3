"""Does the server make the same tokens of the same words as the training did? Asked at every load."""

from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from app.domain.errors import Refused
from app.domain.goldens import FILE, Goldens, find_difference
from app.domain.prompt import Message


class TokenSource(Protocol):
    async def tokenize_text(self, name: str, text: str) -> tuple[int, ...]: ...

    async def tokenize_prompt(self, name: str, messages: tuple[Message, ...]) -> tuple[int, ...]: ...


def read_goldens(path: Path) -> Goldens:
    """Raises: Refused when the file holds none, or too little to prove anything."""
    try:
        goldens = Goldens.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise Refused("goldens", f"{path.name} must hold golden tokens: {error.errors()[0]['msg']}") from error
    if not goldens.texts or not goldens.prompts:
        raise Refused("goldens", f"{FILE} is empty; without it nothing proves that the server renders as training did")
    return goldens


async def compare_goldens(source: TokenSource, name: str, goldens: Goldens) -> None:
    """Post every golden text and prompt to the server under the adapter's name.

    Raises:
        Refused: `goldens`, with the first that comes out otherwise.
    """
    for item in goldens.texts:
        _check(repr(item.text[:40]), item.tokens, await source.tokenize_text(name, item.text))
    for number, prompt in enumerate(goldens.prompts):
        found = await source.tokenize_prompt(name, prompt.messages)
        _check(f"golden prompt {number}", prompt.tokens, found)


def _check(what: str, wanted: tuple[int, ...], found: tuple[int, ...]) -> None:
    difference = find_difference(wanted, found)
    if difference is not None:
        raise Refused(
            "goldens",
            f"the server's tokenizer or template is not the training's: in {what} {difference}; serve with the "
            "versions that the adapter was trained with, or retrain it",
        )
