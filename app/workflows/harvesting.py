"""The durable harvest of a pull request and the curation of what it found, from one reading of GitHub.

The step may run twice: it reads GitHub and git anew, then replaces the pull request's Examples and Rejections and
records the decisions about them in one transaction, so that running it again changes nothing. What binds is what was
just read: a lost webhook about an edited comment can't let an old text be approved. Texts of the repository go to our
tables, never to the journal.
"""

import asyncio
from collections import Counter
from datetime import datetime

from sqlmodel import Session

from app.curation.decision import (
    APPROVE_LABEL,
    LABELS,
    PRIVATE_LABEL,
    REJECT_LABEL,
    Candidate,
    LabelState,
    Refusal,
    decide_refusal,
)
from app.curation.people import People
from app.curation.privacy import decide_privacy
from app.curation.recording import (
    Scope,
    forget_pull,
    is_private,
    record_curation,
    record_policy,
    record_privacy,
    record_refusal,
)
from app.curation.words import (
    TICK,
    SaidCommand,
    decide_head_since,
    decide_since,
    read_label,
    read_thread_commands,
    select_commands,
)
from app.domain.base import Record, content_hash
from app.domain.erasure import Forgotten
from app.domain.errors import RetryLater
from app.domain.examples import Evidence, Example
from app.domain.onboarding import Work, is_allowed
from app.domain.policies import Curation
from app.domain.written import WrittenExample, author_key
from app.github.harvested import Account, HarvestedPull
from app.github.listed import Timeline
from app.harvest.gathering import fetch_commented_commit, fetch_pull, gather
from app.harvest.pull_request import Harvest
from app.harvest.signals import read_signals
from app.store.database import reading, writing
from app.store.erasures import load_forgotten
from app.store.learning import (
    DESCRIPTION_SOURCE,
    delete_judgements,
    load_stated_name,
    save_examples,
    save_rejections,
    save_signals,
    save_written,
    select_approvals_of,
    select_examples,
)
from app.store.renaming import settle_name
from app.store.repositories import find_repository, load_repository, save_harvested
from app.store.reviews import load_review
from app.store.tables import HarvestedRow
from app.workflows.answering import answer_commands, publish_summary, select_unanswered
from app.workflows.consent import find_place
from app.workflows.context import services
from app.workflows.describing import decide_candidate, read_description
from app.workflows.engine import progress, step, workflow
from app.workflows.history import enqueue_history

#: What git must show for the policy `evidence` to let a comment in without a label.
STRONG = (Evidence.LINE, Evidence.SUGGESTION_APPLIED)


