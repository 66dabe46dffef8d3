"""Reads the passages of strangers' code in child processes, a batch of files in each."""

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from app.domain.references import Reference
from app.history.child_reader import CHILDREN, ask_child, limit_child
from app.history.passages import read_passages

#: What a child says when it is set up. One that never says it tells nothing about any file.
_READY = b"ready"
_log = logging.getLogger(__name__)


class File(NamedTuple):
    """One file to read."""

    path: str
    reader: str
    source: bytes


class ReaderFailed(RuntimeError):
    """No child could be set up: the machine's fault, or ours, and no file's."""


def read_batch(files: Sequence[File], *, repository: str) -> Iterator[list[Reference]]:
    """As `read_passages`, of each file in turn. Nothing of a file that a child of its own fails on, which is logged.

    A file behind others is asked for again when their child ends: they may have used up its time or memory.

    Raises:
        ReaderFailed: when children end before they look at any file.
    """
    waiting = list(files)
    while waiting:
        told = CHILDREN.submit(ask_child, __name__, b"".join(map(_request, waiting))).result()
        ready, *answers = told.said.split(b"\n")[:-1] or [b""]  # the last line is empty, or was cut off
        if ready != _READY:
            raise ReaderFailed(f"expected a child that reads {waiting[0].path[:200]!r}, it ended with {told.status}")
        for file, answer in zip(waiting, answers, strict=False):
            yield [Reference(repository=repository, path=file.path, **one) for one in json.loads(answer)]
        waiting = waiting[len(answers) :]
        if not answers:
            _log.warning("nothing of a file is indexed: its reader ended with %s", told.status)
            yield []
            waiting = waiting[1:]


def _request(file: File) -> bytes:
    # what is no UTF-8 must reach the child as it is, which finds nothing in it
    source = file.source.decode(errors="surrogateescape")
    return json.dumps({"reader": file.reader, "source": source}).encode() + b"\n"


def _answer(asked: dict[str, Any]) -> list[dict[str, Any]]:
    source = asked["source"].encode(errors="surrogateescape")
    found = read_passages(source, asked["reader"], repository="", path="")
    return [one.model_dump(mode="json", exclude={"repository", "path", "code"}) for one in found]


def main() -> None:
    """In the child: a request a line on standard input, an answer a line on standard output."""
    limit_child()
    _say(_READY.decode())
    for line in sys.stdin.buffer:
        _say(json.dumps(_answer(json.loads(line))))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
