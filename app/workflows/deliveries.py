"""From a stored delivery to the work it asks for. An event is a hint: the workflows read the truth from the API."""

import logging
import re
from dataclasses import dataclass

from sqlmodel import Session

from app.domain.commands import CURATING, parse_command
from app.domain.erasure import ErasureKind, Subject
from app.domain.errors import Refused
from app.domain.onboarding import BRANCH, Onboarding, Work, is_allowed
from app.domain.tenants import Host, bot_login, join_tenant
from app.github.payloads import (
    Event,
    InstallationEvent,
    IssueComment,
    IssueCommentEvent,
    LabelEvent,
    PullRequestEvent,
    PushEvent,
    RepositoryEvent,
    ReviewComment,
    ReviewCommentEvent,
    ReviewThreadEvent,
    parse_event,
)
from app.store.deliveries import load_delivery, load_installation, save_installation, save_outcome
from app.store.feedback import save_ask
from app.store.renaming import settle_name
from app.store.repositories import load_repository
from app.store.tables import DeliveryRow, InstallationRow
from app.workflows.backfilling import enqueue_backfill
from app.workflows.context import services
from app.workflows.engine import enqueue_in_transaction, transaction, workflow
from app.workflows.erasure_requests import request_erasure
from app.workflows.indexing import INDEX_PRIORITY, index_workflow_id
from app.workflows.onboarding import enqueue_onboarding
from app.workflows.runs import Queue

#: Labels of this prefix are commands; every other label is none of our business.
LABEL_PREFIX = "understudy:"
_LABEL_ACTIONS = frozenset({"labeled", "unlabeled"})
_COMMENT_ACTIONS = frozenset({"created", "edited", "deleted"})
_SAID_ACTIONS = frozenset({"created", "edited"})
_NODE = re.compile(r"[A-Za-z0-9_=+/-]{1,120}")
_THREAD_ACTIONS = frozenset({"resolved", "unresolved"})
_SHA = re.compile(r"[0-9a-f]{40}")
_REVIEW_ACTIONS = frozenset({"opened", "reopened", "synchronize", "ready_for_review"})
INSTALLATION_STATES = {"created": "active", "unsuspend": "active", "new_permissions_accepted": "active"} | {
    "suspend": "suspended",
    "deleted": "deleted",
}
#: Coming back from a suspension is a beginning, too: what was merged meanwhile was told to nobody.
_BACKFILLED = frozenset({"created", "unsuspend"})
#: How the outcome begins of a delivery that a defect of ours kept from being handled.
FAILED_OUTCOME = "failed"
#: What may begin before a repository's owners said yes; all else shows or decides something.
WORKS = {"harvest": Work.READ, "keep_commit": Work.READ}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """A workflow to enqueue, by default on the queue that holds one per installation. The id makes it at most one."""

    workflow: str
    workflow_id: str
    arguments: tuple[str | int, ...]
    queue: Queue = Queue.GITHUB
    #: The lowest first; 0 where somebody waits.
    priority: int = 0


@dataclass(frozen=True)
class Ignore:
    """Nothing to do, and why."""

    reason: str


def delivery_workflow_id(guid: str) -> str:
    return f"delivery:{guid}"


def enqueue_delivery(session: Session, guid: str) -> None:
    """Look at this delivery in a workflow of its own if, and only if, the session's transaction commits."""
    enqueue_in_transaction(session, "delivery", delivery_workflow_id(guid), guid, queue=Queue.INTAKE)


@workflow("delivery")
async def delivery(guid: str) -> str:
    """Handle a delivery that `dispatching` could not, and show why. Returns the outcome that its row keeps."""
    return await _handle(guid)


@transaction
def _handle(session: Session, guid: str) -> str:
    row = load_delivery(session, guid)
    if row is None:
        return "erased"
    if row.outcome is not None and not row.outcome.startswith(FAILED_OUTCOME):
        return row.outcome  # of a release that began such a workflow for each
    outcome = act(session, row)
    save_outcome(session, guid, outcome)
    return outcome


