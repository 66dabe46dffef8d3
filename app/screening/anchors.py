"""Literals that a pattern cannot match without, all looked for in one pass over the text. Pure."""

from collections.abc import Iterable, Mapping

from ahocorasick_rs import AhoCorasick, Implementation


class Anchors:
    """The literals must be lower case; the text's ASCII letters count in either case.

    An Aho-Corasick automaton of the Rust crate: 3 ns a character for 130 literals, where a search for one literal after
    the other takes 70 (ADR 0009).
    """

    def __init__(self, literals: Iterable[str]) -> None:
        self._literals = tuple(dict.fromkeys(literals))
        self._automaton = AhoCorasick(self._literals, implementation=Implementation.DFA)

    def find(self, text: str) -> Mapping[str, list[int]]:
        """Each literal that the text holds, with the positions of its first character, in order."""
        places: dict[str, list[int]] = {}
        for literal, start, _ in self._automaton.find_matches_as_indexes(lowered(text), overlapping=True):
            places.setdefault(self._literals[literal], []).append(start)
        return places


def lowered(text: str) -> str:
    """ASCII letters only, so of the same length; half a surrogate pair, which no encoding has, is made ?."""
    return text.encode(errors="replace").lower().decode()
