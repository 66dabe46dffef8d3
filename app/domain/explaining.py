"""What a person is told of a record, or of a word of theirs, that is not as described."""

from typing import NamedTuple

from pydantic import ValidationError

_SHOWN = 60


class Explained(NamedTuple):
    """`field` is dotted, `words` say what is wrong with it, `given` is the start of what came."""

    field: str
    words: str
    given: str


def show_given(given: object) -> str:
    """`, got '…'` to go behind what was expected; "" for what may hold a password: an address with a user in it, or one
    with a query."""
    text = str(given)
    return "" if set("@?") & set(text) else f", got {text[:_SHOWN]!r}"


def explain(error: ValidationError, *, whole: str) -> Explained:
    """The first thing that is wrong. `whole` names the record when it is wrong as such."""
    first = error.errors(include_url=False, include_context=False)[0]
    return Explained(
        field=".".join(str(part) for part in first["loc"]) or whole,
        words=first["msg"].removeprefix("Value error, "),
        given=str(first["input"])[:_SHOWN],
    )
