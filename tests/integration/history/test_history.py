"""A whole small repository: what is found, what is left out and why, the same every time and in any portions."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.domain.written import WrittenExample, WrittenKind, author_key
from app.github.git import GitFailed
from app.github.harvested import Account, HarvestedPull
from app.history import reading
from app.history.changes import fetch_shas, read_changes
from app.history.deciding import LeftOut, Origin, PullRequestWords
from app.history.reading import CommitReading, read_commits, read_history, read_pull, select_parts
from app.history.record import record_history, write_history
from app.store.database import open_engine
from app.store.database import reading as reading_session
from app.store.learning import select_written
from tests.integration.history.conftest import Story

ORIGIN = Origin(host="github.test", repository_id=7, repository="port/quay")


def _read_all(git_dir: Path, shas: tuple[str, ...]) -> list[CommitReading]:
    return list(read_history(git_dir, ORIGIN, shas))


def read(story: Story, shas: tuple[str, ...]) -> tuple[list[WrittenExample], list[LeftOut]]:
    readings = _read_all(story.git_dir, shas)
    assert [one.sha for one in readings] == list(shas)
    return [e for one in readings for e in one.examples], [out for one in readings for out in one.left_out]


def test_what_is_found_and_what_is_left_out(story: Story) -> None:
    examples, left_out = read(story, fetch_shas(story.git_dir))
    subjects = [example.text.split("\n")[0] for example in examples if example.kind is WrittenKind.COMMIT]
    assert subjects == [
        "Find a berth for every ship",
        "Free berths late",
        "Read the tide table from its file",
        "Move ships to the quay",
        "Greet sailors in their own words: Grüße",
        "Keep the whole tide table of the century",
        "Make the link a file of its own",
        "Remove what nobody greets any more",
    ]
    assert Counter((out.kind.value, out.reason) for out in left_out) == {
        ("commit", "lock_file"): 1,
        ("commit", "binary"): 1,
        ("commit", "not_a_file"): 1,
        ("commit", "empty_message"): 1,
        ("commit", "empty_change"): 1,
        ("commit", "bot"): 1,
        ("commit", "strange_path"): 1,
        ("commit", "too_large"): 1,
    }
    documented = [(e.path, e.function, e.language, e.text) for e in examples if e.kind is WrittenKind.DOCSTRING]
    assert documented == [
        ("port.py", "moor", "python", "Find the ship a berth that is wide enough.\n\nLate ships wait."),
        ("Port.java", "Port.free", "java", "Frees the berth once the pilot has left the ship."),
    ]


def test_a_commit_is_shown_with_what_is_read_of_it_and_nothing_of_its_author(story: Story) -> None:
    examples, _ = read(story, fetch_shas(story.git_dir))
    first = examples[0]
    assert first.text == "Find a berth for every ship\n\nIssue #4."
    assert first.context.startswith("--- /dev/null\n+++ b/port.py\n@@ -0,0 +1,11 @@\n+def moor(ship):")
    assert "package-lock" not in first.context
    assert (first.author, first.author_key) == ("Ann", author_key("ann@example.org"))
    assert first.written_at == datetime.fromtimestamp(1_700_000_060, UTC)
    assert all("@" not in example.model_dump_json().replace("@@", "") for example in examples)
    by_subject = {example.text.split("\n")[0]: example.context for example in examples}
    assert by_subject["Move ships to the quay"].startswith("--- a/port.py\n+++ b/quay.py\n@@ -9,3 +9,17 @@")
    assert by_subject["Remove what nobody greets any more"].startswith("--- a/plain.py\n+++ /dev/null\n")
    assert "latin.py" not in by_subject["Greet sailors in their own words: Grüße"]
    assert "huge.py" not in by_subject["Keep the whole tide table of the century"]
    assert "link.py" not in by_subject["Make the link a file of its own"]
    assert "+++ b/after.py" in by_subject["Make the link a file of its own"]


def test_twice_in_portions_and_by_two_processes_it_is_the_same(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    shas = fetch_shas(story.git_dir)
    whole = _read_all(story.git_dir, shas)
    for since in (shas[0], shas[4], shas[-1]):
        later = fetch_shas(story.git_dir, since=since)
        until = fetch_shas(story.git_dir, until=since)
        assert set(later) | set(until) == set(shas)
        portions = [*_read_all(story.git_dir, until), *_read_all(story.git_dir, later)]
        assert sorted(portions) == sorted(whole)
    monkeypatch.setattr(reading, "FEWEST", 5)
    assert len(select_parts(shas)) > 1
    assert _read_all(story.git_dir, shas) == whole


@pytest.mark.parametrize("commits", [0, 1, 100, 101, 999, 13_110])
def test_parts_are_all_of_it_in_order_and_grow_smaller(commits: int) -> None:
    shas = tuple(map(str, range(commits)))
    parts = select_parts(shas)
    sizes = [len(part) for part in parts]
    assert tuple(sha for part in parts for sha in part) == shas
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes, default=0) <= reading.MOST
    assert sum(size < reading.FEWEST for size in sizes) <= 1


def test_the_repositorys_own_configuration_changes_nothing(story: Story, tmp_path: Path) -> None:
    copy = tmp_path / "copy.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(story.folder), str(copy)], check=True)
    settings = {
        "diff.noprefix": "true",
        "diff.external": f"touch {tmp_path}/ran;",
        "diff.context": "9",
        "diff.algorithm": "patience",
        "color.ui": "always",
        "core.bigFileThreshold": "10g",
        "log.showSignature": "true",
    }
    for key, value in settings.items():
        subprocess.run(["git", "-C", str(copy), "config", key, value], check=True)
    shas = fetch_shas(story.git_dir)
    assert read_commits(copy, ORIGIN, shas) == read_commits(story.git_dir, ORIGIN, shas)
    assert not (tmp_path / "ran").exists()


def test_the_buffer_may_end_anywhere(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    shas = fetch_shas(story.git_dir)[:6]
    whole = list(read_changes(story.git_dir, shas))
    for size in (1, 7, 64):
        monkeypatch.setattr("app.history.changes._READ_BYTES", size)
        assert list(read_changes(story.git_dir, shas)) == whole


def test_a_commit_that_git_cannot_read_is_left_out_alone(story: Story, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", "--no-local", "--bare", str(story.folder), str(copy)], check=True)
    shas = fetch_shas(copy)
    blob = subprocess.run(
        ["git", f"--git-dir={copy}", "rev-parse", f"{shas[1]}:Port.java"], check=True, capture_output=True, text=True
    ).stdout.strip()
    pack = next((copy / "objects" / "pack").glob("*.pack"))
    loose = tmp_path / pack.name
    pack.rename(loose)
    pack.with_suffix(".idx").unlink()
    with loose.open("rb") as packed:
        subprocess.run(["git", f"--git-dir={copy}", "unpack-objects", "-q"], stdin=packed, check=True)
    (copy / "objects" / blob[:2] / blob[2:]).unlink()

    examples, left_out = _read(copy, shas)
    whole, _ = read(story, shas)
    assert [out.where for out in left_out if out.reason == "unreadable"] == [shas[1]]
    assert examples == [example for example in whole if example.commit_sha != shas[1]]


def _read(git_dir: Path, shas: tuple[str, ...]) -> tuple[list[WrittenExample], list[LeftOut]]:
    readings = read_commits(git_dir, ORIGIN, shas)
    return [e for one in readings for e in one.examples], [out for one in readings for out in one.left_out]


def test_a_mirror_that_is_gone_is_no_broken_commit(story: Story, tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="not a git repository"):
        read_commits(tmp_path / "gone.git", ORIGIN, fetch_shas(story.git_dir))


@pytest.mark.parametrize("since", [None, "f" * 40, "--output=x"])
def test_a_bad_repository_or_commit_is_told_to_a_person(story: Story, tmp_path: Path, since: str | None) -> None:
    git_dir = tmp_path if since is None else story.git_dir
    with pytest.raises(UserError, match=r"expected the git directory of a repository .* got .*; correct the path"):
        write_history(git_dir, ORIGIN, tmp_path / "out.jsonl", since=since)
    assert list(tmp_path.iterdir()) == []


def a_pull(number: int, head: str, title: str, *, merged: bool = True, kind: str = "User") -> HarvestedPull:
    return HarvestedPull(
        host="github.test",
        repository_id=7,
        repository="port/quay",
        number=number,
        title=title,
        author=Account(login="ann", kind=kind),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        merged=merged,
        base_sha="0" * 40,
        head_sha=head,
        labels=(),
        reviews=(),
        threads=(),
    )


def test_pull_requests_are_read_against_their_base(story: Story) -> None:
    shas = fetch_shas(story.git_dir)
    words = [
        PullRequestWords(a_pull(1, shas[2], "Read tides"), "<!-- why? -->\nFrom their file.", shas[0]),
        PullRequestWords(a_pull(2, shas[2], "Read tides", merged=False), "", shas[0]),
        PullRequestWords(a_pull(3, shas[2], "Read tides", kind="Bot"), "", shas[0]),
        PullRequestWords(a_pull(4, "e" * 40, "Read tides"), "", shas[0]),
        PullRequestWords(a_pull(5, shas[2], "#12"), "- [x] done", shas[0]),
    ]
    first, *others = (read_pull(story.git_dir, one) for one in words)
    assert isinstance(first, WrittenExample)
    assert (first.kind, first.pull_request, first.author, first.author_key) == ("pull_request", 1, "ann", None)
    assert first.text == "Read tides\n\nFrom their file."
    assert first.context.startswith("--- /dev/null\n+++ b/tides.py\n@@ -0,0 +1,20 @@\n+tide_0 = 0")
    assert [(out.reason, out.where) for out in others if isinstance(out, LeftOut)] == [
        ("not_merged", "port/quay#2"),
        ("bot", "port/quay#3"),
        ("unreadable", "port/quay#4"),
        ("ticket_only", "port/quay#5"),
    ]


def test_what_is_recorded_is_recorded_once(story: Story, tmp_path: Path, database_url: str) -> None:
    engine = open_engine(database_url)
    shas = fetch_shas(story.git_dir)
    part = record_history(engine, 1, story.git_dir, ORIGIN, since=shas[3])
    told: list[tuple[int, int]] = []
    whole = record_history(engine, 1, story.git_dir, ORIGIN, progress=lambda *figures: told.append(figures))
    again = record_history(engine, 1, story.git_dir, ORIGIN)
    with reading_session(engine) as session:
        rows = select_written(session, 1)
    engine.dispose()
    written = write_history(story.git_dir, ORIGIN, tmp_path / "all.jsonl")
    assert part.saved + whole.saved == len(rows) == written.saved == 10
    assert (again.saved, again.counts, again.head) == (0, written.counts, story.head())
    assert whole.counts["commit:merge"] == 1
    assert told == [(len(shas), len(shas))]


def test_the_command_writes_rows_and_tells_the_reasons(story: Story, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    command = [sys.executable, "-m", "app", "history", "--mirror", str(story.git_dir)]
    done = subprocess.run(
        [*command, "--repository", "port/quay", "--out", str(out)], check=True, capture_output=True, text=True
    )
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 10
    for row in rows:
        assert WrittenExample.model_validate({key: row[key] for key in row if key != "hash"}).hash == row["hash"]
    assert done.stdout == ""
    assert "1  commit left out: lock_file" in done.stderr
    assert f"go on with --since {story.head()}" in done.stderr
    wrong = subprocess.run(
        [*command, "--repository", "quay", "--out", str(out)], check=False, capture_output=True, text=True
    )
    assert (wrong.returncode, wrong.stderr.startswith("error: expected --repository as OWNER/NAME")) == (2, True)


def test_words_that_are_no_utf8_are_read_with_marks_in_their_place(story: Story, tmp_path: Path) -> None:
    """`git commit` repairs such messages, other programs do not."""
    copy = tmp_path / "copy.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(story.folder), str(copy)], check=True)
    head = subprocess.run(
        ["git", "-C", str(copy), "cat-file", "commit", "HEAD"], check=True, capture_output=True
    ).stdout
    broken = head.partition(b"\n\n")[0] + b"\n\nGreet \xfc sailors\n"
    made = ["git", "-C", str(copy), "hash-object", "-t", "commit", "-w", "--stdin"]
    sha = subprocess.run(made, input=broken, check=True, capture_output=True).stdout.decode().strip()
    (change,) = read_changes(copy, [sha])
    assert change.message.strip() == "Greet \ufffd sailors"


_ABANDONED = """
import sys, time
from pathlib import Path
from app.history import reading
from app.history.changes import fetch_shas
from app.history.deciding import Origin

