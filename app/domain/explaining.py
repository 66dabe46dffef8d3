"""What a person is told of a record that is not as described."""

from typing import NamedTuple

from pydantic import ValidationError


class Explained(NamedTuple):
    """`field` is dotted, `words` say what is wrong with it, `given` is the start of what came."""

    field: str
    words: str
    given: str


def explain(error: ValidationError, *, whole: str) -> Explained:
    """The first thing that is wrong. `whole` names the record when it is wrong as such."""
    first = error.errors(include_url=False, include_context=False)[0]
    return Explained(
        field=".".join(str(part) for part in first["loc"]) or whole,
        words=first["msg"].removeprefix("Value error, "),
        given=str(first["input"])[:60],
    )
