"""Whether a string was drawn by a machine or written by a person, as far as its characters tell. Pure."""

import math
import re
from collections import Counter

#: Bits per character. Text of names stays under 3.3 at this length; random letters and digits are over 3.4 from 14 on.
LEAST_ENTROPY = 3.0
#: Share of characters in runs that read like words, from which a string is a name that somebody chose.
MOST_WORDS = 0.6
#: The same where three or four kinds of characters are mixed, which names seldom do.
MOST_WORDS_MIXED = 0.75

_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)
_CLUSTER = re.compile(r"[^aeiouy]{4}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"example|placeholder|change.?me|(?<![a-z0-9])(your[-_]|(?-i:my[-_][a-z]|MY_[A-Z]))|dummy|sample|redacted|replace|<\w|x{4}|\*{3}|\.{3}"
    r"|0123456789|123456789|abcdef|[$%#]\{|\{\{|\$\(|%\(|\(\)|::|->",
    re.IGNORECASE,
)


def entropy(text: str) -> float:
    """Shannon entropy in bits per character; 0 for the empty text."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def is_placeholder(text: str) -> bool:
    """It stands for a secret and is none: documentation's examples, templates, runs of one character."""
    return _PLACEHOLDER.search(text) is not None or len(set(text)) < 5


def is_random(text: str) -> bool:
    """At least ten characters that no person would choose. UUIDs are names of things and not counted."""
    if len(text) < 10 or is_placeholder(text) or _UUID.fullmatch(text) or entropy(text) < LEAST_ENTROPY:
        return False
    if _HEX.fullmatch(text):
        return len(text) >= 24
    return classes(text) >= (2 if len(text) >= 16 else 3) and not reads_like_words(text)


def reads_like_words(text: str) -> bool:
    """Most of it is runs of letters that can be spoken: each with a vowel, none with four consonants in a row."""
    spoken = (run for run in _WORD.findall(text) if _VOWEL.search(run) and not _CLUSTER.search(run))
    return sum(map(len, spoken)) >= (MOST_WORDS if classes(text) < 3 else MOST_WORDS_MIXED) * len(text)


def classes(text: str) -> int:
    """How many of lower case, upper case, digits and signs occur."""
    return (
        any(char.islower() for char in text)
        + any(char.isupper() for char in text)
        + any(char.isdigit() for char in text)
        + any(not char.isalnum() for char in text)
    )
