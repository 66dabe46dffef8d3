"""Training as a child process of the service, on its own machine."""

from app.domain.adapters import CHILD_LOCK
from app.domain.errors import UserError
from app.runners.children import run_child
from app.runners.progress import EVERY_SECONDS, FILE, following
from app.runners.running import Listener, TrainingTask, render_arguments

#: Lines of a failed trainer's output that its error shows.
_OUTPUT_TAIL = 15


class LocalRunner:
    """The child holds a lock on its run and dies with the service; the next one goes on from its checkpoint."""

    keeps_weights = False

    def __init__(self, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._every_seconds = every_seconds

    async def run(self, task: TrainingTask, listener: Listener) -> None:
        """As Runner.run."""
        lines: list[str] = []
        arguments = render_arguments(
            task.snapshot,
            task.base,
            task.out,
            config=task.config,
            current=task.current,
            pinned=task.pinned,
            policy=task.policy,
            judge=task.judge,
        )
        async with following(task.out / FILE, listener.progress, every_seconds=self._every_seconds):
            code = await run_child(
                arguments, log=task.out / "run.log", on_line=lines.append, lock=task.out / CHILD_LOCK
            )
        if code != 0:
            raise UserError("the training run ended with an error:\n" + "\n".join(lines[-_OUTPUT_TAIL:]))

    async def cancel(self, task: TrainingTask) -> None:
        """Nothing to do: cancelling `run` ended the child, and so did the death of this process."""
