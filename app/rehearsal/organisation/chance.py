"""The only source of chance: seeded by words, so that every part of the story can be written again by itself."""

from random import Random


def seeded(*parts: object) -> Random:
    """A generator of its own for each combination of parts; stories hold no secrets."""
    return Random("/".join(str(part) for part in parts))  # noqa: S311
