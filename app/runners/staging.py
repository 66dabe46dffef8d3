"""What a place elsewhere needs of this machine before it can begin."""

from pathlib import Path

from app.domain.errors import spoken_place
from app.runners.guarded import open_guarded
from app.runners.running import TrainingTask

CONFIGURATION = "configuration.yaml"


def stage_run(task: TrainingTask) -> Path | None:
    """Make the run's folder and put the configuration into it, so that one folder carries both. Returns its place.

    Raises:
        UserError: when the folder can't be written.
        Refused: when something that is no file lies where the configuration goes.
    """
    with spoken_place(task.out):
        task.out.mkdir(parents=True, exist_ok=True)
        if task.config is None:
            return None
        with open_guarded(task.out / CONFIGURATION, "wb") as file:  # the first try's pod may have been there
            file.write(task.config.read_bytes())
        return task.out / CONFIGURATION
