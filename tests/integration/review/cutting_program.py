"""Reviews in processes that die at a given moment: `python -m tests.integration.review.cutting_program FOLDER`.

FOLDER holds `told.json` (`Told`). Each turn boots the engine, waits for the reviews that earlier ones left behind, and
reviews a pull request.
"""

import sys
from pathlib import Path
from typing import Any

from app.domain.base import Record
from app.github.client import GitHubClient
from app.workflows import context, engine
from app.workflows.runs import Queue
from tests.cutting import STEPS, Turn, answer_turns, arm, cuttable_steps


class Told(Record):
    database: str
    api_url: str
    app_id: int
    app_slug: str
    private_key: str
    installation_id: int
    host: str


class Review(Turn):
    review_id: str
    repository: str
    waiting: tuple[str, ...] = ()


def _load_reviewing() -> None:
    """The workflow with every step cuttable, and a reviewer that needs no model server."""
    with cuttable_steps():
        from app.workflows import reviewing
    from app.review.drafting import Reviewer
    from tests.integration.review.printing import Everything, Loggers, Prints

    async def load(installation_id: int) -> Reviewer:
        return Reviewer(adapter=f"{installation_id}--v1", locator=Prints(), writer=Loggers(), acceptance=Everything())

    vars(reviewing)["load_reviewer"] = load


def _take(turn: Review, told: Told, folder: Path) -> dict[str, Any]:
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

    engine.boot(told.database, prepare=prepare, polling_seconds=0.05, scheduled=False)
    states = {known: str(engine.wait(f"review:{known}", 60)) for known in turn.waiting}
    arm(turn.cut)
    installation = told.installation_id
    arguments = (installation, turn.repository, turn.review_id)
    engine.start("review", f"review:{turn.review_id}", *arguments, queue=Queue.GITHUB, partition=installation)
    states[turn.review_id] = str(engine.wait(f"review:{turn.review_id}", 60))
    engine.shutdown()
    return {"states": states, "steps": STEPS}


def main(folder: Path) -> None:
    told = Told.model_validate_json((folder / "told.json").read_text())
    _load_reviewing()
    answer_turns(Review, lambda turn: _take(turn, told, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
