"""The real model server as a child program."""

import json
from pathlib import Path

import httpx

from app.rehearsal.processes import Program


class ServingProgram:
    """`python -m serving run`: vLLM on loopback behind its front. Starting takes about a minute, so start it early."""

    def __init__(self, work: Path, *, base: Path, max_rank: int = 16) -> None:
        self.state = work / "serving"
        self._front = self.state / "front.json"
        self.program = Program(
            ["serving", "run", "--base", str(base), "--state", str(self.state), "--max-rank", str(max_rank)],
            log=work / "serving.log",
            environment={"HF_HUB_OFFLINE": "1"},
        )

    def start(self) -> None:
        self._front.unlink(missing_ok=True)  # of an earlier run: it would look ready
        self.program.start()

    def is_ready(self) -> bool:
        try:
            front = json.loads(self._front.read_text())
            return httpx.get(f"{front['url']}/health", timeout=5, trust_env=False).status_code == 200
        except (OSError, json.JSONDecodeError, httpx.TransportError):
            return False
