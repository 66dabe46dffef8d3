"""Reviews in processes that die at a given moment: `python -m tests.integration.review.cutting_program FOLDER`.

FOLDER holds `told.json` (`Told`). Each line of the input is a `Turn`: a process of its own boots the engine, waits for
the reviews that earlier ones left behind, and reviews a pull request; where a cut is named, SIGKILL ends it there. Each
turn answers with one line: `died`, or the final states and the steps that were taken, as JSON. The processes are forked
from one that has loaded everything, for loading takes longer than a review.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

from sqlmodel import Session

from app.domain.base import Record
from app.github.client import GitHubClient
from app.workflows import context, engine
from app.workflows.runs import Queue

STEPS: list[str] = []


class Told(Record):
    database: str
    api_url: str
    app_id: int
    app_slug: str
    private_key: str
    installation_id: int
    host: str


class Cut(Record):
    """`before` a step's effect, or `after` it and before the journal knows."""

    step: str
    when: str


class Turn(Record):
    review_id: str
    repository: str
    waiting: tuple[str, ...] = ()
    cut: Cut | None = None


_ARMED: list[Cut] = []


def _strike(step: str, when: str) -> None:
    if Cut(step=step, when=when) in _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)


def _cutting(declare: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """`function` declared as before, with the two moments at which its process may die."""
    name = function.__name__

    @wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        STEPS.append(name)
        _strike(name, "before")
        found = await function(*args, **kwargs)
        _strike(name, "after")
        return found

    @wraps(function)
    def run_in_transaction(session: Session, *args: Any, **kwargs: Any) -> Any:
        STEPS.append(name)
        _strike(name, "before")
        found = function(session, *args, **kwargs)
        _strike(name, "after")
        return found

    return declare(run if asyncio.iscoroutinefunction(function) else run_in_transaction)


def _load_reviewing() -> Any:
    """The workflow with every step cuttable, and a reviewer that needs no model server."""
    step, transaction = engine.step, engine.transaction

    def cutting_step(**options: Any) -> Callable[[Callable[..., Coroutine[Any, Any, Any]]], Any]:
        return lambda function: _cutting(step(**options), function)

    vars(engine)["step"] = cutting_step
    vars(engine)["transaction"] = lambda function: _cutting(transaction, function)
    from app.workflows import reviewing

    vars(engine)["step"], vars(engine)["transaction"] = step, transaction
    from app.review.drafting import Reviewer
    from tests.integration.review.printing import Everything, Loggers, Prints

    async def load(installation_id: int) -> Reviewer:
        return Reviewer(adapter=f"{installation_id}--v1", locator=Prints(), writer=Loggers(), acceptance=Everything())

    vars(reviewing)["load_reviewer"] = load
    return reviewing


def _take(turn: Turn, told: Told, folder: Path) -> dict[str, Any]:
    def connect(installation_id: int) -> GitHubClient:
        return GitHubClient(
            api_url=told.api_url,
            git_url=told.api_url,
            app_id=told.app_id,
            private_key_pem=told.private_key,
            installation_id=installation_id,
            write_pause_seconds=0.0,
        )

    def prepare(database: Any) -> None:
        context.install(
            context.Services(
                database=database,
                host=told.host,
                app_slug=told.app_slug,
                data=folder / "data",
                base=folder / "base",
                serving=folder / "serving",
                training_config=None,
                retention_days=30,
                github=connect,
            )
        )

    engine.boot(told.database, prepare=prepare, polling_seconds=0.05)
    states = {known: str(engine.wait(f"review:{known}", 60)) for known in turn.waiting}
    STEPS.clear()
    _ARMED[:] = [turn.cut] if turn.cut else []
    installation = told.installation_id
    arguments = (installation, turn.repository, turn.review_id)
    engine.start("review", f"review:{turn.review_id}", *arguments, queue=Queue.GITHUB, partition=installation)
    states[turn.review_id] = str(engine.wait(f"review:{turn.review_id}", 60))
    engine.shutdown()
    return {"states": states, "steps": STEPS}


def _fork(turn: Turn, told: Told, folder: Path) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(_take(turn, told, folder)).encode())
        except BaseException:  # noqa: BLE001 - the parent shows it; a forked child must not go on as the parent
            os.write(writer, json.dumps({"error": traceback.format_exc()}).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    return "died" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else said


def main(folder: Path) -> None:
    told = Told.model_validate_json((folder / "told.json").read_text())
    _load_reviewing()
    for line in sys.stdin:
        sys.stdout.write(_fork(Turn.model_validate_json(line), told, folder) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