def act(session: Session, row: DeliveryRow) -> str:
    """Enqueue what a delivery asks for, in the session's transaction, and return its outcome."""
    try:
        host = _host_of(row)
        event = _settle(parse_event(row.event, row.body), host)
    except Refused as refused:
        _log.warning("delivery %s cannot be read: %s", row.guid, refused)
        return f"refused: {refused}"
    if isinstance(event, InstallationEvent):
        return _change_installation(session, event, row)
    if event.installation is None:
        return "ignored: no installation"
    known = _ensure_installation(session, event, event.installation.id)
    if known.state != "active":
        return f"ignored: installation is {known.state}"
    if event.repository is not None:  # before anything is done by name: it may be another's than it was
        settle_name(session, known.id, event.repository.id, event.repository.full_name)
    if isinstance(event, RepositoryEvent):
        return f"repository: {event.action}"
    return _enqueue(session, event, row, host, known.id)


def _enqueue(session: Session, event: Event, row: DeliveryRow, host: Host, installation_id: int) -> str:
    decision = decide_start(event, guid=row.guid, host=host.name, app_slug=host.app_slug)
    beside = decide_beside(event, host=host.name, app_slug=host.app_slug)
    about = event.repository
    repository = None if about is None else load_repository(session, installation_id, about.id)
    place = Onboarding(repository.onboarding) if repository and repository.onboarding else Onboarding.STARTED
    if repository is not None and is_about_onboarding(event, place):
        enqueue_onboarding(session, repository, row.guid, propose=False)
    if isinstance(decision, Start) and not is_allowed(place, WORKS.get(decision.workflow, Work.ACT)):
        decision = Ignore(f"its onboarding is {place}")
    beside = beside if is_allowed(place, Work.ACT) else ()
    starts = (*(() if isinstance(decision, Ignore) else (decision,)), *beside)
    for start in starts:
        enqueue_start(session, start, installation_id, priority=start.priority)
        if start.workflow == "review":
            save_ask(session, str(start.arguments[-1]), installation_id, row.received_at)
    if isinstance(decision, Ignore) and not starts:
        return f"ignored: {decision.reason}"
    return f"enqueued: {', '.join(start.workflow for start in starts)}"


def _host_of(row: DeliveryRow) -> Host:
    name = row.guid.rpartition(":")[0]
    host = services().hosts.named(name)
    if host is None:
        raise Refused("host", f"expected a configured GitHub, got {name}; name it again and redeliver")
    return host


def _settle(event: Event, host: Host) -> Event:
    """The event with its installation's id as ours, which no other host's can be."""
    if event.installation is None:
        return event
    tenant_id = join_tenant(host.number, event.installation.id)
    return event.model_copy(update={"installation": event.installation.model_copy(update={"id": tenant_id})})


def is_about_onboarding(event: Event, place: Onboarding) -> bool:
    """Whether it may say how our pull request stands: closed, reopened, or the default branch moved. Pure."""
    if place is Onboarding.STARTED:
        return False
    if isinstance(event, PullRequestEvent):
        return event.action in ("closed", "reopened") and event.pull_request.head.ref == BRANCH
    return isinstance(event, PushEvent) and event.is_default_branch


def enqueue_start(session: Session, start: Start, installation_id: int, *, priority: int = 0) -> None:
    """If the session's transaction commits. A known id is left as it is."""
    enqueue_in_transaction(
        session,
        start.workflow,
        start.workflow_id,
        *start.arguments,
        queue=start.queue,
        partition=installation_id if start.queue is Queue.GITHUB else None,
        priority=priority,
    )


def decide_start(event: Event, *, guid: str, host: str, app_slug: str) -> Start | Ignore:
    """Which workflow an event asks for. Pure.

    Workflows take (installation id, repository's full name, what) where what is a pull request's number, for a review
    the review's id, for a commit to keep (repository id, number, sha), for a label that is gone its name. An index
    takes (installation id, repository id).
    """
    if _is_own(event, app_slug):
        return Ignore("own act")
    if event.installation is None:
        return Ignore("no installation")
    if isinstance(event, PullRequestEvent):
        return _decide_pull_request(event, event.installation.id, guid, host)
    if isinstance(event, ReviewCommentEvent):
        return _decide_comment(event, event.installation.id, guid, host)
    if isinstance(event, ReviewThreadEvent) and event.action in _THREAD_ACTIONS:
        return _decide_thread(event, event.installation.id, guid, host)
    return _decide_rest(event, event.installation.id, guid, host)


