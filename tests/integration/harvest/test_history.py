"""What the harvest reads of a real repository, and what it leaves unread."""

import subprocess
from pathlib import Path

import pytest

from app.github.git import ensure_mirror
from app.harvest.history import FILE_BYTES, History, open_history


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return ensure_mirror(tmp_path / "mirrors", "github.com", 1)


def _git(mirror: Path, *arguments: str, text: str = "") -> str:
    names = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "--git-dir", str(mirror), *names, *arguments]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout.strip()


def _commit(mirror: Path, files: dict[str, str], *parents: str) -> str:
    blobs = {name: _git(mirror, "hash-object", "-w", "--stdin", text=text) for name, text in files.items()}
    rows = "".join(f"100644 blob {blob}\t{name}\n" for name, blob in blobs.items())
    tree = _git(mirror, "mktree", text=rows)
    return _git(mirror, "commit-tree", tree, *(word for parent in parents for word in ("-p", parent)), "-m", "x")


def _shown(history: History, base: str, sha: str, path: str) -> list[str]:
    return [line.text for hunk in history.file_diff(base, sha, path).hunks for line in hunk.lines]


def test_a_file_past_the_limit_is_read_at_neither_end(repository: Path) -> None:
    """One line repeated without end takes next to nothing in git, and all of the memory once it is read."""
    huge = "ab\n" * (FILE_BYTES // 3 + 1)
    before = _commit(repository, {"grows.txt": "one\n", "shrinks.txt": huge, "plain.txt": "one\n"})
    after = _commit(repository, {"grows.txt": huge, "shrinks.txt": "one\n", "plain.txt": "one\ntwo\n"}, before)
    with open_history(repository) as history:
        assert history.lines(before, "shrinks.txt") is None
        assert history.lines(after, "grows.txt") is None
        assert history.fate("grows.txt", before, after) is None
        assert _shown(history, before, after, "grows.txt") == []
        assert _shown(history, before, after, "shrinks.txt") == []
        assert history.lines(after, "plain.txt") == ("one", "two")
        assert _shown(history, before, after, "plain.txt") == ["one", "two"]
