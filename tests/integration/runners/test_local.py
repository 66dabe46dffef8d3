"""This machine's runner starts the training program itself, and says what it said when it failed."""

from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.runners.local import LocalRunner
from tests.integration.runners.heard import Heard
from tests.made_run import progress_line
from tests.unit.runners.tasks import a_task


async def test_the_trainings_own_words_are_told(tmp_path: Path) -> None:
    task = a_task(tmp_path)
    task.out.mkdir(parents=True)
    (task.out / "progress.jsonl").write_bytes(progress_line(7))
    (task.snapshot / "manifest.json").chmod(0o644)
    (task.snapshot / "manifest.json").write_text("{}")
    heard = Heard()
    with pytest.raises(UserError, match="the training run ended with an error:") as failed:
        await LocalRunner(every_seconds=0.1).run(task, heard.listener)
    assert "manifest" in str(failed.value)
    assert heard.steps[0].step == 7
    assert "error: " in (task.out / "run.log").read_text()
    await LocalRunner().cancel(task)
