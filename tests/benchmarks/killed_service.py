"""Services that are killed: `python -m tests.benchmarks.killed_service FOLDER`, with FOLDER/told.json (`Told`).

The program loads everything once and forks a service for each line it reads, which is the index of one of the
listening sockets that it was given; loading takes longer than what is measured. It answers with the service's pid. The
services are the real application, but for the model server, in whose place a reviewer comments on every `print`.
"""

import os
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from app.domain.base import Record
from app.github.client import GitHubClient
from tests.integration.intake.conftest import settings_for


class Told(Record):
    """`sockets` are inherited descriptors; `installation_id` is the one that the stand-in knows."""

    database: str
    api_url: str
    app_id: int
    app_slug: str
    private_key_file: Path
    installation_id: int
    sockets: tuple[int, ...]


def _prepare(told: Told) -> Any:
    """What stands in: the reviewer, a clock that asks for nothing, and one door on GitHub for all installations."""
    from app import main
    from app.review.drafting import Reviewer
    from app.workflows import reviewing
    from tests.integration.review.printing import Everything, Loggers, Prints

    async def load(installation_id: int) -> Reviewer:
        return Reviewer(adapter=f"{installation_id}--v1", locator=Prints(), writer=Loggers(), acceptance=Everything())

    class OneDoor(main._Clients):
        def __call__(self, installation_id: int) -> GitHubClient:
            return super().__call__(told.installation_id)

    vars(reviewing)["load_reviewer"] = load
    vars(main)["boot"] = partial(main.boot, scheduled=False)
    vars(main)["_Clients"] = OneDoor
    return main.create_app


def _serve(told: Told, create_app: Any, folder: Path, index: int) -> None:
    settings = settings_for(
        told.database,
        folder,
        app_id=told.app_id,
        app_slug=told.app_slug,
        private_key_file=told.private_key_file,
        github_api_url=told.api_url,
        github_git_url=told.api_url,
        write_pause_seconds=0.0,
        writes_per_hour=1_000_000,
        queues=(),
    )
    config = uvicorn.Config(create_app(settings), log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=os.dup(told.sockets[index]))])


def main(folder: Path) -> None:
    told = Told.model_validate_json((folder / "told.json").read_text())
    create_app = _prepare(told)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # git's children are waited for
            _serve(told, create_app, folder, int(line))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
