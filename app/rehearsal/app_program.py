"""The real service as a child program, pointed at the stand-in GitHub. It can't tell it from the real one."""

import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from app.domain.errors import UserError
from app.rehearsal.processes import Program
from app.rehearsal.standin import StandIn

#: A busy machine may need a minute or two; one that died is noticed at once.
_START_SECONDS = 240.0


class AppProgram:
    """`python -m app serve` with its data under `work`. A kill and a start later it is on the same port and data."""

    def __init__(
        self,
        work: Path,
        standin: StandIn,
        *,
        webhook_secret: str,
        base: Path,
        serving: Path,
        training_config: Path | None,
    ) -> None:
        self.data = work / "app"
        self.database_url = f"sqlite:///{self.data / 'understudy.db'}"
        self._token = secrets.token_hex(24)
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.data.mkdir(parents=True, exist_ok=True)
        key = work / "app.pem"
        key.touch(mode=0o600)
        key.write_text(standin.private_key_pem)
        environment = {
            "UNDERSTUDY_WEBHOOK_SECRETS": webhook_secret,
            "UNDERSTUDY_OPERATOR_TOKEN": self._token,
            "UNDERSTUDY_APP_ID": str(standin.app_id),
            "UNDERSTUDY_APP_SLUG": standin.slug,
            "UNDERSTUDY_PRIVATE_KEY_FILE": str(key),
            "UNDERSTUDY_GITHUB_API_URL": standin.base_url,
            "UNDERSTUDY_GITHUB_GIT_URL": standin.base_url,
            # The stand-in is no shared service to be gentle with; the pause itself is tested elsewhere.
            "UNDERSTUDY_WRITE_PAUSE_SECONDS": "0",
            "UNDERSTUDY_WRITES_PER_HOUR": "1000000",  # nobody is written to but the stand-in
            "UNDERSTUDY_DATABASE_URL": self.database_url,
            "UNDERSTUDY_DATA": str(self.data),
            "UNDERSTUDY_BASE": str(base),
            "UNDERSTUDY_SERVING": str(serving),
            "UNDERSTUDY_PORT": str(port),
        }
        if training_config is not None:
            environment["UNDERSTUDY_TRAINING_CONFIG"] = str(training_config)
        self.program = Program(["app", "serve"], log=work / "app.log", environment=environment)

    def start(self, tick: Callable[[], None]) -> None:
        """Start and wait until it is ready.

        Raises:
            UserError: with the end of its log, when it never is.
        """
        self.program.start()
        self.program.wait_until(self._is_ready, timeout_seconds=_START_SECONDS, tick=tick)

    def restart_after_kill(self, tick: Callable[[], None]) -> None:
        """kill -9, then start again on the same data."""
        self.program.kill()
        self.start(tick)

    def status(self) -> dict[str, Any]:
        """The operator's view; empty while the service does not answer."""
        try:
            answer = httpx.get(f"{self.url}/operator/status", headers=self._headers, timeout=10, trust_env=False)
        except httpx.TransportError:
            return {}
        return dict(answer.json()) if answer.status_code == 200 else {}

    def train(self, installation_id: int) -> str:
        """Ask for a learning round; returns its workflow id.

        Raises:
            UserError: when the service refuses.
        """
        answer = httpx.post(
            f"{self.url}/operator/installations/{installation_id}/train",
            headers=self._headers,
            timeout=30,
            trust_env=False,
        )
        if answer.is_error:
            raise UserError(f"expected a learning round to start, got {answer.status_code}: {answer.text[:300]}")
        return str(answer.json()["workflow"])

    def wait_idle(
        self, *, timeout_seconds: float, tick: Callable[[dict[str, Any]], None], pause_seconds: float = 0.25
    ) -> None:
        """Wait until no workflow is queued or running and every delivery was handled.

        Raises:
            UserError: when the service died, or the time is over.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            status = self.status()
            if status and not status["running"] and not status["deliveries"].get("waiting", 0):
                return
            if not self.program.running:
                self.program.wait_until(lambda: False, timeout_seconds=0, tick=lambda: None)
            if time.monotonic() > deadline:
                raise UserError(f"the service was still busy after {timeout_seconds:.0f} s: {status.get('running')}")
            tick(status)
            time.sleep(pause_seconds)

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"}

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
