"""Which snapshots hold something that is to be forgotten. A snapshot never changes, so such a one is removed whole."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from app.domain.erasure import Subject


class Erased(NamedTuple):
    """What of a subject was found: pull requests, the hashes of Examples, and the ids of commits."""

    pulls: frozenset[tuple[str, int]] = frozenset()
    examples: frozenset[str] = frozenset()
    commits: frozenset[str] = frozenset()


def is_touched(folder: Path, subject: Subject, erased: Erased) -> bool:
    """Whether any row of the snapshot is about the subject: by place, by name, by commit, or by an Example's hash.

    An Example that was harvested anew has another hash than the one a snapshot took, so the hash alone is not enough.
    """
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            if any(_is_about(json.loads(line), subject, erased) for line in lines):
                return True
    return False


def _is_about(row: dict[str, Any], subject: Subject, erased: Erased) -> bool:
    place = (str(row.get("repository", "")), row.get("pull_request"))
    return (
        subject.covers_pull(*place)
        or place in erased.pulls
        or row.get("commit_sha") in erased.commits
        or not erased.examples.isdisjoint(hashes_of(row))
        or subject.is_named_in(row)
    )


def hashes_of(row: dict[str, Any]) -> frozenset[str]:
    """The Examples that a row of any of a snapshot's files came from."""
    return frozenset([*row.get("examples", ()), *([row["example"]] if "example" in row else [])])


def remove_folder(folder: Path) -> bool:
    """Remove a folder although it is read-only; False when there was none."""
    if not folder.is_dir():
        return False
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        place.chmod(0o700)
    shutil.rmtree(folder)
    return True
