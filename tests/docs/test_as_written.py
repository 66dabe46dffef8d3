"""Lines of the pages, run as they stand there: only words in capitals, hosts and ports are replaced by real ones."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli as app_cli
from docs.website.lines import CHECKOUT, Line, fill, parse_line, read_inline, read_lines
from tests.integration.dataset.test_commands import INSTALLATION, store
from tests.integration.intake.conftest import TOKEN, running, settings_for
from tests.unit.dataset.exported import a_snapshot
from tests.unit.training.release.conftest import run_folder
from training.__main__ import cli as training_cli
from training.release.publishing import SIGNATURE
from training.release.spot_check import SHEET

__all__ = ["run_folder", "store"]  # fixtures of others
PROGRAMS = {"app": app_cli, "training": training_cli}


def page(name: str) -> list[Line]:
    return read_lines(CHECKOUT / "docs" / name)


def one(name: str, command: str, *having: str) -> Line:
    """The only line of that page with that command and those words."""
    found = [line for line in page(name) if line.name == command and set(having) <= set(line.words)]
    assert len(found) == 1, [line.text for line in found]
    return found[0]


def run(line: Line, **given: object) -> str:
    """In this process, from the folder where it stands; it must succeed."""
    done = CliRunner().invoke(PROGRAMS[line.words[2]], fill(line, given))
    assert done.exit_code == 0, f"{line.text}\n{done.output}\n{done.exception!r}"
    return done.output


def test_a_snapshot_is_shown_carried_away_and_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = a_snapshot(tmp_path / "snapshot")
    run(one("dataset.md", "app dataset report", "--snapshot"), DIR="snapshot")
    assert "<html" in Path("report.html").read_text()
    assert json.loads(Path("report.json").read_text())["rows"] > 0
    run(one("dataset.md", "app dataset export"), DIR="snapshot", FORMAT="trl", FOLDER="carried")
    back = run(one("dataset.md", "app dataset import"), FOLDER="carried", FORMAT="trl", NEW="again")
    assert made.id in back


def test_the_store_is_shown(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.startswith("sqlite")
    monkeypatch.chdir(tmp_path)
    run(one("dataset.md", "app dataset report", "--installation"), ID=INSTALLATION)
    assert Path("report.html").stat().st_size > 1_000


def test_comments_of_ones_own_come_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    row = {"repo": "o/r", "pr_author": "bob", "author": "ada", "path": "a.py", "diff_hunk": "@@ -1 +1 @@\n-1\n+2"}
    for name, numbers in (("train", range(1, 8)), ("heldout", range(8, 10))):
        rows = [
            {**row, "pr": n, "pr_created": f"2020-01-0{n}T00:00:00Z", "id": n, "body": f"Use integer cents here, {n}."}
            for n in numbers
        ]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    given = {"TRAIN.jsonl": "train.jsonl", "HELDOUT.jsonl": "heldout.jsonl", "DIR": "snapshot"}
    run(one("import.md", "app import-comments"), **given)
    assert (tmp_path / "snapshot" / "manifest.json").is_file()


def test_a_run_is_judged_blind_sealed_and_verified(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(parse_line("python -m training report --run RUN"), RUN=run_folder)
    blind, answered = [line for line in page("proving.md") if line.name == "training spot-check"]
    run(blind, RUN=run_folder)
    sheet = json.loads((run_folder / SHEET).read_text())
    answers = {"suite": sheet["suite"], "adapter": sheet["adapter"], "refused_left": [], "refused_right": []}
    Path("spot-answers.json").write_text(json.dumps(answers))
    assert "promote" in run(answered, RUN=run_folder)
    run(parse_line("python -m training report --run RUN --signing-key key.pem"), RUN=run_folder)
    key = json.loads((run_folder / SIGNATURE).read_text())["public_key"]
    assert "signed by the key you named" in run(one("proving.md", "training verify"), RUN=run_folder, HEX=key)


def test_a_tiny_base_is_made(tmp_path: Path) -> None:
    run(parse_line(f"python -m training tiny --out {tmp_path / 'tiny'}"))
    assert (tmp_path / "tiny" / "base.json").is_file()


def test_a_policy_file_is_checked(tmp_path: Path) -> None:
    (line,) = [parse_line(text) for text in read_inline(CHECKOUT / "docs/reviewing.md") if " policy " in text]
    (tmp_path / "understudy.yml").write_text("version: 1\ncuration: evidence\n")
    assert "valid" in run(line, FILE=tmp_path / "understudy.yml")


def test_the_operators_calls_are_answered(tmp_path: Path) -> None:
    status, train = [line for line in page("operating.md") if line.name == "curl"]
    with running(settings_for(f"sqlite:///{tmp_path / 'understudy.db'}", tmp_path)) as service:
        assert "workflows" in _curl(status, service.url)
        assert "expected a known installation" in _curl(train, service.url)


def _curl(line: Line, url: str) -> str:
    """By curl itself, the token and the address in the place of theirs."""
    given = line.text.replace("$UNDERSTUDY_OPERATOR_TOKEN", TOKEN).replace("http://127.0.0.1:8080", url)
    words = shlex.split(given.replace("/ID/", "/999/"))
    return subprocess.run([*words, "--silent"], check=True, capture_output=True, text=True, timeout=60).stdout


def test_a_mirror_is_cloned_with_the_heads_of_pull_requests(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(origin)]
    subprocess.run(["git", "init", "--quiet", str(origin)], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "first"], check=True)
    subprocess.run([*git, "update-ref", "refs/pull/1/head", "HEAD"], check=True)
    line = one("rehearse.md", "git clone")
    words = [{"URL": str(origin), "REPO.git": str(tmp_path / "REPO.git")}.get(word, word) for word in line.words]
    subprocess.run([*words, "--quiet"], check=True)
    assert (tmp_path / "REPO.git" / "packed-refs").read_text().count("refs/pull/1/head") == 1
