"""The screen that every Example passes before it is stored. Pure."""

from collections.abc import Iterable

from app.domain.examples import Example
from app.domain.noise import Noise
from app.domain.written import WrittenExample
from app.screening.content import decide_content
from app.screening.personal import find_personal_data
from app.screening.secrets import find_secret, find_unread


def decide_screened(example: Example) -> Noise | None:
    """The first reason why this Example may not be kept, by everything that would be stored of it."""
    return decide_content(example.body, example.hunk) or decide_texts(_texts(example))


def decide_screened_written(example: WrittenExample) -> Noise | None:
    return decide_texts((bare_diff(example.context), example.text))


def decide_texts(texts: Iterable[str]) -> Noise | None:
    """Whether any text holds a secret or personal data, or could not be looked through. `detail` names the kind and
    never what was found."""
    read = tuple(texts)
    unread = next((why for why in map(find_unread, read) if why is not None), None)
    if unread is not None:
        return Noise(reason="not_screened", detail=f"it holds a {unread}, which is not looked through; nothing is kept")
    secret = next((kind for kind in map(find_secret, read) if kind is not None), None)
    if secret is not None:
        return Noise(reason="secret", detail=f"it holds a {secret}; nothing of it is kept")
    personal = next((kind for kind in map(find_personal_data, read) if kind is not None), None)
    if personal is not None:
        return Noise(reason="personal_data", detail=f"it holds a {personal}; nothing of it is kept")
    return None


def _texts(example: Example) -> Iterable[str]:
    yield example.body or ""
    # One side at a time: a key of several lines stands whole on the side that has it.
    sides = (
        "\n".join(line.text for line in example.hunk.lines if line.kind != other) for other in ("removed", "added")
    )
    yield from dict.fromkeys(sides)
    for hunk in example.fix.hunks if example.fix is not None else ():
        yield bare_diff(hunk)


def bare_diff(diff: str) -> str:
    """A diff without the marks before its lines, so that a string over several lines is one again."""
    return "\n".join(line[1:] if line[:1] in "+- " else line for line in diff.split("\n"))
