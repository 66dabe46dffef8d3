"""What a place elsewhere needs of this machine before it can begin."""

import shutil
from pathlib import Path

from app.domain.errors import spoken_place
from app.runners.running import TrainingTask

CONFIGURATION = "configuration.yaml"


def stage_run(task: TrainingTask) -> Path | None:
    """Make the run's folder and put the configuration into it, so that one folder carries both. Returns its place.

    Raises:
        UserError: when the folder can't be written.
    """
    with spoken_place(task.out):
        task.out.mkdir(parents=True, exist_ok=True)
        if task.config is None:
            return None
        return Path(shutil.copyfile(task.config, task.out / CONFIGURATION))
