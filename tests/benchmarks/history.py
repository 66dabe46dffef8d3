"""How fast a history is read, beside `git log -p` and a plain PyDriller loop over the same commits, in one run.

`python -m tests.benchmarks.history REPOSITORY.git [--sizes 1000,3000,10000] [--pydriller 1000]` prints one JSON object
a size. To reach: at most 2.5 × the wall time of `git log -p --no-merges`, at least 4 × as fast as PyDriller, below
700 MB with every child counted, linear in the number of commits.

Ours reads, judges and writes kinds 2 to 4: commits and docstrings as `python -m app history` does, and pull requests
from the merges among the same commits and from squashed ones, with what the merge says for title and body, for GitHub
is not there to tell it. `git log` is timed before and after ours, and the mean is taken, for machines change under
load. Memory is the sum of the resident pages of the process tree, sampled; what processes share counts once for each.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from app.domain.written import WrittenExample
from app.github.harvested import Account, HarvestedPull
from app.history.changes import fetch_shas
from app.history.deciding import Found, Origin, PullRequestWords
from app.history.reading import Readers

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SQUASHED = re.compile(r"\(#(\d+)\)$")
_MERGED = re.compile(r"^Merge pull request #(\d+)")


def read_ours(git_dir: Path, commits: int, out: Path) -> None:
    """Kinds 2 to 4 of the newest commits, as JSON lines; the counts as JSON on the standard output."""
    counts: Counter[str] = Counter()
    origin = Origin(host="github.com", repository_id=1, repository="bench/mark")
    with out.open("w", encoding="utf-8") as lines:

        def write(examples: Iterable[Found]) -> None:
            for example in examples:
                if isinstance(example, WrittenExample):
                    counts[example.kind.value] += 1
                    lines.write(f'{{"hash":{json.dumps(example.hash)},{example.model_dump_json()[1:]}\n')

        with Readers() as readers:
            for reading in readers.read_history(git_dir, origin, fetch_shas(git_dir)[-commits:]):
                write(reading.examples)
            write(readers.read_pull_requests(git_dir, fetch_pulls(git_dir, commits)))
    print(json.dumps(counts))  # noqa: T201 - its purpose


def fetch_pulls(git_dir: Path, commits: int) -> list[PullRequestWords]:
    """The pull requests merged or squashed since the oldest of the newest commits that are no merges."""
    oldest = fetch_shas(git_dir)[-commits:][0]
    shown = ["--first-parent", "--format=%H%x00%P%x00%an%x00%at%x00%s%x00%b%x01", f"{oldest}..HEAD"]
    command = ["git", f"--git-dir={git_dir}", "log", *shown]
    text = subprocess.run(command, check=True, capture_output=True).stdout.decode(errors="replace")
    return [pull for entry in text.split("\x01") if (pull := _parse_pull(entry.strip("\n"))) is not None]


def _parse_pull(entry: str) -> PullRequestWords | None:
    sha, parents, author, seconds, subject, body = entry.split("\0") if entry else [""] * 6
    merged = _MERGED.match(subject)
    number = merged or _SQUASHED.search(subject)
    if number is None or not parents:
        return None
    title, _, rest = body.partition("\n") if merged else (subject, "", body)
    base = parents.split()[0]
    pull = HarvestedPull(
        host="github.com",
        repository_id=1,
        repository="bench/mark",
        number=int(number[1]),
        title=title,
        author=Account(login=author),
        created_at=datetime.fromtimestamp(int(seconds), UTC),
        merged=True,
        base_sha=base,
        head_sha=sha,
        labels=(),
        reviews=(),
        threads=(),
    )
    return PullRequestWords(pull, rest, base)


def read_pydriller(git_dir: Path, commits: int) -> None:
    """The plain loop of its manual: message, diff and source of every file of every commit, one process."""
    from pydriller import Repository  # here: the readers that ours starts import this file as well

    characters = 0
    driller = Repository(str(git_dir), only_no_merge=True, order="reverse")
    for commit in islice(driller.traverse_commits(), commits):
        characters += len(commit.msg)
        for file in commit.modified_files:
            characters += len(file.diff or "") + len(file.source_code or "")
    print(json.dumps({"characters": characters}))  # noqa: T201 - its purpose


class Measured(NamedTuple):
    """Wall and processor seconds and peak MB of a process tree, and the start of what it printed."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    printed: str


