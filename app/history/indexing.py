"""The documentation of a default branch as pieces: which files are read, which again, and reading them.

What a file holds is known by its blob and by how it is read, so a push costs the blobs it brought. Caps hold what a
stranger's repository may cost: bytes of a file, files, pieces, seconds.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from app.domain.paths import decide_unread
from app.domain.references import Reference
from app.github.git import open_git
from app.history.blobs import open_blobs
from app.history.passage_reader import File, read_batch
from app.history.passages import read_passages, select_reader

#: Bytes of one file; larger ones are seldom written by hand.
MOST_BYTES = 200_000
#: Files of one repository. Prose first, for it says what holds everywhere, then those nearest to the root.
MOST_FILES = 8_000
#: Pieces of one repository: each is looked through at every question (docs/adr/0023).
MOST_PIECES = 10_000
#: Seconds of one run; what is left is read by the next.
MOST_SECONDS = 120.0
#: Bytes of git's listing that are looked at.
_LISTING_BYTES = 64 * 1024 * 1024
_PROSE = ("markdown", "rst")
#: What one child reads: enough to start few of them, little enough that a review soon has its turn.
_BATCH_FILES, _BATCH_BYTES = 50, 1_000_000


class IndexPlan(NamedTuple):
    """`files`: path → content, all that are to be indexed; `unread`: content → a path of it, not known yet."""

    files: dict[str, str]
    unread: dict[str, str]


class PassagesRead(NamedTuple):
    """What one content gave; `content` is `<reader>:<blob>`."""

    content: str
    found: list[Reference]


def list_contents(mirror: Path, head: str) -> dict[str, str]:
    """Path → content of every regular file of a commit that is worth reading.

    Raises:
        GitFailed: when there is no such commit.
    """
    with open_git(mirror, "ls-tree", "-r", "-l", "-z", "--full-tree", head) as process:
        assert process.stdout is not None  # noqa: S101 (asked for)
        listing = process.stdout.read(_LISTING_BYTES)
        while process.stdout.read(_LISTING_BYTES):
            pass  # git fails where its output is not read to the end
    return dict(_parse_listing(listing))


def _parse_listing(listing: bytes) -> Iterator[tuple[str, str]]:
    for entry in listing.split(b"\0"):
        facts, _, name = entry.partition(b"\t")
        told = facts.decode("ascii", "replace").split()
        path = name.decode("utf-8", "replace")
        if len(told) != 4 or "\ufffd" in path or not path:
            continue
        mode, kind, blob, size = told
        reader = select_reader(path)
        if kind != "blob" or mode == "120000" or reader is None or decide_unread(path) is not None:
            continue
        if 0 < int(size) <= MOST_BYTES:
            yield path, f"{reader}:{blob}"


def plan_index(contents: Mapping[str, str], known: Set[str]) -> IndexPlan:
    """`known`: contents that were read before. Pure."""

    def rank(path: str) -> tuple[bool, int, str]:
        return (contents[path].split(":")[0] not in _PROSE, path.count("/"), path)

    chosen = sorted(contents, key=rank)[:MOST_FILES]
    files = {path: contents[path] for path in chosen}
    unread: dict[str, str] = {}
    for path, content in files.items():
        if content not in known:
            unread.setdefault(content, path)
    return IndexPlan(files, unread)


def read_contents(
    mirror: Path,
    unread: Mapping[str, str],
    *,
    repository: str,
    room: int,
    permit: Callable[[Reference], bool],
    seconds: float = MOST_SECONDS,
) -> Iterator[PassagesRead]:
    """Each content in turn, until time is up or `room` pieces were given. One that would go over it gives its first.

    Raises:
        GitFailed: when git cannot read a blob.
        ReaderFailed: when no child can be set up to read code.
    """
    ends_at = time.monotonic() + seconds
    with open_blobs(mirror) as read_blob:
        for batch in _select_batches(unread, read_blob):
            if room <= 0 or time.monotonic() > ends_at:
                return
            contents, files = zip(*batch, strict=True)
            for content, passages in zip(contents, _read(files, repository), strict=True):
                if room <= 0:
                    return
                found = [one for one in passages if permit(one)][:room]
                room -= len(found)
                yield PassagesRead(content, found)


def _select_batches(unread: Mapping[str, str], read_blob: Callable[[str], bytes]) -> Iterator[list[tuple[str, File]]]:
    """Content and file, in the order given: prose by itself, code as one child reads it."""
    batch: list[tuple[str, File]] = []
    for content, path in unread.items():
        reader, _, blob = content.partition(":")
        file = File(path, reader, read_blob(blob))
        held = sum(len(one.source) for _, one in batch)
        if batch and (reader in _PROSE or len(batch) == _BATCH_FILES or held + len(file.source) > _BATCH_BYTES):
            yield batch
            batch = []
        batch.append((content, file))
        if reader in _PROSE:
            yield batch
            batch = []
    if batch:
        yield batch


def _read(files: Sequence[File], repository: str) -> Iterator[list[Reference]]:
    """Prose here, for its readers bear what strangers write; code in a child, for the parsers of code do not."""
    if files[0].reader in _PROSE:
        return (read_passages(one.source, one.reader, repository=repository, path=one.path) for one in files)
    return read_batch(files, repository=repository)
