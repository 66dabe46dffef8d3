"""A place that can't be written is told in a sentence with its name, before anything long begins."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.errors import UserError, spoken_place
from app.main import boot
from app.rehearsal.console import Narrator
from app.rehearsal.demo.run import DemoOptions, run_demo
from app.store.database import open_engine, open_existing
from serving.state import StateFolder, load_address
from tests.integration.intake.conftest import settings_for

CHECKOUT = Path(__file__).parents[2]
#: Nobody can make a folder here, root included.
NOWHERE = Path("/proc/nowhere")


def test_only_errors_of_the_file_system_are_told() -> None:
    with pytest.raises(UserError, match=r"expected here to be a place .* got 'No space left'"), spoken_place("here"):
        raise OSError(28, "No space left")
    with pytest.raises(ValueError, match="a bug"), spoken_place("here"):
        raise ValueError("a bug")


def test_the_demo_asks_for_its_figures_file_first(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.json"):
        run_demo(DemoOptions(work=tmp_path / "work", figures=Path("/proc/nowhere.json")), Narrator())
    assert not (tmp_path / "work").exists()


def test_the_service_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"UNDERSTUDY_DATA \(/proc/nowhere\)"):
        boot(settings_for(f"sqlite:///{tmp_path}/u.db", tmp_path, data=NOWHERE))
    with pytest.raises(UserError, match=r"UNDERSTUDY_DATABASE_URL \(/proc/nowhere/u.db\)"):
        open_engine(f"sqlite:///{NOWHERE}/u.db")


def test_the_server_names_its_state_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (NOWHERE, tmp_path / "file"):
        with pytest.raises(UserError, match=f"expected {place} to be a place"):
            StateFolder(place)
    with pytest.raises(UserError, match="nothing serves from"):
        load_address(tmp_path / "file")


@pytest.mark.parametrize(("place", "words"), [(NOWHERE, "can be written"), (Path(__file__), "which is a file")])
def test_an_import_names_its_folder(place: Path, words: str, tmp_path: Path) -> None:
    row = (
        '{"repo": "o/r", "pr": %d, "pr_author": "bob", "pr_created": "2020-01-0%dT00:00:00Z", "id": %d, '
        '"author": "ada", "path": "a.py", "body": "Use integer cents for money here.", '
        '"diff_hunk": "@@ -1 +1 @@\\n-1\\n+2"}\n'
    )
    (tmp_path / "train.jsonl").write_text("".join(row % (n, n, n) for n in range(1, 8)))
    done = subprocess.run(
        [sys.executable, "-m", "app", "import-comments", tmp_path / "train.jsonl", "--snapshot", place],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert words in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["app", "demo", "--kill-at", "lunch", "--work", "/proc/nowhere"],
        ["app", "rehearse", "--archive", "none.jsonl", "--mirror", "none.git", "--out", "/proc/nowhere"],
        ["serving", "status", "--state", "/proc/nowhere"],
        ["serving", "run", "--base", "/proc/nowhere", "--state", "/proc/nowhere"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_an_error_of_use_ends_every_program_with_status_2(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert done.stderr.startswith("error: ")


def test_a_database_that_never_ran_is_said_and_not_made(tmp_path: Path) -> None:
    missing, other = tmp_path / "missing.db", tmp_path / "other.db"
    other.write_bytes(b"no database at all, but some text that is longer than a header" * 3)
    with pytest.raises(UserError, match=r"expected a database of Understudy at .*missing\.db, found none"):
        open_existing(f"sqlite:///{missing}")
    assert not missing.exists()
    with pytest.raises(UserError, match="expected a database that answers"):
        open_existing(f"sqlite:///{other}")
