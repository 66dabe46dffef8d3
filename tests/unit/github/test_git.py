"""Mirrors: real git between two folders."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from app.domain.errors import RetryLater
from app.github.git import FETCH_SECONDS, GitAccess, GitFailed, ensure_mirror, fetch_commits, has_commit, read_git
from app.harvest.history import open_history


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with a pull ref, a commit that no ref holds any more, and a hook that must never run."""
    path = tmp_path / "origin"
    run(tmp_path, "init", "-q", "-b", "main", str(path))
    (path / "f.txt").write_text("one\n")
    run(path, "add", ".")
    run(path, "commit", "-q", "-m", "One")
    run(path, "update-ref", "refs/pull/7/head", "HEAD")
    run(path, "commit", "-q", "--amend", "-m", "Rewritten")
    run(path, "update-ref", "refs/pull/8/head", "HEAD")
    return path


def run(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_head_and_left_behind_commits_are_fetched(tmp_path: Path, origin: Path) -> None:
    mirror = ensure_mirror(tmp_path / "mirrors", "github.test", 1)
    left_behind, head = run(origin, "rev-parse", "refs/pull/7/head"), run(origin, "rev-parse", "HEAD")
    run(origin, "update-ref", "-d", "refs/pull/7/head")

    fetch_commits(mirror, str(origin), number=8, shas=[left_behind, head, "f" * 40], allow_file=True)

    assert has_commit(mirror, head)
    assert has_commit(mirror, left_behind)
    assert not has_commit(mirror, "f" * 40)
    assert read_git(mirror, "cat-file", "blob", f"{head}:f.txt") == "one\n"
    assert ensure_mirror(tmp_path / "mirrors", "github.test", 1) == mirror


def test_local_paths_are_refused_unless_a_test_allows_them(tmp_path: Path, origin: Path) -> None:
    mirror = ensure_mirror(tmp_path / "mirrors", "github.test", 1)
    with pytest.raises(RetryLater, match="transport 'file' not allowed"):
        fetch_commits(mirror, str(origin), number=8, shas=[])


def test_a_missing_pull_request_is_told_from_a_missing_server(tmp_path: Path, origin: Path) -> None:
    mirror = ensure_mirror(tmp_path / "mirrors", "github.test", 1)
    with pytest.raises(GitFailed, match="couldn't find remote ref"):
        fetch_commits(mirror, str(origin), number=99, shas=[], allow_file=True)
    with pytest.raises(RetryLater):
        fetch_commits(mirror, "http://127.0.0.1:9/none.git", number=8, shas=[])


def test_the_token_is_on_no_command_line_and_hooks_do_not_run(
    tmp_path: Path, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A git of ours in front of the real one writes down what it is given."""
    shim, seen = tmp_path / "bin" / "git", tmp_path / "seen"
    shim.parent.mkdir()
    real = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    shim.write_text(f'#!/bin/sh\necho "$@" >> {seen}\nenv >> {seen}.env\nexec {real} "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("UNDERSTUDY_SECRET", "must not be inherited")
    mirror = ensure_mirror(tmp_path / "mirrors", "github.test", 1)
    for hook in ("post-checkout", "reference-transaction", "post-merge"):
        (mirror / "hooks").mkdir(exist_ok=True)
        (mirror / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
        (mirror / "hooks" / hook).chmod(0o755)

    fetch_commits(mirror, str(origin), number=8, shas=[], access=GitAccess("ghs_secret"), allow_file=True)

    assert "ghs_secret" not in seen.read_text()
    environment = Path(f"{seen}.env").read_text()
    assert "must not be inherited" not in environment
    assert "Authorization: Basic" in environment
    assert not (tmp_path / "hooked").exists()


@pytest.mark.parametrize("left", ["", "[core]\n\trepositoryform"])
def test_what_a_killed_user_left_of_the_configuration_is_mended(tmp_path: Path, origin: Path, left: str) -> None:
    """PyDriller writes it in place, under GitPython's lock."""
    mirror = ensure_mirror(tmp_path / "mirrors", "github.test", 1)
    fetch_commits(mirror, str(origin), number=8, shas=[], allow_file=True)
    (mirror / "config").write_text(left)
    (mirror / "config.lock").touch()
    for _ in range(2):
        with open_history(mirror) as history:
            assert history.has(run(origin, "rev-parse", "HEAD"))


def test_a_mirror_that_was_half_made_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "mirrors/github.test/1.making"
    half.mkdir(parents=True)
    (half / "HEAD").touch()
    mirror = ensure_mirror(tmp_path / "mirrors", "github.test", 1)
    assert read_git(mirror, "rev-parse", "--is-bare-repository") == "true\n"
    assert not half.exists()


def test_a_lock_that_a_killed_git_left_stops_nothing_for_ever(tmp_path: Path, origin: Path) -> None:
    mirror = ensure_mirror(tmp_path / "mirrors", "github.test", 1)
    lock = mirror / "refs/understudy/pull/8/head.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(RetryLater):  # it may be held by a git that is at work
        fetch_commits(mirror, str(origin), number=8, shas=[], allow_file=True)
    assert lock.exists()
    long_ago = time.time() - 2 * FETCH_SECONDS
    os.utime(lock, (long_ago, long_ago))
    with pytest.raises(RetryLater):
        fetch_commits(mirror, str(origin), number=8, shas=[], allow_file=True)
    fetch_commits(mirror, str(origin), number=8, shas=[], allow_file=True)
    assert has_commit(mirror, run(origin, "rev-parse", "HEAD"))