def measure(command: list[str], out: Path) -> Measured:
    """Run a program to its end; its output is kept in a file, as a pipe would slow it."""
    with out.open("w+") as printed:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=printed)
        peak = [0]
        watch = threading.Thread(target=_watch, args=(process, peak))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
        if status:
            raise SystemExit(f"{command[:4]} ended with {process.returncode}")
        printed.seek(0)
        return Measured(seconds, used.ru_utime + used.ru_stime, peak[0] / 1e6, printed.read(100_000))


def _watch(process: "subprocess.Popen[bytes]", peak: list[int]) -> None:
    while process.returncode is None:
        peak[0] = max(peak[0], _resident(process.pid))
        time.sleep(0.05)


def _resident(pid: int) -> int:
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        threads = [Path(path) / "children" for path in Path(f"/proc/{pid}/task").iterdir()]
        children = [child for path in threads for child in path.read_text().split()]
    except OSError:  # it ended meanwhile
        return 0
    return own + sum(_resident(int(child)) for child in children)


def compare(git_dir: Path, commits: int, pydriller: int, folder: Path) -> dict[str, Any]:
    """All sides on the newest commits of one repository. Seconds and MB."""
    program = [sys.executable, "-m", "tests.benchmarks.history", str(git_dir)]
    log = ["git", f"--git-dir={git_dir}", "log", "-p", "--no-merges", f"--max-count={commits}"]
    before = measure(log, folder / "log")
    ours = measure([*program, "--ours", str(commits), "--out", str(folder / "out")], folder / "told")
    after = measure(log, folder / "log")
    report = {
        "commits": commits,
        "git_log_seconds": [round(before.seconds, 2), round(after.seconds, 2)],
        "git_log_cpu_seconds": round(after.cpu_seconds, 2),
        "ours_seconds": round(ours.seconds, 2),
        "ours_cpu_seconds": round(ours.cpu_seconds, 2),
        "times_git_log": round(ours.seconds / ((before.seconds + after.seconds) / 2), 2),
        "ours_peak_mb": round(ours.peak_mb),
        "examples": json.loads(ours.printed),
    }
    if pydriller:
        first = str(min(pydriller, commits))
        theirs = measure([*program, "--plain", first], folder / "told")
        same = measure([*program, "--ours", first, "--out", os.devnull], folder / "told")
        report |= {
            "pydriller_commits": int(first),
            "pydriller_seconds": round(theirs.seconds, 2),
            "ours_seconds_on_the_same": round(same.seconds, 2),
            "times_as_fast_as_pydriller": round(theirs.seconds / same.seconds, 1),
            "pydriller_peak_mb": round(theirs.peak_mb),
        }
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, help="a git directory with enough commits")
    parser.add_argument("--sizes", default="1000,3000,10000")
    parser.add_argument("--pydriller", type=int, default=1000, help="commits for its side, once, 0 for none")
    parser.add_argument("--ours", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ours:
        return read_ours(arguments.repository, arguments.ours, arguments.out)
    if arguments.plain:
        return read_pydriller(arguments.repository, arguments.plain)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # PyDriller writes into the configuration of what it reads, so what it is given is ours
        copy = folder / "copy.git"
        clone = ["git", "clone", "--quiet", "--bare", "--shared", str(arguments.repository), str(copy)]
        subprocess.run(clone, check=True)
        for index, size in enumerate(map(int, arguments.sizes.split(","))):
            report = compare(copy, size, 0 if index else arguments.pydriller, folder)
            print(json.dumps(report), flush=True)  # noqa: T201 - its purpose
    return None


if __name__ == "__main__":
    main()
