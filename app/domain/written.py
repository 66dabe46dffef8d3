"""What a team wrote that is no review comment: pull request descriptions, commit messages, docstrings."""

from datetime import datetime
from enum import StrEnum

from app.domain.base import Record, content_hash


class WrittenKind(StrEnum):
    PULL_REQUEST = "pull_request"
    COMMIT = "commit"
    DOCSTRING = "docstring"


class WrittenExample(Record):
    """A change or a function beside the words its author wrote about it. The hash covers every field.

    `context` is what the words are about: a unified diff without its file headers' hashes, or the code of a function
    with its docstring taken out. `text` is the words: title, blank line and body; the commit message; the docstring.
    """

    kind: WrittenKind
    host: str
    repository_id: int
    repository: str
    #: None for history that no pull request is known for
    pull_request: int | None = None
    commit_sha: str
    written_at: datetime
    #: GitHub login where the API told it, else the git author's name: a label for people, never a proof of who it was
    author: str | None = None
    #: `author_key` of the git author's address, so that a person can be erased without keeping the address
    author_key: str | None = None
    path: str | None = None
    #: a tree-sitter grammar's name, for docstrings
    language: str | None = None
    #: qualified name of the function
    function: str | None = None
    context: str
    text: str

    @property
    def hash(self) -> str:
        return content_hash("ex1", self.model_dump(mode="json"))


def author_key(address: str) -> str:
    """The address of a git author as a key that tells the same person again and is no address."""
    return content_hash("au1", address.strip().lower())
