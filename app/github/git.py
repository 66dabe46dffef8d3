"""Repositories over git: a bare mirror per repository, fetched into by commit, never checked out.

Nothing of a repository is executed: no hooks, no submodules, no work tree, no filters (they need a work tree), no
configuration but ours. The token travels in the environment of one git process, never on a command line and never to
a redirect target. Not protected against: a repository that is too large for the disk; `timeout_seconds` bounds time.
"""

import base64
import fcntl
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

import httpx

from app.domain.errors import RetryLater, UnderstudyError
from app.domain.loopback import is_loopback
from app.github.transport import untrusted

FETCH_SECONDS = 600.0
READ_SECONDS = 120.0
#: Of what git says, as much is read into memory: a few KB in a pack can be gigabytes once they are shown.
MOST_BYTES = 64_000_000
#: The fetched commits stay reachable under these names, so that git's own clean-up keeps them.
PULL_REF = "refs/understudy/pull/{number}/head"
COMMIT_REF = "refs/understudy/commit/{sha}"
DEFAULT_REF = "refs/understudy/default"

_SAFETY = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
}
#: A mirror's own configuration: what `git init --bare` needs and PyDriller adds, nothing else.
_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[blame]
\tmarkUnblamableLines = true
"""
_READ_BYTES = 1 << 16
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_KEPT = ("PATH", "SSL_CERT_FILE", *_PROXIES, *map(str.lower, _PROXIES))
_LOCKED = re.compile(r"'([^'\n]+\.lock)': File exists")
#: How a server says that it does not have a commit, or no longer gives it out.
_GONE = ("not our ref", "unadvertised object", "couldn't find remote ref")


@dataclass(frozen=True)
class GitAccess:
    """A token of the server's, and the authorities in PEM that its certificate is checked against; None: the machine's
    own."""

    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


#: Where no token is needed and the machine trusts the server.
ANYBODY = GitAccess()


class GitFailed(UnderstudyError):
    """git said no; its own words are in the message."""


class TooLong(GitFailed):
    """git had more to say than is read into memory."""


class CommitGone(GitFailed):
    """The other side does not have what was asked for."""


def ensure_mirror(root: Path, host: str, repository_id: int) -> Path:
    """The bare mirror of one repository, made on first use. By id: a renamed repository keeps its mirror."""
    mirror = root / host / f"{repository_id}.git"
    mirror.parent.mkdir(parents=True, exist_ok=True)
    with _flock(mirror):
        if not mirror.exists():
            making = mirror.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)  # of a process that was killed
            _git(["init", "--quiet", "--bare", str(making)], env=_environment({}), seconds=READ_SECONDS)
            making.rename(mirror)
    return mirror


@contextmanager
def _flock(mirror: Path) -> Iterator[None]:
    with Path(f"{mirror}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def lock_mirror(mirror: Path) -> Iterator[None]:
    """One user of a mirror at a time, over all processes of this machine.

    PyDriller writes the configuration in place whenever it opens a repository, so a user that was killed may have left
    half of it, and GitPython's lock beside it: whoever holds our lock may mend both.
    """
    with _flock(mirror):
        (mirror / "config.lock").unlink(missing_ok=True)
        if (mirror / "config").read_text(errors="replace") != _CONFIG:
            _write_whole(mirror / "config", _CONFIG)
        yield


def _write_whole(path: Path, text: str) -> None:
    """The file with this text or as it was, never half of it."""
    passing = path.with_name(f"{path.name}.new")
    passing.write_text(text, encoding="utf-8")
    passing.rename(path)


def fetch_commits(
    mirror: Path,
    url: str,
    *,
    number: int,
    shas: Sequence[str],
    access: GitAccess = ANYBODY,
    allow_file: bool = False,
) -> None:
    """The head of a pull request and the given commits with their history, in one fetch where GitHub has them all.

    A commit that a force-push left behind and GitHub dropped is not an error: it is just not there afterwards.
    Plain http is spoken only where the configured address says so; `allow_file` also takes a local path.

    Raises:
        RetryLater: when the other side cannot be reached or does not serve us now.
        CommitGone: when it has no such pull request.
    """
    env = _fetch_environment(url, access, allow_file=allow_file)
    head = f"+refs/pull/{number}/head:{PULL_REF.format(number=number)}"
    missing = [sha for sha in dict.fromkeys(shas) if not has_commit(mirror, sha)]
    try:
        _try_fetch(mirror, url, [head, *map(_keep, missing)], env)
    except CommitGone:
        _try_fetch(mirror, url, [head], env)
        for sha in missing:
            with suppress(CommitGone):
                _try_fetch(mirror, url, [_keep(sha)], env)


def fetch_refs(mirror: Path, url: str, names: Sequence[str], *, access: GitAccess = ANYBODY) -> None:
    """References with their history, each kept here under the name that it has there.

    Raises:
        RetryLater: as `fetch_commits`.
        CommitGone: when the other side lacks one; none is fetched then.
    """
    _try_fetch(mirror, url, [f"+{name}:{name}" for name in names], _fetch_environment(url, access, allow_file=False))


def fetch_default_branch(mirror: Path, url: str, *, access: GitAccess = ANYBODY, allow_file: bool = False) -> str:
    """The default branch with its history, whatever its name; returns its newest commit.

    Raises:
        RetryLater: as `fetch_commits`.
        CommitGone: when the repository is empty.
    """
    _try_fetch(mirror, url, [f"+HEAD:{DEFAULT_REF}"], _fetch_environment(url, access, allow_file=allow_file))
    return read_git(mirror, "rev-parse", "--verify", DEFAULT_REF).strip()


def fetch_pull_head(
    mirror: Path, url: str, number: int, *, access: GitAccess = ANYBODY, allow_file: bool = False
) -> str:
    """The head of a pull request with its history; returns it.

    Raises:
        RetryLater: as `fetch_commits`.
        CommitGone: when there is no such pull request.
    """
    head = PULL_REF.format(number=number)
    env = _fetch_environment(url, access, allow_file=allow_file)
    _try_fetch(mirror, url, [f"+refs/pull/{number}/head:{head}"], env)
    return read_git(mirror, "rev-parse", "--verify", head).strip()


def fetch_default_head(mirror: Path, url: str, *, access: GitAccess = ANYBODY, allow_file: bool = False) -> str | None:
    """The newest commit of the default branch, by git alone: no API request and no objects. None when it is empty.

    Raises:
        RetryLater: when the other side cannot be reached or does not serve us now.
    """
    env = _fetch_environment(url, access, allow_file=allow_file)
    try:
        answer = _git(["-C", str(mirror), "ls-remote", "--quiet", url, "HEAD"], env=env, seconds=READ_SECONDS)
    except GitFailed as error:
        raise _later(error, url) from error
    return answer.split("\t", 1)[0].strip() or None


def keep_commit(mirror: Path, sha: str) -> bool:
    """Hold a commit by a name of its own, so that no force-push and no clean-up takes it; False when it is not here."""
    if not has_commit(mirror, sha):
        return False
    read_git(mirror, "update-ref", COMMIT_REF.format(sha=sha), sha)
    return True


def _try_fetch(mirror: Path, url: str, refspecs: Sequence[str], env: dict[str, str]) -> None:
    """Only what the other side says it does not have counts as gone; anything else may be there a minute later."""
    options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"]
    try:
        _git(["-C", str(mirror), "fetch", *options, url, *refspecs], env=env, seconds=FETCH_SECONDS)
    except GitFailed as error:
        if any(word in str(error) for word in _GONE):
            raise CommitGone(str(error)) from error
        _remove_left_lock(mirror, str(error))
        raise _later(error, url) from error


def _remove_left_lock(mirror: Path, words: str) -> None:
    """A lock of git's that is older than any fetch of ours may last belongs to a process that was killed."""
    found = _LOCKED.search(words)
    if found is None:
        return
    lock = Path(found[1])
    if mirror in lock.parents and ".." not in lock.parts and _age_seconds(lock) > FETCH_SECONDS:
        lock.unlink(missing_ok=True)


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _keep(sha: str) -> str:
    return f"+{sha}:{COMMIT_REF.format(sha=sha)}"


