"""What the harvest reads of a real repository, and what it leaves unread."""

import subprocess
import tracemalloc
from pathlib import Path

import pytest

from app.github.git import TooLong, ensure_mirror
from app.harvest.fixes import Place, find_fix
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


def _place(repository: Path) -> tuple[str, str, str]:
    """A commit to comment on, a push of one blob under many names, and the fix that takes it away again."""
    lines = [f"x{row} = 1" for row in range(20)]
    said = _commit(repository, {"a.py": "\n".join(lines) + "\n"})
    blob = _git(repository, "hash-object", "-w", "--stdin", text="a" * 99 + "\n" + ("a" * 99 + "\n") * 200_000)
    rows = "".join(f"100644 blob {blob}\tf{row}\n" for row in range(6))
    own = _git(repository, "ls-tree", said)
    pushed = _git(repository, "commit-tree", _git(repository, "mktree", text=f"{own}\n{rows}"), "-p", said, "-m", "x")
    lines[5] = "x5 = 2"
    return said, pushed, _commit(repository, {"a.py": "\n".join(lines) + "\n"}, pushed)


def test_of_a_commit_only_the_followed_file_is_read(repository: Path) -> None:
    """120 MB in a pack of a few KB: PyDriller brought all of it here, at every restart again."""
    said, _, fixed = _place(repository)
    tracemalloc.start()
    try:
        with open_history(repository) as history:
            fix = find_fix(history, Place(sha=said, path="a.py", first=6, last=6), fixed, 3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert fix is not None
    assert fix.commit == fixed
    assert "+x5 = 2" in fix.hunks[0]
    assert peak < 20_000_000


def test_a_list_of_files_without_end_is_not_read(repository: Path) -> None:
    """A tree that names one tree sixty times, thrice over, names 216,000 files in three trees."""
    tree = _git(repository, "mktree", text=f"100644 blob {_git(repository, 'hash-object', '-w', '--stdin')}\tf\n")
    for _ in range(3):
        tree = _git(repository, "mktree", text="".join(f"040000 tree {tree}\tfolder{row:02}\n" for row in range(60)))
    said = _commit(repository, {"a.py": "one\n"})
    bomb = _git(repository, "mktree", text=f"{_git(repository, 'ls-tree', said)}\n040000 tree {tree}\td\n")
    after = _git(repository, "commit-tree", bomb, "-p", said, "-m", "x")
    with open_history(repository) as history:
        (commit,) = history.commits(said, after)
        assert commit.names is None
        with pytest.raises(TooLong):
            history.names(said, after)
