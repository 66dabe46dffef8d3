"""What each command about reviews does. Everything here may happen twice and shows once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sqlmodel import Session

from app.curation.decision import Actor
from app.curation.messages import HELP, render_answer_marker
from app.domain.base import content_hash
from app.domain.commands import Command, Verb
from app.domain.findings import Finding
from app.github.said import Said
from app.review.answers import (
    ASK_ON_A_THREAD,
    CLOSED,
    NOT_OURS,
    SWITCHED_OFF,
    Acted,
    render_config,
    render_dismissed,
    render_origin,
    render_paused_answer,
    render_resumed_answer,
    render_reviewed,
)
from app.review.nearest import NearReview
from app.store.database import reading, writing
from app.store.learning import append_audit
from app.store.reviews import FINISHED, REVIEWED, load_review
from app.store.rounds import load_adapter_version, load_pointer
from app.store.steering import (
    Place,
    Posted,
    delete_pause,
    load_pause,
    load_posted,
    save_dismissal,
    save_pause,
    select_dismissed,
)
from app.workflows.context import services
from app.workflows.engine import enqueue_in_transaction
from app.workflows.retrieving import find_nearest
from app.workflows.runs import Queue


@dataclass(frozen=True)
class Order:
    """A command, where it was said, and by whom; `actor.role` is their permission as read now."""

    installation_id: int
    said: Said
    command: Command
    actor: Actor

    @property
    def place(self) -> Place:
        return Place(self.installation_id, self.said.repository, self.said.number)

    @property
    def by(self) -> Acted:
        return Acted(login=self.actor.login, role=self.actor.role)

    @property
    def review_id(self) -> str:
        said = self.said
        host = services().host_of(self.installation_id).name
        return f"{host}:{said.repository_id}:{said.number}:{said.head_sha}"

    @property
    def marker(self) -> str:
        return render_answer_marker(self.said.comment_id, self.command.key)


async def carry_out(order: Order) -> str | None:
    """Do it and return the answer; None where what follows is answer enough, or where curation answers."""
    is_on_thread, verb = order.said.root_id is not None, order.command.verb
    if verb in _ABOUT_THREADS and not is_on_thread:
        return ASK_ON_A_THREAD
    if verb in (Verb.HELP, Verb.UNKNOWN):
        return None if verb is Verb.UNKNOWN and is_on_thread else HELP
    if verb in _IN_A_THREAD:
        return await asyncio.to_thread(_IN_A_THREAD[verb], order)
    if verb in (Verb.CONFIG, Verb.WHY):
        return await (_show_config(order) if verb is Verb.CONFIG else _explain(order))
    return await _review(order) if verb in (Verb.REVIEW, Verb.FULL_REVIEW) else None


async def _review(order: Order) -> str | None:
    if not order.said.is_open:
        return CLOSED
    policy = (await services().github(order.installation_id).fetch_policy(order.said.repository)).policy
    return await asyncio.to_thread(_start_review, order) if policy.is_reviewing else SWITCHED_OFF


def _start_review(order: Order) -> str | None:
    """A head that has its review, or is getting one, gets no second: that is said instead."""
    with writing(services().database) as session:
        row = load_review(session, order.installation_id, order.review_id)
        own_id = _review_workflow(order)
        if row is not None and (row.state in REVIEWED or row.state not in FINISHED):
            return render_reviewed(row.state, row.head_sha, full=row.full)
        _enqueue_review(session, order, own_id, "full" if order.command.verb is Verb.FULL_REVIEW else "review")
    return None


def _review_workflow(order: Order) -> str:
    """One for each command: said twice, after a failure each, it is tried twice."""
    return f"review:{order.review_id}:{order.said.comment_id}:{order.command.key}"


def _enqueue_review(session: Session, order: Order, workflow_id: str, asked: str) -> None:
    enqueue_in_transaction(
        session,
        "review",
        workflow_id,
        order.installation_id,
        order.said.repository,
        order.review_id,
        asked,
        queue=Queue.GITHUB,
        partition=order.installation_id,
    )


def _pause(order: Order) -> str:
    if not order.said.is_open:
        return CLOSED
    with writing(services().database) as session:
        is_new = save_pause(session, order.place, actor=order.actor.login, role=order.actor.role)
        row = load_pause(session, order.place)
        if is_new:
            _note(session, order, "review.paused")
    by = order.by if row is None else Acted(login=row.actor, role=row.actor_role)
    return render_paused_answer(by, is_new=is_new or by == order.by)


def _resume(order: Order) -> str:
    """The newest commit may have been passed over meanwhile: it is reviewed now, drafts as ever."""
    with writing(services().database) as session:
        was_paused = delete_pause(session, order.place)
        if was_paused:
            _note(session, order, "review.resumed")
            row = load_review(session, order.installation_id, order.review_id)
            if order.said.is_open and (row is None or row.state in FINISHED - REVIEWED):
                _enqueue_review(session, order, _review_workflow(order), "")
    return render_resumed_answer(order.by, was_paused=was_paused)


def _dismiss(order: Order) -> str:
    reason = order.command.reason
    with writing(services().database) as session:
        posted = _posted(session, order)
        if posted is None:
            return NOT_OURS
        is_new = save_dismissal(
            session,
            order.place,
            posted.finding,
            comment_id=order.said.root_id or 0,
            actor=order.actor.login,
            role=order.actor.role,
            reason=reason,
        )
        if is_new:
            _note(session, order, "review.dismissed", fingerprint=posted.finding.fingerprint, reason=reason)
    return render_dismissed(order.by, reason, is_new=is_new)


async def _explain(order: Order) -> str | None:
    """None on a thread that is not ours: what became of that one, curation says."""
    origin = await asyncio.to_thread(_load_origin, order)
    if origin is None:
        return None
    said = order.said
    near = await find_nearest(order.installation_id, said.repository, said.diff_hunk, origin.finding.body)
    addressed = [(one, _address(order, one)) for one in near]
    return render_origin(origin.finding, origin.snapshot, addressed, dismissed=origin.is_dismissed)


class _Origin(NamedTuple):
    """A comment of ours, and the snapshot of the adapter that wrote it, None when that is no longer known."""

    finding: Finding
    snapshot: str | None
    is_dismissed: bool


def _load_origin(order: Order) -> _Origin | None:
    with reading(services().database) as session:
        posted = _posted(session, order)
        if posted is None:
            return None
        version = load_adapter_version(session, order.installation_id, posted.finding.adapter)
        is_dismissed = posted.finding.fingerprint in select_dismissed(session, order.place)
    return _Origin(posted.finding, None if version is None else version.snapshot_id, is_dismissed)


def _address(order: Order, near: NearReview) -> str:
    github = services().github(order.installation_id)
    return github.comment_url(order.said.repository, near.pull_request, near.comment_id)


def _posted(session: Session, order: Order) -> Posted | None:
    return load_posted(session, order.place, order.said.root_id or 0)


async def _show_config(order: Order) -> str:
    found = await services().github(order.installation_id).fetch_policy(order.said.repository)
    with reading(services().database) as session:
        pointer = load_pointer(session, order.installation_id)
        pause = load_pause(session, order.place)
    paused = None if pause is None else Acted(login=pause.actor, role=pause.actor_role)
    return render_config(found, adapter=None if pointer is None else pointer.adapter_name, paused=paused)


def _note(session: Session, order: Order, action: str, **detail: str) -> None:
    source = f"comment:{order.said.comment_id}@{order.said.stands_since.isoformat()}"
    append_audit(
        session,
        installation_id=order.installation_id,
        actor=order.actor.login,
        action=action,
        subject=f"{order.said.repository}#{order.said.number}",
        idempotency_key=content_hash("rc1", [order.installation_id, source, order.command.key]),
        detail={"role": order.actor.role, "source": source, **detail},
    )


_ABOUT_THREADS = frozenset({Verb.KEEP, Verb.DROP, Verb.WHY, Verb.DISMISS})
#: What asks nothing of GitHub: done in a thread of the machine's, for the database waits.
_IN_A_THREAD: dict[Verb, Callable[[Order], str | None]] = {
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.DISMISS: _dismiss,
}
