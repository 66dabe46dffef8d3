"""What the demo's stages share, and how a stage waits for the service: with progress, and through kills."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.domain.errors import UserError
from app.rehearsal.app_program import AppProgram
from app.rehearsal.console import Narrator
from app.rehearsal.learning_view import find_run, read_progress, require_decision
from app.rehearsal.organisation.records import Story
from app.rehearsal.serving_program import ServingProgram
from app.rehearsal.standin import StandIn, StandInServer

#: Stages at which `--kill-at` can kill the service.
KILL_POINTS = ("harvest", "curation", "snapshot", "training", "evaluation", "loading", "review")
#: Over in a moment, so the service is watched more closely.
_BRIEF = frozenset({"snapshot", "loading"})


@dataclass
class Demo:
    """One telling of the story."""

    work: Path
    story: Narrator
    organisation: Story
    noise: bool
    training_config: Path | None
    standin: StandIn
    server: StandInServer
    base: Path
    serving: ServingProgram
    app: AppProgram
    database: Engine
    kill_at: set[str] = field(default_factory=set)
    kills: list[str] = field(default_factory=list)

    def kill_if_asked(self, point: str) -> None:
        """kill -9 the service once per asked point, then start it on the same data."""
        if point in self.kill_at:
            self.kill_at.discard(point)
            self.kills.append(point)
            self.story.say((f"kill -9 of the service during {point}", "yellow"), ", then a restart")
            self.app.restart_after_kill(lambda: None)

    def wait_idle(self, point: str, words: Callable[[dict[str, Any]], str], *, timeout_seconds: float) -> None:
        """Wait until the service did all it was asked for; `words` says how far it is."""
        seen_working = False

        def tick(status: dict[str, Any]) -> None:
            nonlocal seen_working
            if seen_working:
                self.kill_if_asked(point)
            seen_working = seen_working or bool(status.get("running"))
            self.story.progress(words(status))

        self.app.wait_idle(timeout_seconds=timeout_seconds, tick=tick)
        failed = self.app.status()["failed"]
        if failed:
            raise UserError(f"{len(failed)} workflows failed; the first, {failed[0]['id']}: {failed[0]['error']}")

    def wait_learning(self, *, timeout_seconds: float) -> Path:
        """Wait for the learning round with its own progress; returns its folder."""
        deadline = time.monotonic() + timeout_seconds

        def tick(status: dict[str, Any]) -> None:
            run = find_run(self.database, self.standin.installation_id)
            line = read_progress(run)
            self.story.progress(line)
            self._kill_while_learning(status, line)

        self.app.wait_idle(
            timeout_seconds=max(1.0, deadline - time.monotonic()),
            tick=tick,
            pause_seconds=0.01 if self.kill_at & _BRIEF else 0.25,
        )
        return require_decision(self.database, self.standin.installation_id, self.app.status())

    def _kill_while_learning(self, status: dict[str, Any], line: str) -> None:
        stage = next((run["progress"]["stage"] for run in status.get("running", []) if run["progress"]), "")
        if stage == "snapshot":
            self.kill_if_asked("snapshot")
        elif stage == "loading":
            self.kill_if_asked("loading")
        elif "tokens/s" in line:
            self.kill_if_asked("training")
        elif line.startswith(("evaluat", "score", "answer")):
            self.kill_if_asked("evaluation")
