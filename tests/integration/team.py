"""A team on a running stand-in GitHub, with the App's own parts at work on it: client, git, SQLite, job engine."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from app.domain.examples import Example, Rejection
from app.domain.signals import Signals
from app.github.client import GitHubClient
from app.rehearsal.standin import StandIn, StandInServer
from app.rehearsal.standin.state import Permission
from app.store.database import reading
from app.store.learning import select_approved_examples, select_examples, select_rejections
from app.store.migrate import migrate
from app.store.tables import ApprovalRow, AuditRow
from app.workflows import (
    backfilling,
    commanding,
    context,
    curating,
    deliveries,
    engine,
    erasing,
    feedback,
    harvesting,
    history,
    indexing,
    onboarding,
    policing,
    reviewing,
    sweeping,
)
from app.workflows.runs import Queue

REPO = "acme/store"
WORKFLOWS = (
    harvesting,
    history,
    indexing,
    curating,
    backfilling,
    sweeping,
    erasing,
    feedback,
    deliveries,
    commanding,
    onboarding,
    policing,
    reviewing,
)
#: who may do what; anyone else is an outsider
PEOPLE: dict[str, Permission] = {
    "root": "admin",
    "max": "maintain",
    "mara": "write",
    "tim": "triage",
    "rita": "read",
    "dev": "write",
}
_IDENTITY = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

SERVICE = """\
import json


def load(path):
    return json.loads(open(path).read())


def price(order):
    total = 0
    for item in order:
        total = total + item.amount
    return total