def _decide_rest(event: Event, installation_id: int, guid: str, host: str) -> Start | Ignore:
    """What is about no pull request."""
    if isinstance(event, PushEvent):
        return _decide_push(event, installation_id, host)
    return _decide_label(event, installation_id, guid)


def _is_own(event: Event, app_slug: str) -> bool:
    return event.sender is not None and event.sender.type == "Bot" and event.sender.login == bot_login(app_slug)


def decide_beside(event: Event, *, host: str, app_slug: str) -> tuple[Start, ...]:
    """What an event asks for beside its harvest, curation or review: hearing a command, and looking at the policy file
    of a new head, which is looked at in drafts, too. Pure."""
    if _is_own(event, app_slug) or event.installation is None:
        return ()
    if isinstance(event, PullRequestEvent) and event.action in _REVIEW_ACTIONS:
        pull = event.pull_request
        head = f"{host}:{event.repository.id}:{pull.number}:{pull.head.sha}"
        return (look_at(event.installation.id, event.repository.full_name, head, draft=bool(pull.draft)),)
    comment = _said(event)
    is_human = comment is not None and comment.user is not None and comment.user.type == "User"
    start = hearing(event.installation.id, host, comment.node_id, comment.body) if comment and is_human else None
    return () if start is None else (start,)


def _said(event: Event) -> ReviewComment | IssueComment | None:
    """What was written or rewritten on a pull request."""
    if event.action not in _SAID_ACTIONS:
        return None
    if isinstance(event, IssueCommentEvent):
        return event.comment if event.issue.pull_request is not None else None
    return event.comment if isinstance(event, ReviewCommentEvent) else None


def look_at(installation_id: int, repository: str, review_id: str, *, draft: bool) -> Start:
    """Once per head, and once more when it leaves the draft."""
    workflow_id = f"look_at_head:{review_id}{':draft' if draft else ''}"
    return Start("look_at_head", workflow_id, (installation_id, repository, review_id, int(draft)))


def hearing(installation_id: int, host: str, node_id: str | None, body: str | None) -> Start | None:
    """Once per comment and command: edited into another one it is heard again. On a queue where nothing long runs, for
    whoever gave it waits for a sign."""
    command = parse_command(body or "")
    if command is None or node_id is None or not _NODE.fullmatch(node_id):
        return None
    workflow_id = f"hear:{host}:{installation_id}:{node_id}:{command.key}"
    return Start("hear", workflow_id, (installation_id, node_id), Queue.INTAKE)


def _decide_label(event: Event, installation_id: int, guid: str) -> Start | Ignore:
    """What is left: the repository's own list of labels, of which only the loss of one of ours matters."""
    lost = event.lost_name if isinstance(event, LabelEvent) else None
    if event.repository is None or lost is None or not lost.startswith(LABEL_PREFIX):
        return Ignore(f"{event.action or 'event'} is not acted upon")
    return Start("recheck_label", f"recheck_label:{guid}", (installation_id, event.repository.full_name, lost))


def _decide_push(event: PushEvent, installation_id: int, host: str) -> Start | Ignore:
    """Once per commit that the default branch came to. What it holds, the workflow asks git."""
    if not event.is_default_branch or not _SHA.fullmatch(event.after):
        return Ignore("not the default branch")
    workflow_id = index_workflow_id(host, event.repository.id, event.after)
    return Start("index", workflow_id, (installation_id, event.repository.id), priority=INDEX_PRIORITY)


def _decide_pull_request(event: PullRequestEvent, installation_id: int, guid: str, host: str) -> Start | Ignore:
    pull, repository = event.pull_request, event.repository
    if event.action == "closed" and pull.is_merged:
        return _harvest(event, installation_id, f"{host}:{repository.id}:{pull.number}:{pull.head.sha}")
    if event.action in _LABEL_ACTIONS:
        if event.label is None or not event.label.name.startswith(LABEL_PREFIX):
            return Ignore("another label")
        return Start("curate", f"curate:{guid}", (installation_id, repository.full_name, pull.number))
    if event.action in _REVIEW_ACTIONS:
        if pull.draft:
            return Ignore("draft")
        review_id = f"{host}:{repository.id}:{pull.number}:{pull.head.sha}"
        return Start("review", f"review:{review_id}", (installation_id, repository.full_name, review_id))
    return Ignore(f"{event.action or 'event'} is not acted upon")


