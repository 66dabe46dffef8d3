"""The second opinion on places reads what real git prints, whatever stands in the files."""

import subprocess
from pathlib import Path

from app.rehearsal.places import ShownFile, read_shown
from app.rehearsal.playback import Mirror

BEFORE = "".join(f"line {number}\n" for number in range(1, 31))
#: What looks like headers once it is added or removed.
TRAPS = "++ b/other.py\n-- a/other.py\n@@ -1,1 +90,2 @@\nx\r\n\n\\ No newline\n"


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *identity, "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _commit(work: Path, files: dict[str, str]) -> str:
    for path, text in files.items():
        (work / path).write_text(text, newline="")
    _git(work, "add", "-A")
    _git(work, "commit", "--quiet", "-m", "c")
    return _git(work, "rev-parse", "HEAD")


def test_git_says_which_lines_a_pull_request_adds_and_shows(tmp_path: Path) -> None:
    _git(tmp_path, "init", "--quiet", "-b", "main", str(tmp_path / "work"))
    work = tmp_path / "work"
    base = _commit(work, {"a.py": BEFORE, "odd näme.py": TRAPS, "last.txt": "one\ntwo"})
    lines = BEFORE.splitlines(keepends=True)
    text = "".join([*lines[:10], "new 11\n", *lines[10:20], *lines[21:]])
    head = _commit(work, {"a.py": text, "odd näme.py": f"{TRAPS}{TRAPS}", "last.txt": "one\nTWO"})
    _git(work, "update-ref", "refs/pull/1/head", head)
    shown = Mirror(work / ".git").shown(base, head)
    assert set(shown) == {"a.py", "odd näme.py", "last.txt"}
    assert shown["a.py"] == ShownFile(added=frozenset({11}), shown=frozenset({*range(8, 15), *range(19, 25)}))
    assert shown["odd näme.py"].added == frozenset(range(7, 13))
    assert shown["last.txt"].added == frozenset({2})


def test_what_the_base_did_meanwhile_is_not_the_pull_requests(tmp_path: Path) -> None:
    work = tmp_path / "work"
    _git(tmp_path, "init", "--quiet", "-b", "main", str(work))
    _commit(work, {"a.py": BEFORE})
    _git(work, "checkout", "--quiet", "-b", "topic")
    head = _commit(work, {"b.py": "mine\n"})
    _git(work, "checkout", "--quiet", "main")
    base = _commit(work, {"a.py": f"later\n{BEFORE}"})
    _git(work, "update-ref", "refs/pull/1/head", head)
    assert set(Mirror(work / ".git").shown(base, head)) == {"b.py"}


def test_no_diff_shows_nothing() -> None:
    assert read_shown("") == {}