def has_commit(mirror: Path, sha: str) -> bool:
    try:
        read_git(mirror, "cat-file", "-e", f"{sha}^{{commit}}")
    except GitFailed:
        return False
    return True


def read_git(mirror: Path, *arguments: str, most_bytes: int = MOST_BYTES) -> str:
    """The output of a git command that reads, or moves a name of ours. Bytes that are no UTF-8 are replaced.

    Raises:
        TooLong: when there is more of it than `most_bytes`.
        GitFailed: with git's own message.
    """
    command = ["-C", str(mirror), "--no-replace-objects", *arguments]
    return _git(command, env=_environment({}), seconds=READ_SECONDS, most_bytes=most_bytes)


@contextmanager
def open_git(
    git_dir: Path, *arguments: str, given: bytes | None = None, settings: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A git command that only reads, as a running process whose output is a pipe; it ends with the block.

    Its input is `given`, else a pipe as well. `git_dir` is taken as it is: git looks for no repository above it.

    Raises:
        GitFailed: with git's own message, when it failed or the block left output unread.
    """
    command = ["git", f"--git-dir={git_dir}", "--no-replace-objects", *arguments]
    with TemporaryFile() as words, TemporaryFile() as told:
        told.write(given or b"")
        told.seek(0)
        with subprocess.Popen(
            command,
            env=_environment(settings or {}),
            stdin=subprocess.PIPE if given is None else told,
            stdout=subprocess.PIPE,
            stderr=words,
        ) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            words.seek(0)
            raise GitFailed(f"git {arguments[0]}: {words.read(400).decode(errors='replace').strip()}")


def _git(arguments: Sequence[str], *, env: dict[str, str], seconds: float, most_bytes: int = MOST_BYTES) -> str:
    command = ["git", *arguments]
    with TemporaryFile() as words:
        with subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, bufsize=0
        ) as process:
            try:
                told = _read_at_most(process, most_bytes, time.monotonic() + seconds)
            except subprocess.TimeoutExpired as error:
                raise GitFailed(f"git {arguments[2:4]} did not end within {seconds:.0f} s") from error
            finally:
                process.kill()  # nothing when it has ended
        if process.returncode:
            words.seek(0)
            said = words.read(4_000).decode(errors="replace").strip()[:400]
            raise GitFailed(f"git {' '.join(arguments[2:5])}: {said}")
    return told.decode(errors="replace")


def _read_at_most(process: "subprocess.Popen[bytes]", most_bytes: int, deadline: float) -> bytes:
    """All that it says, and its end."""
    assert process.stdout is not None  # noqa: S101 (asked for)
    read, waiting = bytearray(), select.poll()
    waiting.register(process.stdout, select.POLLIN)
    while True:
        left = max(0.0, deadline - time.monotonic())
        if not waiting.poll(left * 1_000):
            raise subprocess.TimeoutExpired("git", left)
        chunk = process.stdout.read(_READ_BYTES)
        if not chunk:
            process.wait(max(0.0, deadline - time.monotonic()))
            return bytes(read)
        read += chunk
        if len(read) > most_bytes:
            raise TooLong(f"git has more to say than {most_bytes} bytes")


def _later(error: GitFailed, url: str) -> RetryLater:
    words = str(error)
    if "certificate" in words.lower():
        words = f"{words}; {untrusted(httpx.URL(url).host)}"
    return RetryLater(words, after_seconds=2.0)


def _fetch_environment(url: str, access: GitAccess, *, allow_file: bool) -> dict[str, str]:
    extra = {"protocol.file.allow": "always" if allow_file else "never"}
    if url.startswith("http://"):
        extra["protocol.http.allow"] = "always"
    if access.ca_file is not None:
        extra["http.sslCAInfo"] = str(access.ca_file)
    if access.token is not None:
        basic = base64.b64encode(f"x-access-token:{access.token}".encode()).decode()
        extra["http.extraHeader"] = f"Authorization: Basic {basic}"
    env = _environment(extra)
    if is_loopback(httpx.URL(url).host):
        env["NO_PROXY"] = env["no_proxy"] = "*"
    return env


def _environment(extra: dict[str, str]) -> dict[str, str]:
    """Nothing of this process's environment but what a network needs, and configuration that no file can change."""
    settings = _SAFETY | extra
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env |= {
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    for index, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return env