def _decide_comment(event: ReviewCommentEvent, installation_id: int, guid: str, host: str) -> Start | Ignore:
    """On a merged pull request every word may change what is known; on an open one only commands are answered."""
    if event.action not in _COMMENT_ACTIONS:
        return Ignore(f"{event.action or 'event'} is not acted upon")
    if event.pull_request.is_merged:
        return _harvest(event, installation_id, guid)
    command = None if event.action == "deleted" else parse_command(event.comment.body or "")
    if command is not None and command.verb in CURATING:
        return Start(
            "curate", f"curate:{guid}", (installation_id, event.repository.full_name, event.pull_request.number)
        )
    if event.action != "created":
        return Ignore("harvested at the merge")
    return _keep_commit(event, installation_id, host, event.comment)


def _decide_thread(event: ReviewThreadEvent, installation_id: int, guid: str, host: str) -> Start | Ignore:
    if event.pull_request.is_merged:
        return _harvest(event, installation_id, guid)
    root = next(iter(event.thread.comments), None) if event.thread is not None else None
    return Ignore("no comment") if root is None else _keep_commit(event, installation_id, host, root)


def _keep_commit(
    event: ReviewCommentEvent | ReviewThreadEvent, installation_id: int, host: str, comment: ReviewComment
) -> Start | Ignore:
    """Once per commented commit: a force-push may take it away before the merge."""
    sha = comment.original_commit_id or comment.commit_id
    if sha is None or not _SHA.fullmatch(sha):
        return Ignore("no commit")
    repository, number = event.repository, event.pull_request.number
    return Start(
        "keep_commit",
        f"keep_commit:{host}:{repository.id}:{number}:{sha}",
        (installation_id, repository.full_name, repository.id, number, sha),
    )


def _harvest(
    event: PullRequestEvent | ReviewCommentEvent | ReviewThreadEvent, installation_id: int, once_per: str
) -> Start:
    arguments = (installation_id, event.repository.full_name, event.pull_request.number)
    return Start("harvest", f"harvest:{once_per}", arguments)


def _change_installation(session: Session, event: InstallationEvent, row: DeliveryRow) -> str:
    """What it was given is looked through, what it lost is forgotten; both ask GitHub first how things are now."""
    installation_id = event.installation.id
    if row.event == "installation_repositories":
        known = _ensure_installation(session, event, installation_id)
        for lost in event.repositories_removed:
            settle_name(session, installation_id, lost.id, lost.full_name)  # or another's rows of that name would go
            subject = Subject(kind=ErasureKind.REPOSITORY, name=lost.full_name)
            request_erasure(session, installation_id, subject, reason="removed")
        if event.action == "added" and known.state == "active":
            enqueue_backfill(session, installation_id, row.guid, scope="new")
        return f"installation: repositories {event.action}"
    outcome = _save_installation(session, event)
    if event.action in _BACKFILLED:
        enqueue_backfill(session, installation_id, row.guid)
    if event.action == "deleted":
        subject = Subject(kind=ErasureKind.INSTALLATION, name=str(installation_id))
        request_erasure(session, installation_id, subject, reason="uninstalled")
    return outcome


def _save_installation(session: Session, event: InstallationEvent) -> str:
    installation = event.installation
    state = INSTALLATION_STATES.get(event.action or "")
    if state is None:
        return f"ignored: {event.action or 'event'} is not acted upon"
    known = load_installation(session, installation.id)
    if known is not None and known.state == "deleted":
        return "ignored: installation is deleted"  # for good: GitHub gives no id twice, so this event came late
    account = installation.account
    row = InstallationRow(
        id=installation.id,
        host=services().host_of(installation.id).name,
        account=(account.login if account else None) or "unknown",
        state=state,
        permissions=installation.permissions or {},
    )
    save_installation(session, row)
    return f"installation: {state}"


def _ensure_installation(session: Session, event: Event, installation_id: int) -> InstallationRow:
    """The tenant's row. Its own event may have been missed or come late, so any event of it creates one."""
    known = load_installation(session, installation_id)
    if known is not None:
        return known
    owner = event.repository.owner if event.repository else None
    row = InstallationRow(
        id=installation_id,
        host=services().host_of(installation_id).name,
        account=(owner.login if owner else None) or "unknown",
    )
    save_installation(session, row)
    return row
