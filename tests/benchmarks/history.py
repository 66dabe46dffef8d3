"""How fast a history is read, beside `git log -p` and a plain PyDriller loop over the same commits, in one run.

`python -m tests.benchmarks.history REPOSITORY.git [--sizes 1000,3000,10000] [--pydriller 1000,3000]` prints one JSON
object a size. To reach: at most 2.5 × the wall time of `git log -p --no-merges`, at least 4 × as fast as PyDriller,
below 700 MB with every child counted, linear in the number of commits.

Ours is what the service does: `record_history` reads, judges and saves commits and docstrings into a database, as the
history workflow has it do; descriptions are read one at a time, as a harvest does between its requests to GitHub. Here
they are those of the merges among the same commits and of squashed ones, with what the merge says for title and body,
for GitHub is not there to tell it. Seconds are those of the call, in a process that has started and migrated its
database, and PyDriller's are taken alike; `git log` is timed before and after ours, and the mean is taken, for machines
change under load. Memory is the sum of the resident pages of the process tree, sampled; what processes share counts
once for each.
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
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

from app.domain.base import content_hash
from app.domain.written import WrittenExample
from app.github.harvested import Account, HarvestedPull
from app.history.changes import fetch_shas
from app.history.deciding import Origin, PullRequestWords
from app.history.reading import read_pull

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SQUASHED = re.compile(r"\(#(\d+)\)$")
_MERGED = re.compile(r"^Merge pull request #(\d+)")


class Timed:
    """Wall and processor seconds of a block, those of children that ended in it included."""

    def __enter__(self) -> Self:
        self._wall, self._cpu = time.monotonic(), sum(os.times()[:4])
        return self

    def __exit__(self, *_: object) -> None:
        self.told = {
            "seconds": round(time.monotonic() - self._wall, 2),
            "cpu_seconds": round(sum(os.times()[:4]) - self._cpu, 2),
        }


def read_ours(git_dir: Path, commits: int, folder: Path) -> dict[str, Any]:
    """Commits and docstrings of the newest commits into a new database; counts, and a hash over all hashes."""
    # here: the readers that ours starts import this file as well
    from sqlmodel import select

    from app.history.record import record_history
    from app.store.database import open_engine, reading
    from app.store.migrate import migrate
    from app.store.tables import ExampleRow

    url = f"sqlite:///{folder / 'ours.db'}"
    migrate(url)
    database = open_engine(url)
    origin = Origin(host="github.com", repository_id=1, repository="bench/mark")
    with Timed() as timed:
        record = record_history(database, 1, git_dir, origin, left_out=frozenset(fetch_shas(git_dir)[:-commits]))
    with reading(database) as session:
        hashes = sorted(session.exec(select(ExampleRow.hash)))
    database.dispose()
    kinds = {kind: record.counts.get(kind, 0) for kind in ("commit", "docstring")}
    return timed.told | kinds | {"saved": record.saved, "hash": content_hash("rows", hashes)}


def read_descriptions(git_dir: Path, commits: int) -> dict[str, Any]:
    """Pull requests merged or squashed among the newest commits, one after the other."""
    pulls = fetch_pulls(git_dir, commits)
    with Timed() as timed:
        found = [read_pull(git_dir, words) for words in pulls]
    hashes = sorted(one.hash for one in found if isinstance(one, WrittenExample))
    return timed.told | {"asked": len(pulls), "pull_request": len(hashes), "hash": content_hash("rows", hashes)}


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


def read_pydriller(git_dir: Path, commits: int) -> dict[str, Any]:
    """The plain loop of its manual: message, diff and source of every file of every commit, one process."""
    from pydriller import Repository  # here: the readers that ours starts import this file as well

    characters = 0
    with Timed() as timed:
        driller = Repository(str(git_dir), only_no_merge=True, order="reverse")
        for commit in islice(driller.traverse_commits(), commits):
            characters += len(commit.msg)
            for file in commit.modified_files:
                characters += len(file.diff or "") + len(file.source_code or "")
    return timed.told | {"characters": characters}


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


def compare(git_dir: Path, commits: int, folder: Path, *, pydriller: bool) -> dict[str, Any]:
    """All sides on the newest commits of one repository. Seconds and MB."""
    log = ["git", f"--git-dir={git_dir}", "log", "-p", "--no-merges", f"--max-count={commits}"]
    before = measure(log, folder / "log")
    ours, peak_mb = _measure_side("ours", git_dir, commits, folder)
    after = measure(log, folder / "log")
    described, _ = _measure_side("descriptions", git_dir, commits, folder)
    seconds = (before.seconds + after.seconds) / 2
    report = {
        "commits": commits,
        "git_log_seconds": [round(before.seconds, 2), round(after.seconds, 2)],
        "git_log_cpu_seconds": round((before.cpu_seconds + after.cpu_seconds) / 2, 2),
        "ours": ours,
        "times_git_log": round(ours["seconds"] / seconds, 2),
        "ours_peak_mb": round(peak_mb),
        "descriptions": described,
        "descriptions_times_git_log": round(described["seconds"] / seconds, 2),
    }
    if pydriller:
        theirs, their_peak_mb = _measure_side("pydriller", git_dir, commits, folder)
        report |= {
            "pydriller": theirs,
            "times_as_fast_as_pydriller": round(theirs["seconds"] / ours["seconds"], 1),
            "pydriller_peak_mb": round(their_peak_mb),
        }
    return report


def _measure_side(side: str, git_dir: Path, commits: int, folder: Path) -> tuple[dict[str, Any], float]:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        program = [sys.executable, "-m", "tests.benchmarks.history", str(git_dir), "--sizes", str(commits)]
        measured = measure([*program, "--side", side, "--folder", own], folder / "told")
    return json.loads(measured.printed), measured.peak_mb


def run_side(side: str, git_dir: Path, commits: int, folder: Path) -> dict[str, Any]:
    if side == "ours":
        return read_ours(git_dir, commits, folder)
    return (read_descriptions if side == "descriptions" else read_pydriller)(git_dir, commits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, help="a git directory with enough commits")
    parser.add_argument("--sizes", default="1000,3000,10000")
    parser.add_argument("--pydriller", default="1000,3000", help="those of the sizes that it reads too")
    parser.add_argument("--side", choices=("ours", "descriptions", "pydriller"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    if arguments.side:
        print(json.dumps(run_side(arguments.side, arguments.repository, sizes[0], arguments.folder)))  # noqa: T201
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # PyDriller writes into the configuration of what it reads, so what it is given is ours
        copy = folder / "copy.git"
        clone = ["git", "clone", "--quiet", "--bare", "--shared", str(arguments.repository), str(copy)]
        subprocess.run(clone, check=True)
        for size in sizes:
            report = compare(copy, size, folder, pydriller=str(size) in arguments.pydriller.split(","))
            print(json.dumps(report), flush=True)  # noqa: T201 - its purpose


if __name__ == "__main__":
    main()
