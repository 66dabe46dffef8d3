"""A mirror is asked for every head before anything is played."""

import subprocess
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.rehearsal.archive import ArchivedPullRequest
from app.rehearsal.playback import Mirror, check_heads
from app.rehearsal.processes import Program


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *identity, "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """Pull request 1 has its ref, 2 only its commit."""
    folder = tmp_path / "mirror.git"
    _git(tmp_path, "init", "--quiet", "--bare", str(folder))
    tree = _git(folder, "hash-object", "-t", "tree", "-w", "/dev/null")
    _git(folder, "update-ref", "refs/pull/1/head", _git(folder, "commit-tree", tree, "-m", "one"))
    _git(folder, "update-ref", "refs/heads/main", _git(folder, "commit-tree", tree, "-m", "two"))
    return Mirror(folder)


def _row(number: int, head_sha: str = "b" * 40) -> ArchivedPullRequest:
    return ArchivedPullRequest.model_validate(
        {
            "repo": "o/r",
            "number": number,
            "title": "t",
            "author": None,
            "created_at": "2020-01-01T00:00:00Z",
            "head_sha": head_sha,
            "comments": (),
        }
    )


def test_a_head_is_found_by_its_ref_or_by_its_commit(mirror: Mirror) -> None:
    check_heads(mirror, (_row(1), _row(2, _git(mirror.path, "rev-parse", "refs/heads/main"))))


def test_every_missing_head_is_named_at_once(mirror: Mirror) -> None:
    tree = _git(mirror.path, "rev-parse", "refs/heads/main^{tree}")
    with pytest.raises(UserError, match=r"the heads of 4 pull requests .* got none for 3: 2, 3, 4; fetch them"):
        check_heads(mirror, (_row(1), _row(2), _row(3, tree), _row(4)))


def test_a_play_gets_none_of_the_operators_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would send rows to the host that they name, rent machines, or wait for a queue nobody works on."""
    monkeypatch.setenv("UNDERSTUDY_RUNNER", "hosted")
    monkeypatch.setenv("UNDERSTUDY_GITHUB_TOKEN", "secret")
    log = tmp_path / "log"
    program = Program(["os"], log=log, environment={"UNDERSTUDY_APP_ID": "1"})
    assert {name for name in program.environment if name.startswith("UNDERSTUDY_")} == {"UNDERSTUDY_APP_ID"}
    assert program.environment["PATH"]


def test_a_mirror_of_somebody_else_runs_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, told = tmp_path / "mirror.git", tmp_path / "told"
    _git(tmp_path, "init", "--quiet", "--bare", str(folder))
    shas: list[str] = []
    for text in ("one", "two"):
        (tmp_path / "a.py").write_text(f"{text}\n", encoding="utf-8")
        blob = _git(folder, "hash-object", "-w", str(tmp_path / "a.py"))
        tree = subprocess.run(
            ["git", "-C", str(folder), "mktree"],
            input=f"100644 blob {blob}\ta.py\n",
            text=True,
            capture_output=True,
            check=True,
        ).stdout.strip()
        shas.append(_git(folder, "commit-tree", tree, *(word for sha in shas for word in ("-p", sha)), "-m", text))
    _git(folder, "update-ref", "refs/pull/1/head", shas[1])
    program = f"sh -c 'echo $UNDERSTUDY_OPERATOR_TOKEN > {told}; cat \"$0\"'"
    for key in ("diff.x.textconv", "diff.x.command", "diff.external"):
        _git(folder, "config", key, program)
    (folder / "info").mkdir(exist_ok=True)
    (folder / "info" / "attributes").write_text("* diff=x\n", encoding="utf-8")
    monkeypatch.setenv("UNDERSTUDY_OPERATOR_TOKEN", "secret")
    mirror = Mirror(folder)
    changes = mirror.changes(shas[0], shas[1], "a.py")
    assert changes is not None
    assert [(one.old_start, one.new_start) for one in changes] == [(1, 1)]
    assert list(mirror.shown(shas[0], shas[1])) == ["a.py"]
    assert not told.exists()