"""


class Worktree:
    """A person's clone, made of real git."""

    def __init__(self, path: Path, bare: Path) -> None:
        self._path, self._bare = path, str(bare)
        subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self._path), *_IDENTITY, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(
        self, branch: str, files: dict[str, str | None], *, start: str | None = None, amend: bool = False
    ) -> str:
        """Commit on a branch, begun at `start`, and push it; None removes a file. Returns the commit's id."""
        if start is not None:
            self.git("checkout", "-q", "-B", branch, start)
        for path, content in files.items():
            target = self._path / path
            if content is None:
                target.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"Work on {branch}", "--allow-empty", *(["--amend"] if amend else []))
        self.git("push", "-q", "--force", self._bare, f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")


@dataclass
class Team:
    standin: StandIn
    server: StandInServer
    work: Worktree
    services: context.Services
    first: str
    _runs: list[str] = field(default_factory=list)

    @property
    def installation_id(self) -> int:
        return self.standin.installation_id

    def client(self) -> GitHubClient:
        return self.services.github(self.installation_id)

    def open(self, files: dict[str, str | None], *, author: str = "dev", day: int = 0) -> tuple[int, str]:
        """A pull request with one commit on the first one of main; its number and that commit."""
        branch = f"work-{len(self.standin.repository(REPO).pulls) + 1}"
        sha = self.work.commit(branch, files, start=self.first)
        at = BEGINNING + timedelta(days=day)
        number = self.standin.open_pull_request(
            REPO, author=author, title="Work", head_ref=branch, head_sha=sha, base_sha=self.first, created_at=at
        )
        return number, sha

    def fix(self, number: int, files: dict[str, str | None], *, amend: bool = False) -> str:
        sha = self.work.commit(f"work-{number}", files, amend=amend)
        self.standin.push(REPO, number, sha, force=amend)
        return sha

    def say(self, number: int, sha: str, line: int, body: str, **more: Any) -> int:
        """A comment of mara's on service.py, a while ago, unless `more` says otherwise; its id."""
        what = {"author": "mara", "path": "service.py", "created_at": BEGINNING + timedelta(hours=1), **more}
        return self.standin.comment(REPO, number, line=line, body=body, commit_sha=sha, **what)

    def reply(self, number: int, root: int, body: str, *, author: str, at: datetime | None = None) -> int:
        """A reply on a thread, now unless `at` says otherwise; its id."""
        sha = self.standin.find_pull(REPO, number)[1].head_sha
        return self.standin.comment(
            REPO,
            number,
            author=author,
            path="",
            line=1,
            body=body,
            commit_sha=sha,
            in_reply_to=root,
            created_at=at,
        )

    def run(self, workflow: str, number: int) -> Any:
        """A workflow through the queue, as intake would enqueue it; its result."""
        workflow_id = f"{workflow}:{number}:{len(self._runs)}"
        self._runs.append(workflow_id)
        engine.start(
            workflow,
            workflow_id,
            self.installation_id,
            REPO,
            number,
            queue=Queue.GITHUB,
            partition=self.installation_id,
        )
        return engine.wait(workflow_id, timeout_seconds=180)

    def api_requests(self, since: int) -> list[str]:
        """API requests from the given count of all requests on, git's left out."""
        return [f"{one.method} {one.route}" for one in self.standin.requests[since:] if one.route != "git"]

    def own_comments(self, number: int) -> list[str]:
        """Bodies of the App's comments on the pull request as a whole."""
        return [item["body"] for item in self.standin.conversation(REPO, number, author=f"{self.standin.slug}[bot]")]

    def own_replies(self, number: int) -> list[str]:
        """Bodies of the App's answers on threads."""
        return [item["body"] for item in self.standin.review_comments(REPO, number, author=f"{self.standin.slug}[bot]")]

    def examples(self, number: int) -> list[Example]:
        with reading(self.services.database) as session:
            rows = select_examples(session, self.installation_id, repository=REPO, pull_request=number)
        return [Example.model_validate(row.payload) for row in rows]

    def signals(self, number: int) -> dict[int, Signals]:
        """By the comment's id."""
        with reading(self.services.database) as session:
            rows = select_examples(session, self.installation_id, repository=REPO, pull_request=number)
        return {row.comment_id: Signals.model_validate(row.signals) for row in rows if row.comment_id is not None}

    def rejections(self, number: int) -> list[Rejection]:
        with reading(self.services.database) as session:
            rows = select_rejections(session, self.installation_id, repository=REPO, pull_request=number)
        return [Rejection.model_validate(row.payload) for row in rows]

    def approved(self) -> set[str]:
        with reading(self.services.database) as session:
            return {row.hash for row in select_approved_examples(session, self.installation_id)}

    def approvals(self) -> list[ApprovalRow]:
        with reading(self.services.database) as session:
            return list(session.exec(select(ApprovalRow).order_by(col(ApprovalRow.id))))

    def audits(self, action: str) -> list[AuditRow]:
        with reading(self.services.database) as session:
            return list(session.exec(select(AuditRow).where(AuditRow.action == action).order_by(col(AuditRow.id))))


@contextmanager
def assembled_team(folder: Path, database_url: str | None = None) -> Iterator[Team]:
    """On SQLite, or on the empty database of the URL."""
    standin = StandIn(folder / "github", webhook_secret="a secret of the tests")
    standin.add_repository(REPO)
    work = Worktree(folder / "work", standin.bare_path(REPO))
    first = work.commit("main", {"service.py": SERVICE}, start=None)
    for login, permission in PEOPLE.items():
        standin.add_collaborator(REPO, login, permission)
    database = database_url or f"sqlite:///{folder / 'understudy.db'}"
    migrate(database)
    with StandInServer(standin) as server, standin.silence():
        made = engine.boot(database, polling_seconds=0.05, scheduled=False)
        try:
            yield Team(standin, server, work, _services(standin, server, folder, made), first)
        finally:
            context.install(None)
            engine.shutdown()


def _services(standin: StandIn, server: StandInServer, folder: Path, database: sa.Engine) -> context.Services:
    clients: dict[int, GitHubClient] = {}

    def github(installation_id: int) -> GitHubClient:
        if installation_id not in clients:
            clients[installation_id] = GitHubClient(
                api_url=server.base_url,
                git_url=server.base_url,
                app_id=standin.app_id,
                private_key_pem=standin.private_key_pem,
                installation_id=installation_id,
                write_pause_seconds=0.0,
            )
        return clients[installation_id]

    services = context.Services(
        database=database,
        host="github.test",
        app_slug=standin.slug,
        data=folder / "data",
        base=folder / "base",
        serving=folder / "serving",
        training_config=None,
        retention_days=30,
        github=github,
    )
    context.install(services)
    return services
