"""What of a commit or a pull request is learned from, and why the rest is not. Pure, with a reader of blobs given.

Every answer is a WrittenExample or a LeftOut with a stable word; the words are counted and shown.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from app.domain.base import Record
from app.domain.noise import decide_bot
from app.domain.written import WrittenExample, WrittenKind, author_key
from app.github.harvested import HarvestedPull
from app.history.changes import MOST_LINES, CommitChange, FileChange
from app.history.docstrings import Documented, parse_docstrings
from app.history.languages import Language, select_language
from app.history.words import (
    decide_docstring_noise,
    decide_length,
    decide_message_noise,
    render_description,
    render_words,
)
from app.screening.screen import decide_screened_written

#: Changed lines below which a change is usually a typo fix (finetuning-rules; 20 to 150 are best).
FEWEST_LINES = 10
#: Lines of a documented function: the words at an accessor repeat its name, a long function fits no prompt.
FEWEST_CODE_LINES = 5
MOST_CODE_LINES = 300


class Origin(Record):
    """The repository that a history is of. `repository_id` is GitHub's number, 0 where GitHub does not know it."""

    host: str
    repository_id: int
    repository: str


class PullRequestWords(NamedTuple):
    """A pull request with the body that its author wrote, and the merge base that its diff is taken against.

    For one that is merged, the merge base is that of the head and the base branch *before* the merge.
    """

    pull: HarvestedPull
    body: str
    base_sha: str


class LeftOut(NamedTuple):
    """`reason` is a stable word; `where` names the commit or pull request, and path and function for a docstring."""

    kind: WrittenKind
    reason: str
    where: str


Found: TypeAlias = WrittenExample | LeftOut


def decide_commit(change: CommitChange, origin: Origin) -> Found:
    """Commit message + diff."""
    text, unsaid = _read_message(change.message)
    reason = _decide_author(change) or unsaid or decide_change(change.files)
    if reason is not None or change.written_at is None:
        return LeftOut(WrittenKind.COMMIT, reason or "no_date", change.sha)
    example = WrittenExample(
        kind=WrittenKind.COMMIT,
        **origin.model_dump(),
        commit_sha=change.sha,
        written_at=change.written_at,
        author=change.author,
        author_key=author_key(change.address),
        context=render_diff(change.files),
        text=text,
    )
    return _screen(example, change.sha)


def read_pull_words(words: PullRequestWords) -> str | LeftOut:
    """What its author says, or why nothing is learned of the pull request whatever its diff, which need not be read
    then."""
    pull = words.pull
    if not pull.merged:
        return _left_out_pull(words, "not_merged")
    if decide_bot(pull.author.login, pull.author.kind):
        return _left_out_pull(words, "bot")
    text, unsaid = _read_pull_message(words)
    return text if unsaid is None else _left_out_pull(words, unsaid)


def decide_pull_request(words: PullRequestWords, text: str, change: CommitChange) -> Found:
    """`text` is what `read_pull_words` gave; `change` is its head against its merge base."""
    reason = decide_change(change.files)
    if reason is not None:
        return _left_out_pull(words, reason)
    pull = words.pull
    example = WrittenExample(
        kind=WrittenKind.PULL_REQUEST,
        host=pull.host,
        repository_id=pull.repository_id,
        repository=pull.repository,
        pull_request=pull.number,
        commit_sha=pull.head_sha,
        written_at=pull.created_at,
        author=pull.author.login,
        context=render_diff(change.files),
        text=text,
    )
    return _screen(example, f"{pull.repository}#{pull.number}")


def leave_out_unreadable(words: PullRequestWords) -> LeftOut:
    """git could not read its diff."""
    return _left_out_pull(words, "unreadable")


def _left_out_pull(words: PullRequestWords, reason: str) -> LeftOut:
    return LeftOut(WrittenKind.PULL_REQUEST, reason, f"{words.pull.repository}#{words.pull.number}")


