"""Words of other people on a page of ours: every character that cannot be seen is shown by its number."""

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


def code_span(text: str) -> str:
    """Text of others as a Markdown code span that nothing in it can end."""
    return f"`{' '.join(readable(text).replace('`', chr(39)).split())}`"
