"""The service's learning in a program that can be killed: `python learning_program.py URL FOLDER [ID]`.

FOLDER holds `base` and `serving`, links to those of the model server, `prepared`, the run folder that the trainer left,
and `policy.json`, the thresholds of this test: what is killed here begins after the training. Boots, starts
the round ID if one is named, prints "ready", lives.
"""

import shutil
import sys
import threading
from pathlib import Path
from typing import NoReturn

import sqlalchemy as sa

from app.runners.running import Listener, TrainingTask
from app.workflows import context, engine, learning
from app.workflows.runs import Queue

INSTALLATION = 42
#: importing it declares the workflow
_DECLARED = learning.learn


class DoneRunner:
    """Gives the run that is already there."""

    keeps_weights = False

    def __init__(self, prepared: Path) -> None:
        self._prepared = prepared

    async def run(self, task: TrainingTask, listener: Listener) -> None:
        shutil.copytree(self._prepared, task.out, dirs_exist_ok=True)

    async def cancel(self, task: TrainingTask) -> None:
        raise AssertionError("nobody cancels here")


def _ask_github(installation: int) -> NoReturn:
    raise AssertionError(f"nothing here asks GitHub, not even for {installation}")


def boot(url: str, folder: Path) -> None:
    """What was cut off goes on at once, so its services are there before.

    The thresholds are the test's own: no random weights pass the standing ones.
    """

    def prepare(database: sa.Engine) -> None:
        context.install(
            context.Services(
                database=database,
                host="github.test",
                app_slug="understudy",
                data=folder / "data",
                base=folder / "base",
                serving=folder / "serving",
                training_config=None,
                retention_days=30,
                github=_ask_github,
                runner=DoneRunner(folder / "prepared"),
                gate_policy=folder / "policy.json",
            )
        )

    engine.boot(url, prepare=prepare, polling_seconds=0.05, scheduled=False)


def main(url: str, folder: str, *rounds: str) -> None:
    boot(url, Path(folder))
    for name in rounds:
        engine.start("learn", name, INSTALLATION, "test", queue=Queue.GPU)
    print("ready", flush=True)  # noqa: T201 - the test reads it
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