def _read_message(message: str) -> tuple[str, str | None]:
    """A commit's words, and why they teach nothing; one too long to be read is not even rendered."""
    too_long = decide_length(message)
    text = "" if too_long else render_words(message)
    return text, too_long.reason if too_long else _decide_message(text)


def _read_pull_message(words: PullRequestWords) -> tuple[str, str | None]:
    title, too_long = words.pull.title.strip(), decide_length(words.pull.title, words.body)
    text = "" if too_long else "\n\n".join(part for part in (title, render_description(words.body)) if part)
    return text, too_long.reason if too_long else _decide_message(text)


def decide_docstrings(change: CommitChange, origin: Origin, read_blob: Callable[[str], bytes]) -> Iterator[Found]:
    """Each docstring that the commit wrote + its function as the commit left it; the same pair once."""
    seen = set()
    for file in change.read_files:
        language = select_language(file.path) if file.opened else None
        if language is None:
            continue
        try:
            functions = list(parse_docstrings(read_blob(file.blob), language, file.opened))
        except UnicodeDecodeError:
            yield LeftOut(WrittenKind.DOCSTRING, "not_text", f"{change.sha}:{file.path}")
            continue
        for function in functions:
            if (function.name, function.doc, function.code) not in seen:
                seen.add((function.name, function.doc, function.code))
                yield _decide_docstring(change, origin, file, language, function)


def _decide_docstring(
    change: CommitChange, origin: Origin, file: FileChange, language: Language, function: Documented
) -> Found:
    reason = _decide_author(change) or _decide_function(function)
    if reason is not None or change.written_at is None:
        return LeftOut(WrittenKind.DOCSTRING, reason or "no_date", f"{change.sha}:{file.path}:{function.name}")
    example = WrittenExample(
        kind=WrittenKind.DOCSTRING,
        **origin.model_dump(),
        commit_sha=change.sha,
        written_at=change.written_at,
        author=change.author,
        author_key=author_key(change.address),
        path=file.path,
        language=language.name,
        function=function.name,
        context=function.code,
        text=function.doc,
    )
    return _screen(example, f"{change.sha}:{file.path}:{function.name}")


def _screen(example: WrittenExample, where: str) -> Found:
    """A secret or personal data drops the whole example; which it was is said, never what."""
    noise = decide_screened_written(example)
    return example if noise is None else LeftOut(example.kind, noise.reason, where)


def decide_change(files: Sequence[FileChange]) -> str | None:
    """Why a diff is not learned from. Files that nobody reads count for nothing."""
    if not files:
        return "empty_change"
    read = [file for file in files if file.unread is None]
    if not read:
        reasons = {file.unread for file in files}
        return reasons.pop() if len(reasons) == 1 else "generated_change"
    changed = sum(file.changed_lines for file in read)
    if changed < FEWEST_LINES:
        return "too_small"
    return "too_large" if changed > MOST_LINES else None


def render_diff(files: Sequence[FileChange]) -> str:
    """A unified diff of the files that are read, without git's own header lines but for renames."""
    parts = []
    for file in files:
        if file.unread is None:
            old = "/dev/null" if file.old_path is None else f"a/{file.old_path}"
            new = "/dev/null" if not file.blob.strip("0") else f"b/{file.path}"
            parts.append("\n".join(part for part in (f"--- {old}", f"+++ {new}", file.hunks) if part))
    return "\n".join(parts)


def _decide_author(change: CommitChange) -> str | None:
    machine = decide_bot(change.author, "User") or decide_bot(change.address.partition("@")[0], "User")
    return "bot" if machine else None


def _decide_message(text: str) -> str | None:
    noise = decide_message_noise(text)
    return None if noise is None else noise.reason


def _decide_function(function: Documented) -> str | None:
    if function.broken:
        return "syntax_error"
    lines = sum(1 for line in function.code.split("\n") if line.strip())
    if lines < FEWEST_CODE_LINES:
        return "too_small"
    if lines > MOST_CODE_LINES:
        return "too_large"
    noise = decide_length(function.doc) or decide_docstring_noise(function.doc)
    return None if noise is None else noise.reason
