"""Onboarding in processes that die at a given request: `python -m MODULE FOLDER`.

FOLDER holds `told.json`. Each turn boots the engine, lets what earlier turns left behind end, and begins anew.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from app.github.asking import Asking
from app.github.client import GitHubClient
from app.workflows import context, engine, onboarding  # noqa: F401  declares its workflow
from app.workflows.runs import Queue
from tests.cutting import Cut, Turn, answer_turns
from tests.integration.review.cutting_program import Told

_REAL = Asking._write


class Begin(Turn):
    repository_id: int
    waiting: tuple[str, ...] = ()


def _cut_writing(cut: Cut | None) -> list[str]:
    """`step` of a cut is the method and the last fixed part of the path, as `POST refs`."""
    done: list[str] = []

    async def write(self: Asking, method: str, path: str, payload: object = None) -> dict[str, Any]:
        name = f"{method} {'contents' if '/contents/' in path else path.rsplit('/', 1)[-1]}"
        done.append(name)
        if cut == Cut(step=name, when="before"):
            os.kill(os.getpid(), signal.SIGKILL)
        found = await _REAL(self, method, path, payload)
        if cut == Cut(step=name, when="after"):
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    Asking._write = write  # type: ignore[method-assign]
    return done


def _take(turn: Begin, told: Told, folder: Path) -> dict[str, Any]:
    github = GitHubClient(
        api_url=told.api_url,
        git_url=told.api_url,
        app_id=told.app_id,
        private_key_pem=told.private_key,
        installation_id=told.installation_id,
        write_pause_seconds=0.0,
    )

    def prepare(database: Any) -> None:
        services = context.Services(
            database=database,
            host=told.host,
            app_slug=told.app_slug,
            data=folder / "data",
            base=folder / "base",
            serving=folder / "serving",
            training_config=None,
            retention_days=30,
            github=lambda _: github,
        )
        context.install(services)

    engine.boot(told.database, prepare=prepare, polling_seconds=0.05, scheduled=False)
    states = [str(engine.wait(known, 60)) for known in turn.waiting]
    writes = _cut_writing(turn.cut)
    workflow_id = f"onboard:{turn.repository_id}"
    arguments = (told.installation_id, turn.repository_id, 1)
    engine.start("onboard", workflow_id, *arguments, queue=Queue.GITHUB, partition=told.installation_id)
    states.append(str(engine.wait(workflow_id, 60)))
    engine.shutdown()
    return {"states": states, "writes": writes}


def main(folder: Path) -> None:
    told = Told.model_validate_json((folder / "told.json").read_text())
    answer_turns(Begin, lambda turn: _take(turn, told, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