if __name__ == "__main__":
    reading.FEWEST = 2
    git_dir = Path(sys.argv[1])
    readings = reading.read_history(git_dir, Origin(host="h", repository_id=1, repository="a/b"), fetch_shas(git_dir))
    next(readings)
    print("reading", flush=True)
    time.sleep(60)
"""


def test_the_readers_of_a_killed_program_end_with_it(story: Story, tmp_path: Path) -> None:
    script = tmp_path / "abandoned.py"
    script.write_text(_ABANDONED)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, str(script), str(story.git_dir)], env=environment, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "reading\n"
        threads = Path(f"/proc/{program.pid}/task").iterdir()
        readers = [pid for thread in threads for pid in (thread / "children").read_text().split()]
        assert len(readers) >= reading.READERS
        assert all(map(_is_running, readers))
        program.kill()
    deadline = time.monotonic() + 10
    while any(map(_is_running, readers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_commit_whose_file_crashes_a_parser_ends_the_reading_and_not_the_service(story: Story) -> None:
    """However few commits there are: the file is one on which tree-sitter's Python grammar ends its process."""
    nested = "".join(" " * row + "if a:\n" for row in range(600)) + " " * 600 + '"docs"\n'
    story.write(
        "crasher.py", f'{nested}\n\ndef moor(ship):\n    """Find a ship a berth that is wide."""\n    return ship\n'
    )
    story.commit("Moor ships")
    origin = Origin(host="h", repository_id=1, repository="a/b")
    with pytest.raises(UserError, match="a reader of it ended"):
        list(read_history(story.git_dir, origin, fetch_shas(story.git_dir)))
