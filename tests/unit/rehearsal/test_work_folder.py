"""Only folders that a rehearsal made are cleared; a person's files are never taken for ours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.rehearsal.console import Narrator
from app.rehearsal.demo.run import DemoOptions, run_demo
from app.rehearsal.work_folder import claim_work, clear_work


def test_a_folder_of_ours_is_cleared_and_stays_ours(tmp_path: Path) -> None:
    work = tmp_path / "new" / "work"
    clear_work(work)
    (work / "github").mkdir()
    (work / "app.log").write_text("old")
    clear_work(work)
    assert [entry.name for entry in work.iterdir()] == [".understudy-work"]


def test_what_a_link_in_it_leads_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("years of work")
    work = tmp_path / "work"
    claim_work(work)
    (work / "link").symlink_to(tmp_path / "mine")
    clear_work(work)
    assert not (work / "link").is_symlink()
    assert (tmp_path / "mine" / "thesis").exists()


@pytest.mark.parametrize("act", [claim_work, clear_work])
def test_a_folder_of_somebody_else_is_refused_untouched(act: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "thesis").write_text("years of work")
    with pytest.raises(UserError, match="somebody else's; its content would be deleted"):
        act(tmp_path)
    assert (tmp_path / "app" / "thesis").read_text() == "years of work"
    assert not (tmp_path / ".understudy-work").exists()


def test_a_place_that_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="to be a place that can be written"):
        claim_work(tmp_path / "file" / "work")


def test_the_demo_leaves_a_folder_of_somebody_else_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "thesis").write_text("years of work")
    assert not run_demo(DemoOptions(work=tmp_path, fresh=True), Narrator())
    assert (tmp_path / "app" / "thesis").exists()
    assert "somebody else's" in capsys.readouterr().out
