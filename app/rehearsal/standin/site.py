"""The state of the stand-in GitHub: look-ups and announcements that people's acts and the HTTP routes share."""

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import yaml

from app.domain.errors import UserError
from app.rehearsal.standin import payloads
from app.rehearsal.standin.auth import EVENT_NEEDS, AppKey, Grants, allows
from app.rehearsal.standin.enterprise import Enterprise
from app.rehearsal.standin.faults import Faults
from app.rehearsal.standin.limits import Limits
from app.rehearsal.standin.oauth import UserGrants
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.people import app_json, installation_json, user_json
from app.rehearsal.standin.render.pulls import check_run_json
from app.rehearsal.standin.render.repositories import minimal_repository_json
from app.rehearsal.standin.state import (
    CheckRun,
    Comment,
    Event,
    Exchange,
    IssueComment,
    Label,
    PullRequest,
    Repository,
    RequestRecord,
    Review,
    Thread,
    User,
    UserKind,
)
from app.rehearsal.standin.webhooks import Webhooks

MANIFEST = Path(__file__).resolve().parents[3] / "app.yml"


class Site:
    """Everything one GitHub knows. Guard every use with `lock`; `base_url` is set by the server when it listens,
    `enterprise` before that where it is to be an Enterprise Server."""

    def __init__(self, root: Path, *, webhook_secret: str, clock: Callable[[], datetime], key: AppKey) -> None:
        manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
        self.root = root
        self.clock = clock
        self.app_id = 4_711
        self.slug = "understudy"
        self.installation_id = 47_110_001
        self.name = "Understudy"
        #: what the owner granted, and what the App asks for; they differ until a change is accepted
        self.permissions: dict[str, str] = dict(manifest["default_permissions"])
        self.asked_permissions: dict[str, str] = dict(manifest["default_permissions"])
        self.client_secret = secrets.token_hex(20)
        self.setup_url: str | None = None
        #: of manifests, by the code that is exchanged for their App
        self.codes: dict[str, object] = {}
        self.events: list[str] = list(manifest["default_events"])
        self.base_url = "http://127.0.0.1"
        self.enterprise: Enterprise | None = None
        self.faults = Faults()
        self.limits = Limits()
        self.requests: list[RequestRecord] = []
        self.observers: list[Callable[[Exchange], None]] = []
        self.lock = threading.RLock()
        self.key = key
        self.grants = Grants()
        self.people = UserGrants(client_id=f"Iv23li{self.app_id:014d}")
        self.webhooks = Webhooks(secret=webhook_secret, app_id=self.app_id, faults=self.faults, clock=clock)
        self.repositories: dict[str, Repository] = {}
        self.users: dict[str, User] = {}
        self.installed_at = clock()
        self.uninstalled = False
        self.suspended_at: datetime | None = None
        self.suspended_by: User | None = None
        self._ids = itertools.count(1_000_000)
        self._quiet = threading.local()
        self.bot = self.add_user(f"{self.slug}[bot]", kind="Bot")

    def new_id(self) -> int:
        return next(self._ids)

    def add_user(self, login: str, kind: UserKind = "User") -> User:
        """The user of that login, made on first mention."""
        with self.lock:
            if login not in self.users:
                self.users[login] = User(self.new_id(), login, "Bot" if login.endswith("[bot]") else kind)
            return self.users[login]

    def repository(self, full_name: str) -> Repository:
        if full_name not in self.repositories:
            raise UserError(f"no repository {full_name!r}; there are {sorted(self.repositories)}")
        return self.repositories[full_name]

    def find_pull(self, full_name: str, number: int) -> tuple[Repository, PullRequest]:
        repository = self.repository(full_name)
        if number not in repository.pulls:
            raise UserError(f"no pull request {full_name}#{number}")
        return repository, repository.pulls[number]

    def known_commit(self, repository: Repository, revision: str) -> str:
        sha = repository.git.resolve(revision)
        if sha is None:
            raise UserError(f"{repository.full_name}: expected a commit the repository has, got {revision!r}")
        return sha

    def open_pull(
        self,
        repository: Repository,
        author: User,
        title: str,
        body: str | None,
        branch: str,
    ) -> int:
        """A pull request of a branch against the default branch, opened now; its number."""
        number, at = max(repository.pulls, default=0) + 1, self.clock()
        head = self.known_commit(repository, f"refs/heads/{branch}")
        pull = PullRequest(
            id=self.new_id(),
            number=number,
            author=author,
            title=title,
            body=body,
            head_ref=branch,
            head_sha=head,
            base_ref=repository.default_branch,
            base_sha=self.known_commit(repository, f"refs/heads/{repository.default_branch}"),
            created_at=at,
            updated_at=at,
        )
        repository.pulls[number] = pull
        repository.git.set_ref(f"refs/pull/{number}/head", head)
        self.emit_pull(repository, pull, "opened", author)
        return number

    def account(self) -> User:
        """Who installed the App: the owner of the first repository."""
        owners = (repository.owner for repository in self.repositories.values())
        return next(owners, None) or self.add_user("organisation", kind="Organization")

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Everything this thread does inside happens without webhooks."""
        before = self._is_silent()
        self._quiet.on = True
        try:
            yield
        finally:
            self._quiet.on = before

    def _is_silent(self) -> bool:
        return getattr(self._quiet, "on", False)

    # -- announcements --

    def emit(self, event: str, payload: Json, repository: Repository, sender: User) -> None:
        """Send an event the App subscribed to about a repository it is installed on."""
        if self._is_silent() or self.uninstalled or self.suspended_at or not repository.installed:
            return
        needs = EVENT_NEEDS.get(event, "metadata")
        if event in self.events and allows(self.permissions, needs, "read"):
            more = payloads.envelope(self.base_url, repository, sender, self.installation_id)
            self.webhooks.emit(event, payload | more, installation_id=self.installation_id, repository_id=repository.id)

    def emit_pull(self, repository: Repository, pull: PullRequest, action: str, sender: User, **more: object) -> None:
        if not self._is_silent():
            payload = payloads.pull_payload(self.base_url, repository, pull, action, **more)
            self.emit("pull_request", payload, repository, sender)

    def emit_push(self, repository: Repository, before: str, after: str, pusher: User) -> None:
        """The default branch came to another commit."""
        if not self._is_silent() and before != after:
            payload = payloads.push_payload(self.base_url, repository, before, after, pusher)
            self.emit("push", payload, repository, pusher)

    def emit_review(self, repository: Repository, pull: PullRequest, review: Review) -> None:
        """A submitted review: one event for it, and one for each of its comments."""
        if self._is_silent():
            return
        payload = payloads.review_payload(self.base_url, repository, pull, review, "submitted")
        self.emit("pull_request_review", payload, repository, review.author)
        for thread, comment in pull.comments():
            if comment.review is review:
                payload = payloads.comment_payload(self.base_url, repository, pull, thread, comment)
                self.emit("pull_request_review_comment", payload, repository, review.author)

    def emit_comment(
        self,
        repository: Repository,
        pull: PullRequest,
        thread: Thread,
        comment: Comment,
        *,
        action: str,
        sender: User,
        **more: object,
    ) -> None:
        """A review comment was edited or deleted."""
        if not self._is_silent():
            payload = payloads.comment_payload(self.base_url, repository, pull, thread, comment, action=action, **more)
            self.emit("pull_request_review_comment", payload, repository, sender)

    def emit_remark(
        self,
        repository: Repository,
        pull: PullRequest,
        comment: IssueComment,
        *,
        action: str,
        sender: User,
        **more: object,
    ) -> None:
        """A comment on the pull request as a whole was written, edited or deleted."""
        if not self._is_silent():
            payload = payloads.remark_payload(self.base_url, repository, pull, comment, action=action, **more)
            self.emit("issue_comment", payload, repository, sender)

    def emit_thread(self, repository: Repository, pull: PullRequest, thread: Thread, action: str, sender: User) -> None:
        if not self._is_silent():
            payload = payloads.thread_payload(self.base_url, repository, pull, thread, action)
            self.emit("pull_request_review_thread", payload, repository, sender)

    def emit_installation(self, action: str, sender: User) -> None:
        """Lifecycle events come without a subscription."""
        if self._is_silent():
            return
        installed = [repository for repository in self.repositories.values() if repository.installed]
        payload = {
            "action": action,
            "installation": self.installation_json(),
            "repositories": [minimal_repository_json(repository) for repository in installed],
            "sender": user_json(self.base_url, sender),
        }
        self.webhooks.emit("installation", payload, installation_id=self.installation_id, repository_id=None)

    def emit_installation_repositories(self, repository: Repository, sender: User) -> None:
        """The App was given one repository, or lost it."""
        if self._is_silent():
            return
        added, shown = repository.installed, [minimal_repository_json(repository)]
        payload = {
            "action": "added" if added else "removed",
            "installation": self.installation_json(),
            "repository_selection": "selected",
            "repositories_added": shown if added else [],
            "repositories_removed": [] if added else shown,
            "requester": None,
            "sender": user_json(self.base_url, sender),
        }
        self.webhooks.emit(
            "installation_repositories", payload, installation_id=self.installation_id, repository_id=None
        )

    def note(
        self,
        pull: PullRequest,
        kind: str,
        actor: User,
        at: datetime,
        *,
        label: Label | None = None,
        commit_sha: str | None = None,
    ) -> None:
        """Write an entry of the timeline."""
        pull.events.append(Event(self.new_id(), kind, actor, at, label=label, commit_sha=commit_sha))

    # -- forms --

    def app_json(self) -> Json:
        return app_json(
            self.base_url,
            app_id=self.app_id,
            slug=self.slug,
            name=self.name,
            owner=self.account(),
            permissions=self.asked_permissions,
            events=self.events,
        )

    def installation_json(self) -> Json:
        return installation_json(
            self.base_url,
            installation_id=self.installation_id,
            app_id=self.app_id,
            slug=self.slug,
            account=self.account(),
            permissions=self.permissions,
            events=self.events,
            created_at=self.installed_at,
            suspended_by=self.suspended_by,
            suspended_at=self.suspended_at,
        )

    def check_run_json(self, repository: Repository, run: CheckRun) -> Json:
        pulls = [pull for pull in repository.pulls.values() if pull.head_sha == run.head_sha]
        return check_run_json(self.base_url, repository, run, self.app_json(), pulls)


def runs_of(repository: Repository, head_sha: str) -> list[CheckRun]:
    return [run for run in repository.check_runs.values() if run.head_sha == head_sha]


def thread_of(pull: PullRequest, comment_id: int) -> Thread:
    """The thread a comment belongs to."""
    for thread in pull.threads:
        if any(comment.id == comment_id for comment in thread.comments):
            return thread
    raise UserError(f"#{pull.number} has no review comment {comment_id}")


def comment_of(pull: PullRequest, comment_id: int) -> Comment:
    return next(comment for comment in thread_of(pull, comment_id).comments if comment.id == comment_id)
