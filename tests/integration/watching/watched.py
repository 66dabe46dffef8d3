"""The real service as a program, with a stand-in GitHub, a real front, a scraper and a collector around it."""

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.domain.policies import POLICY_PATH
from app.rehearsal.standin import StandIn, StandInServer
from tests.integration.intake.conftest import sign
from tests.integration.team import PEOPLE, REPO, SERVICE, Worktree
from tests.ports import free_port
from tests.vllm_standin import Socket, make_base, serving
from tests.waiting import eventually

CHECKOUT = Path(__file__).parents[3]
SECRET = "canary-webhook-secret-0123456789"
TOKEN = "canary-operator-token-0123456789"
#: Planted in titles, bodies, names and contents of files, payloads and answers; none may be seen by who watches.
CANARY = re.compile(r"canary|gh[sp]_\w|eyJ[\w-]{20}")
_POLICY = "review:\n  without_adapter: base\n"


class Talking(Socket):
    """Says something about the first line it is shown, or, shown `canary_breaks`, answers in no agreed shape."""

    loop: asyncio.AbstractEventLoop

    def release(self) -> None:
        """Let answers go that waited because `go_on` was cleared."""
        self.loop.call_soon_threadsafe(self.go_on.set)

    def _answer(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        if route != "/v1/chat/completions":
            return super()._answer(route, body)
        asked = json.dumps(body["messages"])
        if "canary_breaks" in asked:
            return {"choices": "canary_of_the_model"}
        numbers = re.findall(r"\\n\s*(\d+) ?\+", asked) or ["1"]
        said = {"comments": [{"line": int(numbers[-1]), "comment": "This must be a canary of plain words."}]}
        choice = {"message": {"content": json.dumps(said)}, "finish_reason": "stop"}
        return {"choices": [choice], "usage": {"prompt_tokens": 50, "completion_tokens": 9}}


@contextmanager
def model_server(folder: Path, talking: Talking | None = None) -> Iterator[Path]:
    """A real front over `Talking`, in a thread; its state folder."""
    base, state = make_base(folder / "base"), folder / "serving"
    started, ended = threading.Event(), asyncio.Event()
    talking = talking or Talking()
    talking.loop = loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(base, state, socket=talking):
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(30)
    try:
        yield state
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)
        loop.close()


@contextmanager
def collector() -> Iterator[tuple[str, list[Span]]]:
    """An OTLP receiver over HTTP: its address, and the spans that came so far."""
    spans: list[Span] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
            spans.extend(span for of in told.resource_spans for scope in of.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *_args: object) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", spans
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass
class Watched:
    """The program's surroundings; `lines` of its log, by format."""

    standin: StandIn
    work: Worktree
    first: str
    environment: dict[str, str]
    folder: Path
    logs: dict[str, list[str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['UNDERSTUDY_PORT']}"

    def open(self, line: str) -> tuple[int, str]:
        """A pull request that adds the line, with canaries all over it."""
        branch = f"canary-branch-{len(self.standin.repository(REPO).pulls)}"
        files: dict[str, str | None] = {
            "canary_name.py": f"{SERVICE}\n\ndef tax(order):\n    {line}\n    return order\n"
        }
        sha = self.work.commit(branch, files, start=self.first)
        number = self.standin.open_pull_request(
            REPO, author="dev", head_ref=branch, head_sha=sha, title="canary title", body="canary body"
        )
        return number, sha

    def failed(self) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/operator/status", headers={"authorization": f"Bearer {TOKEN}"}, timeout=30)
        return list(answer.json()["failed"])

    def deliver_nonsense(self) -> None:
        """What is signed and cannot be read."""
        body = json.dumps({"action": "opened", "pull_request": "canary payload", "installation": {"id": 1}}).encode()
        headers = {
            "x-github-event": "pull_request",
            "x-github-delivery": "11111111-2222-3333-4444-555555555555",
        }
        headers |= sign(body, SECRET)
        assert httpx.post(f"{self.url}/webhooks", content=body, headers=headers, timeout=30).status_code == 202
        assert httpx.post(f"{self.url}/webhooks", content=b"canary", headers=headers, timeout=30).status_code == 401

    @contextmanager
    def running(self, kind: str) -> Iterator[None]:
        log = self.folder / f"{kind}.log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "app", "serve"]
            environment = self.environment | {"UNDERSTUDY_LOG_FORMAT": kind}
            process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=out, stderr=out)
        try:
            eventually(self._is_ready, 120)
            yield
        finally:
            process.terminate()
            process.wait(60)
            self.logs[kind] = log.read_text().splitlines()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def watched_service(folder: Path, state: Path, **environment: str) -> Iterator[Watched]:
    """Not started yet; it stands on one database and one port however often it is."""
    standin = StandIn(folder / "github", webhook_secret=SECRET)
    standin.add_repository(REPO)
    for login, permission in PEOPLE.items():
        standin.add_collaborator(REPO, login, permission)
    work = Worktree(folder / "work", standin.bare_path(REPO))
    first = work.commit("main", {"canary_name.py": SERVICE, POLICY_PATH: _POLICY})
    with StandInServer(standin) as server:
        watched = Watched(standin, work, first, _environment(folder, standin, server, state) | environment, folder)
        server.deliver_to(f"{watched.url}/webhooks")
        yield watched


def _environment(folder: Path, standin: StandIn, server: StandInServer, state: Path) -> dict[str, str]:
    (folder / "key.pem").write_text(standin.private_key_pem)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "OTEL_"))}
    return inherited | {
        "UNDERSTUDY_WEBHOOK_SECRETS": SECRET,
        "UNDERSTUDY_OPERATOR_TOKEN": TOKEN,
        "UNDERSTUDY_APP_ID": str(standin.app_id),
        "UNDERSTUDY_APP_SLUG": standin.slug,
        "UNDERSTUDY_PRIVATE_KEY_FILE": str(folder / "key.pem"),
        "UNDERSTUDY_GITHUB_API_URL": server.base_url,
        "UNDERSTUDY_GITHUB_GIT_URL": server.base_url,
        "UNDERSTUDY_WRITE_PAUSE_SECONDS": "0.01",
        "UNDERSTUDY_DATABASE_URL": f"sqlite:///{folder / 'understudy.db'}",
        "UNDERSTUDY_DATA": str(folder / "data"),
        "UNDERSTUDY_SERVING": str(state),
        "UNDERSTUDY_EMBEDDING": "none",
        "UNDERSTUDY_PORT": str(free_port()),
    }


def wait_for(look: Callable[[], object], seconds: float = 60) -> None:
    eventually(lambda: bool(look()), seconds)
