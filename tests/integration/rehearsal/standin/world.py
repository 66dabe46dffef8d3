"""A small organisation on a running stand-in, every answer of which is judged, and a receiver of webhooks."""

import atexit
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt

from app.rehearsal.standin import StandIn, StandInServer
from app.rehearsal.standin.auth import AppKey
from app.rehearsal.standin.state import Permission
from tests.contracts.github_description import judging

REPO = "acme/store"
SECRET = "a webhook secret of the tests"
ROLES: dict[str, Permission] = {"ann": "admin", "mia": "maintain", "wes": "write", "tom": "triage", "rea": "read"}
_PERSON = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]


class Clock:
    """A clock the test moves. It starts at the real time, as JWT and HTTP libraries look at that."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **given: float) -> None:
        self.now += timedelta(**given)


class Worktree:
    """A person's clone, made of real git."""

    def __init__(self, path: Path, bare: Path) -> None:
        self._path = path
        self._bare = str(bare)

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self._path), *_PERSON, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, files: Mapping[str, str | None], message: str, branch: str, *, start: str | None = None) -> str:
        """Commit on a branch (begun at `start`) and push it; None removes a file. Returns the commit's id."""
        if start is not None:
            self.git("checkout", "-q", "-B", branch, start)
        for path, content in files.items():
            if content is None:
                (self._path / path).unlink()
            else:
                (self._path / path).parent.mkdir(parents=True, exist_ok=True)
                (self._path / path).write_text(content, newline="")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "--force", self._bare, f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")


@dataclass
class Received:
    headers: dict[str, str]
    content: bytes

    @property
    def event(self) -> str:
        return self.headers["x-github-event"]

    @property
    def guid(self) -> str:
        return self.headers["x-github-delivery"]

    @property
    def payload(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.content)
        return found


@dataclass
class Receiver:
    """A real HTTP server that keeps what it is sent; `status` is what it answers."""

    url: str = ""
    status: int = 202
    received: list[Received] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [".".join(filter(None, (one.event, one.payload.get("action")))) for one in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(Received({k.lower(): v for k, v in self.headers.items()}, content))
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests do not chat."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/webhooks"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@dataclass
class World:
    """One repository with `main`, and `feature` that changes lines 20 and 21 of a.py and adds b.py."""

    standin: StandIn
    server: StandInServer
    clock: Clock
    work: Worktree
    base_sha: str
    head_sha: str
    _clients: list[httpx.Client] = field(default_factory=list)

    def app_token(self, **claims: Any) -> str:
        now = int(self.clock().timestamp())
        given = {"iat": now - 60, "exp": now + 540, "iss": str(self.standin.app_id)} | claims
        return jwt.encode(given, self.standin.private_key_pem, algorithm="RS256")

    def client(self, token: str) -> httpx.Client:
        """A client that sends a token."""
        client = httpx.Client(
            base_url=self.server.base_url,
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
        )
        self._clients.append(client)
        return client

    def app(self) -> httpx.Client:
        return self.client(self.app_token())

    def token(self, **narrowed: Any) -> str:
        path = f"/app/installations/{self.standin.installation_id}/access_tokens"
        response = self.app().post(path, json=narrowed)
        assert response.status_code == 201, response.text
        found: str = response.json()["token"]
        return found

    def installation(self, **narrowed: Any) -> httpx.Client:
        return self.client(self.token(**narrowed))

    def graphql(self, query: str, token: str | None = None, **variables: Any) -> dict[str, Any]:
        with self.client(token or self.token()) as client:
            response = client.post("/graphql", json={"query": query, "variables": variables})
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def open(self, **given: Any) -> int:
        return self.standin.open_pull_request(
            REPO, **({"author": "bob", "title": "Twenty", "head_ref": "feature"} | given)
        )

    def close(self) -> None:
        for client in self._clients:
            client.close()


def numbered(changed: dict[int, str] | None = None, *, last: int = 40) -> str:
    """A file whose line n reads `line n`, or what `changed` says."""
    return "".join(f"{(changed or {}).get(number, f'line {number}')}\n" for number in range(1, last + 1))


@dataclass(frozen=True)
class Seed:
    """The first commits, made once for all tests and copied for each: they cost a dozen git processes."""

    folder: tempfile.TemporaryDirectory[str]
    base_sha: str
    head_sha: str
    key: AppKey

    @property
    def bare(self) -> Path:
        return Path(self.folder.name, "store.git")

    @property
    def work(self) -> Path:
        return Path(self.folder.name, "work")


@cache
def seed() -> Seed:
    folder = tempfile.TemporaryDirectory(prefix="understudy-tests-")
    atexit.register(folder.cleanup)
    bare, work = Path(folder.name, "store.git"), Path(folder.name, "work")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True)
    clone = Worktree(work, bare)
    base_sha = clone.commit({"a.py": numbered()}, "Begin", "main")
    changed = {"a.py": numbered({20: "changed 20", 21: "changed 21"}), "b.py": "first\nsecond\n"}
    head_sha = clone.commit(changed, "Change", "feature", start="main")
    return Seed(folder, base_sha, head_sha, AppKey())


@contextmanager
def small_world(root: Path) -> Iterator[World]:
    """A running world under `root`; at its end, every answer it gave must have been one that GitHub could give."""
    clock, begun = Clock(), seed()
    standin = StandIn(root / "hub", webhook_secret=SECRET, clock=clock, key=begun.key)
    standin.add_repository(REPO, bare=begun.bare)
    for login, role in ROLES.items():
        standin.add_collaborator(REPO, login, role)
    shutil.copytree(begun.work, root / "work")
    work = Worktree(root / "work", standin.bare_path(REPO))
    with judging(standin), StandInServer(standin) as server:
        world = World(standin, server, clock, work, begun.base_sha, begun.head_sha)
        try:
            yield world
        finally:
            world.close()
