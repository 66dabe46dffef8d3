"""Words of other people on a page of ours, or before a model: characters that cannot be seen are shown by their number,
or taken out."""

import unicodedata

#: Control, format (reading order), surrogate, private and unassigned characters.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def readable(text: str) -> str:
    """The text with every unseen character but line feeds and tabs as ⟨U+202E⟩. Safe markup stays what it is."""
    if hasattr(text, "__html__"):
        return text
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in _UNSEEN else f"⟨U+{ord(char):04X}⟩"
        for char in text.replace("\r\n", "\n")
    )


def without_unseen(text: str) -> str:
    """The text without what cannot be seen; line feeds and tabs stay. For machines, whom a number would only puzzle."""
    whole = text.replace("\r\n", "\n")
    return "".join(char for char in whole if char in "\n\t" or unicodedata.category(char) not in _UNSEEN)


def code_span(text: str) -> str:
    """Text of others as a Markdown code span that nothing in it can end."""
    return f"`{' '.join(readable(text).replace('`', chr(39)).split())}`"
