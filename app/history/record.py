"""Putting a history where it is kept: the database for the service, a file for a person."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

import sqlalchemy as sa

from app.domain.written import WrittenExample
from app.history.changes import fetch_head, fetch_shas
from app.history.deciding import Origin
from app.history.reading import CommitReading, read_history
from app.store.database import writing
from app.store.learning import save_written

#: Commits in one transaction: what is read again after a kill, and how long a writer keeps others waiting.
COMMITS_PER_SAVE = 200
SOURCE = "history"


class HistoryRecord(NamedTuple):
    """What was read. `head` is the `since` of the next time; `counts` has `kind` and `kind:reason` for what is left
    out, commits by the reason `merge` among them; `saved` are the examples that were new."""

    head: str
    commits: int
    counts: dict[str, int]
    saved: int


#: Whether an example may be kept.
Permit = Callable[[WrittenExample], bool]
#: Told after every save: commits read so far, commits in all.
Progress = Callable[[int, int], None]


def record_history(
    engine: sa.Engine,
    installation_id: int,
    git_dir: Path,
    origin: Origin,
    *,
    since: str | None = None,
    until: str = "HEAD",
    left_out: Collection[str] = (),
    permit: Permit = lambda _: True,
    progress: Progress | None = None,
) -> HistoryRecord:
    """Save every example of the commits after `since` that may be kept. Saves as it goes; run again, it saves only what
    is missing.

    `left_out`: ids of commits that are not read at all.

    Raises:
        UserError: when the folder is no git directory or lacks one of the two.
    """

    def save(readings: list[CommitReading]) -> int:
        with writing(engine) as session:
            examples = (example for reading in readings for example in reading.examples if permit(example))
            return save_written(session, installation_id, examples, SOURCE)

    return _record(git_dir, origin, _Range(since, until, left_out), save, progress)


def write_history(
    git_dir: Path, origin: Origin, out: Path, *, since: str | None = None, progress: Progress | None = None
) -> HistoryRecord:
    """Write every example of the commits after `since`, one JSON object with its hash a line; complete or not there.

    Raises:
        UserError: when the folder is no git directory or does not have `since`.
    """
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("w", encoding="utf-8") as lines:
            record = _record(git_dir, origin, _Range(since), partial(_write, lines), progress)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return record


def _write(lines: TextIO, readings: list[CommitReading]) -> int:
    examples = [example for reading in readings for example in reading.examples]
    for example in examples:
        lines.write(f'{{"hash":{json.dumps(example.hash)},{example.model_dump_json()[1:]}\n')
    return len(examples)


class _Range(NamedTuple):
    """Commits that `until` has and `since` has not, some of them left out."""

    since: str | None
    until: str = "HEAD"
    left_out: Collection[str] = ()


def _record(
    git_dir: Path,
    origin: Origin,
    asked: _Range,
    save: Callable[[list[CommitReading]], int],
    progress: Progress | None,
) -> HistoryRecord:
    head = fetch_head(git_dir, asked.until)
    found = fetch_shas(git_dir, since=asked.since, until=head)
    shas = [sha for sha in found if sha not in asked.left_out]
    merges = fetch_shas(git_dir, since=asked.since, until=head, merges=True)
    counts = +Counter({"commit:merge": len(merges), "commit:not_permitted": len(found) - len(shas)})
    saved = done = 0
    for readings in _batches(read_history(git_dir, origin, shas)):
        saved += save(readings)
        done += len(readings)
        _count(counts, readings)
        if progress is not None:
            progress(done, len(shas))
    return HistoryRecord(head=head, commits=len(shas), counts=dict(sorted(counts.items())), saved=saved)


def _batches(readings: Iterable[CommitReading]) -> Iterator[list[CommitReading]]:
    rest = iter(readings)
    while batch := list(islice(rest, COMMITS_PER_SAVE)):
        yield batch


def _count(counts: Counter[str], readings: Iterable[CommitReading]) -> None:
    for reading in readings:
        counts.update(example.kind.value for example in reading.examples)
        counts.update(f"{out.kind.value}:{out.reason}" for out in reading.left_out)
