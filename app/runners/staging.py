"""What a place elsewhere needs of this machine before it can begin."""

import shutil
from dataclasses import replace
from pathlib import Path

from app.domain.errors import spoken_place
from app.runners.guarded import open_guarded
from app.runners.running import TrainingTask

CONFIGURATION = "configuration.yaml"
THRESHOLDS = "thresholds.json"


def stage_run(task: TrainingTask) -> TrainingTask:
    """Make the run's folder and put configuration and thresholds into it, so that one folder carries all.

    Returns the task with the copies in their place.

    Raises:
        UserError: when the folder can't be written.
        Refused: when something that is no file lies where the configuration goes.
    """
    with spoken_place(task.out):
        task.out.mkdir(parents=True, exist_ok=True)
        return replace(
            task,
            config=_copy(task.config, task.out / CONFIGURATION),
            policy=_copy(task.policy, task.out / THRESHOLDS),
        )


def _copy(source: Path | None, place: Path) -> Path | None:
    if source is None:
        return None
    with source.open("rb") as given, open_guarded(place, "wb") as file:  # the first try's pod may have been there
        shutil.copyfileobj(given, file)
    return place
