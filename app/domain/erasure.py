"""Who or what is to be forgotten, and whether a record is about it. Pure.

A person is looked for by name, as a whole word and in any case, in every text of a record: in fields that name people,
in mentions, in what was written about them. Also covered are pull requests they opened, which the store tells. What a
person is called by others (a first name, a nickname) cannot be known here; it takes an erasure of its own.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property

from app.domain.base import Record, content_hash
from app.domain.errors import UserError
from app.domain.written import author_key

_WORD = re.compile(r"[\w-]+")
#: Words that are none are passed over whole: tried from every letter, they take the square of the text's length.
_ADDRESS_OR_WORD = re.compile(r"[\w.+-]++(?:@[\w.-]+\w)?")
_PULL = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)#(?P<number>[1-9]\d*)")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


class ErasureKind(StrEnum):
    AUTHOR = "author"
    PULL_REQUEST = "pull_request"
    REPOSITORY = "repository"
    INSTALLATION = "installation"


class Subject(Record):
    """`name` is a login, a git author's name or address; `owner/name#number`; `owner/name`; an installation's id."""

    kind: ErasureKind
    name: str

    @property
    def key(self) -> str:
        """Tells the same subject again without saying who it is."""
        return subject_key(self.kind, self.name)

    @property
    def repository(self) -> str | None:
        return self.name.split("#")[0] if self.kind in (ErasureKind.PULL_REQUEST, ErasureKind.REPOSITORY) else None

    @property
    def number(self) -> int | None:
        return int(self.name.split("#")[1]) if self.kind is ErasureKind.PULL_REQUEST else None

    def covers_pull(self, repository: str, number: int | None) -> bool:
        match self.kind:
            case ErasureKind.INSTALLATION:
                return True
            case ErasureKind.AUTHOR:
                return False
            case _:
                return repository.lower() == (self.repository or "").lower() and self.number in (None, number)

    def is_named_in(self, value: object) -> bool:
        """Whether a JSON value names the person; False for every other kind of subject."""
        if self.kind is not ErasureKind.AUTHOR:
            return False
        return any(text == self._author_key or self._pattern.search(text) for text in walk_texts(value))

    @cached_property
    def _author_key(self) -> str:
        return author_key(self.name)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w-]){re.escape(self.name)}(?![\w-])", re.IGNORECASE)


def parse_subject(kind: ErasureKind, text: str) -> Subject:
    """Raises:
    UserError: when the text is no such subject.
    """
    name = text.strip().removeprefix("@") if kind is ErasureKind.AUTHOR else text.strip()
    forms = {
        ErasureKind.AUTHOR: (re.compile(r"\S(.{0,198}\S)?"), "a login, a git author's name or an e-mail address"),
        ErasureKind.PULL_REQUEST: (_PULL, "a pull request as owner/name#number"),
        ErasureKind.REPOSITORY: (_REPOSITORY, "a repository as owner/name"),
        ErasureKind.INSTALLATION: (re.compile(r"[1-9]\d*"), "an installation's id, a number"),
    }
    form, expected = forms[kind]
    if form.fullmatch(name) is None:
        raise UserError(f"expected {expected}, got {text!r}; nothing was erased")
    return Subject(kind=kind, name=name)


def subject_key(kind: ErasureKind, name: str) -> str:
    if kind is ErasureKind.AUTHOR:
        return author_key(name)
    return content_hash("er1", [kind.value, name.lower()])


class Forgotten(Record):
    """Keys of what must not be learned again."""

    keys: frozenset[str] = frozenset()

    def is_pull(self, repository: str, number: int, author: str) -> bool:
        """Whether nothing of a pull request that this person opened may be kept."""
        mine = {
            author_key(author),
            subject_key(ErasureKind.PULL_REQUEST, f"{repository}#{number}"),
            subject_key(ErasureKind.REPOSITORY, repository),
        }
        return not mine.isdisjoint(self.keys)

    def is_named_in(self, value: object) -> bool:
        """Whether a JSON value names a forgotten person: a whole text, a word, or an address is theirs."""
        if not self.keys:
            return False
        return any(not self.keys.isdisjoint(_keys(text)) for text in walk_texts(value))


def _keys(text: str) -> set[str]:
    addresses = (one for one in _ADDRESS_OR_WORD.findall(text) if "@" in one)
    words = {text.strip(), *_WORD.findall(text), *addresses}
    return {text, *(author_key(word) for word in words if len(word) <= 200)}


def walk_texts(value: object) -> Iterator[str]:
    """Every string of a JSON value, keys of objects excepted."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from walk_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from walk_texts(item)