@workflow("harvest")
async def harvest(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """Harvest a merged pull request, let what was said on it decide again, and answer. Returns counts of both."""
    return await harvest_and_answer(installation_id, repository, number)


async def harvest_and_answer(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """The steps of a harvest, for every workflow that ends in one."""
    await progress(stage="harvest")
    found = await harvest_pull_request(installation_id, repository, number)
    to_answer, to_tell = found.pop("to_answer"), found.pop("to_tell")
    if to_answer:
        await progress(stage="answer")
        await answer_commands(installation_id, repository, number)
    if to_tell:
        await progress(stage="summary")
        await publish_summary(installation_id, repository, number)
    return found


@workflow("keep_commit")
async def keep_commit(installation_id: int, repository: str, repository_id: int, number: int, sha: str) -> bool:
    """Hold a commit that was commented on. True when it is here."""
    return await fetch_and_keep(installation_id, repository, repository_id, number, sha)


@step()
async def fetch_and_keep(installation_id: int, repository: str, repository_id: int, number: int, sha: str) -> bool:
    held = services()
    return await fetch_commented_commit(
        held.github(installation_id),
        held.data / "mirrors",
        host=held.host_of(installation_id).name,
        repository_id=repository_id,
        repository=repository,
        number=number,
        sha=sha,
    )


class _Before(Record):
    """What our tables say of a pull request before it is read anew."""

    is_private: bool
    is_decided: bool
    has_examples: bool
    #: what the repository is called in those Examples
    stated_name: str | None = None


class _Read(Record):
    """One reading of what was said on a pull request. `labels`: approve, reject, private."""

    pull: HarvestedPull
    timeline: Timeline
    said: tuple[SaidCommand, ...]
    labels: tuple[LabelState, LabelState, LabelState]


@step()
async def harvest_pull_request(installation_id: int, repository: str, number: int) -> dict[str, int]:
    """Counts: `merged`, `examples`, `rejections`, decisions by verdict, `refused`, `private`; `to_answer` and
    `to_tell` say whether commands wait for an answer, and whether the summary comment has something to tell."""
    held = services()
    github = held.github(installation_id)
    place = await find_place(installation_id, repository)
    if not is_allowed(place, Work.READ):
        return {"merged": 0, "examples": 0, "rejections": 0, "declined": 1, "to_answer": 0, "to_tell": 0}
    pull, url = await fetch_pull(github, host=held.host_of(installation_id).name, repository=repository, number=number)
    scope = await asyncio.to_thread(_settle_scope, installation_id, pull)
    may_act = is_allowed(await find_place(installation_id, scope.repository, pull.repository_id), Work.ACT)
    before = await asyncio.to_thread(_load_before, scope)
    people = People(github, scope.repository)
    read = await _read(pull, before, people, scope)
    counts = Counter({"merged": int(pull.merged), "examples": 0, "rejections": 0})
    if pull.policy.policy.curation is Curation.OFF:
        counts.update(await asyncio.to_thread(_forget, scope, pull))
        return {**counts, "off": 1, "to_answer": 0, "to_tell": 0}
    asked, refusals = _split_asked(pull, people, scope)
    settled = await asyncio.to_thread(_settle_privacy, scope, read, before, refusals)
    counts.update(settled)
    if pull.merged and not settled.get("private"):
        found = await gather(github, held.data / "mirrors", pull, url)
        described = await read_description(pull, found.base_sha)
        found, described = state_under(before.stated_name, found, described)
        candidates = await _read_candidates(read, found, described, people, scope) if may_act else ()
        kept, decided = await asyncio.to_thread(_replace, scope, read, (found, described), candidates)
        counts.update(decided)
        counts.update(examples=len(kept.examples), rejections=len(kept.rejections))
    if not may_act:
        return {**counts, "to_answer": 0, "to_tell": 0}
    to_tell = (before.is_decided or before.has_examples or counts["examples"] > 0) and await _may_tell(scope, pull)
    return {**counts, "to_answer": int(asked), "to_tell": int(to_tell)}


def _settle_scope(installation_id: int, pull: HarvestedPull) -> Scope:
    """What is harvested, as GitHub just called it: the name that it was asked for by may be another's by now."""
    with writing(services().database) as session:
        settle_name(session, installation_id, pull.repository_id, pull.repository)
    return Scope(installation_id=installation_id, repository=pull.repository, number=pull.number)


def _hold_name(session: Session, scope: Scope, pull: HarvestedPull) -> None:
    """What is written or deleted by name now is the repository's that was read.

    Raises:
        RetryLater: the repository got another name meanwhile, or the name another repository.
    """
    named = find_repository(session, scope.installation_id, scope.repository)
    known = load_repository(session, scope.installation_id, pull.repository_id)
    if named != known:
        raise RetryLater("the repository was renamed while it was read; it is read again", 1.0)


def _split_asked(pull: HarvestedPull, people: People, scope: Scope) -> tuple[bool, tuple[Refusal, ...]]:
    """Whether someone who may be answered waits for it, and the questions of those who may not."""
    waiting = [(one, people.actor(one.author)) for one in select_unanswered(pull, _slug(scope))]
    refusals = [
        decide_refusal(f"comment:{one.comment_id}@{one.at.isoformat()}", actor, f"said {one.command.verb}")
        for one, actor in waiting
    ]
    return any(actor.may_decide for _, actor in waiting), tuple(one for one in refusals if one is not None)


def _slug(scope: Scope) -> str:
    return services().host_of(scope.installation_id).app_slug


async def _may_tell(scope: Scope, pull: HarvestedPull) -> bool:
    """The summary is for what was merged since the App came: nobody wants thousands of comments on the past."""
    if not pull.merged or pull.merged_at is None or not pull.policy.policy.summary:
        return False
    return pull.merged_at >= await services().github(scope.installation_id).fetch_installed_at()


def _load_before(scope: Scope) -> _Before:
    with reading(services().database) as session:
        decided = select_approvals_of(session, scope.installation_id, scope.repository, scope.number)
        known = select_examples(session, scope.installation_id, repository=scope.repository, pull_request=scope.number)
        return _Before(
            is_private=is_private(session, scope),
            is_decided=bool(decided),
            has_examples=bool(known),
            stated_name=load_stated_name(session, scope.installation_id, scope.repository, scope.number),
        )


async def _read(pull: HarvestedPull, before: _Before, people: People, scope: Scope) -> _Read:
    """One request for the timeline, where anything may hang on it, and one for each person who spoke to us."""
    github = services().github(scope.installation_id)
    said = select_commands(pull, _slug(scope))
    timeline = Timeline()
    if said or before.is_private or before.is_decided or set(LABELS).intersection(pull.labels):
        timeline = await github.fetch_timeline(pull.repository, pull.number)
    actors = {event.actor.login: event.actor for event in timeline.labels if event.label in LABELS}
    await people.ask((actor, "OWNER") for actor in actors.values())
    await people.ask((one.author, one.association) for one in said)
    approve, reject, private = (
        read_label(label, pull.labels, timeline, people) for label in (APPROVE_LABEL, REJECT_LABEL, PRIVATE_LABEL)
    )
    return _Read(pull=pull, timeline=timeline, said=said, labels=(approve, reject, private))


async def _read_candidates(
    read: _Read, found: Harvest, described: WrittenExample | None, people: People, scope: Scope
) -> tuple[Candidate, ...]:
    pull = read.pull
    reviewers: dict[int, Account] = {}
    if pull.policy.policy.curation is Curation.EVIDENCE:
        strong = {example.comment_id for example in found.examples if example.evidence in STRONG}
        roots = [thread.root for thread in pull.threads if thread.root.comment_id in strong]
        await people.ask((root.author, root.association) for root in roots)
        reviewers = {root.comment_id: root.author for root in roots}
    seen_at = await asyncio.to_thread(_load_seen_at, scope, pull)
    if seen_at is not None:  # GitHub tells whole seconds, and how far it is ahead of us is known to one
        seen_at = services().github(scope.installation_id).as_told(seen_at) + TICK
    head_since = decide_head_since(pull, seen_at, read.timeline)
    commands = read_thread_commands(read.said, people)

    def candidate(example: Example) -> Candidate:
        reviewer = reviewers.get(example.comment_id or 0)
        return Candidate(
            example_hash=example.hash,
            since=decide_since(example, pull, head_since),
            commands=commands.get(example.comment_id or 0, ()),
            reviewer=None if reviewer is None else people.actor(reviewer),
        )

    words = () if described is None else (decide_candidate(described, pull, head_since, read.timeline),)
    return (*(candidate(example) for example in found.examples), *words)


def _load_seen_at(scope: Scope, pull: HarvestedPull) -> datetime | None:
    host = services().host_of(scope.installation_id).name
    review_id = f"{host}:{pull.repository_id}:{pull.number}:{pull.head_sha}"
    with reading(services().database) as session:
        row = load_review(session, scope.installation_id, review_id)
        return None if row is None else row.created_at


def _settle_privacy(scope: Scope, read: _Read, before: _Before, refusals: tuple[Refusal, ...]) -> dict[str, int]:
    private = read.labels[2]
    privacy = decide_privacy(private, is_private=before.is_private)
    with writing(services().database) as session:
        _hold_name(session, scope, read.pull)
        record_policy(session, scope, read.pull.policy)
        refused = sum(record_refusal(session, scope, refusal) for refusal in refusals)
        repository = load_repository(session, scope.installation_id, read.pull.repository_id)
        if privacy.change is not None and repository is not None and repository.history_head is not None:
            act = content_hash("act1", [privacy.change, private.source]).split(":")[1][:16]
            enqueue_history(session, repository, f"private:{scope.number}:{act}")  # its commits were read, perhaps
        return Counter(record_privacy(session, scope, privacy, private)) + Counter({"refused": refused})


def _forget(scope: Scope, pull: HarvestedPull) -> dict[str, int]:
    with writing(services().database) as session:
        _hold_name(session, scope, pull)
        record_policy(session, scope, pull.policy)
        return forget_pull(session, scope)


def _replace(
    scope: Scope,
    read: _Read,
    gathered: tuple[Harvest, WrittenExample | None],
    candidates: tuple[Candidate, ...],
) -> tuple[Harvest, dict[str, int]]:
    """What was kept, and what was decided: nothing of who asked to be forgotten comes back."""
    approve, reject, _ = read.labels
    row = HarvestedRow(
        installation_id=scope.installation_id,
        repository_id=read.pull.repository_id,
        pull_request=scope.number,
        repository=scope.repository,
        head_sha=read.pull.head_sha,
        author=author_key(read.pull.author.login),
        merge_commit_sha=read.pull.merge_commit_sha,
    )
    with writing(services().database) as session:
        _hold_name(session, scope, read.pull)
        forgotten = load_forgotten(session, scope.installation_id)
        kept = select_permitted(gathered[0], row, read.pull.author.login, forgotten)
        words = select_permitted_words(gathered[1], row, read.pull.author.login, forgotten)
        known = {example.hash for example in kept.examples} | {example.hash for example in words}
        delete_judgements(session, scope.installation_id, scope.repository, scope.number)
        save_examples(session, scope.installation_id, kept.examples, "harvest", repository=scope.repository)
        save_written(session, scope.installation_id, words, DESCRIPTION_SOURCE, repository=scope.repository)
        save_signals(session, scope.installation_id, read_signals(read.pull, kept.examples))
        save_rejections(session, scope.installation_id, kept.rejections)
        save_harvested(session, row)
        permitted = tuple(one for one in candidates if one.example_hash in known)
        return kept, record_curation(session, scope, (approve, reject), permitted)


def state_under(
    name: str | None, found: Harvest, described: WrittenExample | None
) -> tuple[Harvest, WrittenExample | None]:
    """The same under the name that the repository had when they were first harvested: an approval is of every field,
    and a new name changes nothing that somebody approved. Pure."""
    if name is None:
        return found, described
    examples = tuple(one.model_copy(update={"repository": name}) for one in found.examples)
    words = None if described is None else described.model_copy(update={"repository": name})
    return found.model_copy(update={"examples": examples}), words


def select_permitted(found: Harvest, row: HarvestedRow, author: str, forgotten: Forgotten) -> Harvest:
    """Pure."""
    if forgotten.is_pull(row.repository, row.pull_request, author):
        return Harvest(examples=(), rejections=())
    return Harvest(
        examples=tuple(item for item in found.examples if not forgotten.is_named_in(item.model_dump(mode="json"))),
        rejections=tuple(item for item in found.rejections if not forgotten.is_named_in(item.model_dump(mode="json"))),
    )


def select_permitted_words(
    described: WrittenExample | None, row: HarvestedRow, author: str, forgotten: Forgotten
) -> tuple[WrittenExample, ...]:
    """The description, unless it is to be forgotten. Pure."""
    if described is None or forgotten.is_pull(row.repository, row.pull_request, author):
        return ()
    return () if forgotten.is_named_in(described.model_dump(mode="json")) else (described,)
