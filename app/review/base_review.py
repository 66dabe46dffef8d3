"""A review by the base model alone, where the owners asked for one until an adapter has passed the gate.

Nothing of it is learned from the team: there is no Locator, so the most valuable hunks are asked about first, and there
is no AcceptanceFilter. What this team said on similar hunks, and what its repository says of itself, stands above the
question (app/review/context.py). All that, the owners' instructions and tone, and what is shown beyond the window of
the adapters' prompt, belongs here only (ADR 0020, ADR 0024): an adapter was trained under one fixed text
(app/domain/prompt.py) and would be another adapter under another.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from app.domain.attributes import NO_ATTRIBUTES, Attributes
from app.domain.errors import Refused
from app.domain.prompt import Message
from app.domain.review_policy import ReviewPolicy
from app.domain.serving import BASE_NAME
from app.inference.wire import TOO_LONG
from app.review.asking import Late, ask_within
from app.review.base_answer import Remark, merge_samples, parse_base_answer, place_remark
from app.review.base_prompt import (
    Question,
    decide_room,
    pack_questions,
    render_question,
    render_schema,
    render_system,
    select_numbers,
    sort_questions,
    value_hunk,
)
from app.review.budget import BASE_ANSWER_TOKENS, count_affordable, estimate_tokens
from app.review.context import Notes
from app.review.coverage import ChangedFile, leave_out, read_files
from app.review.drafting import Draft, select_seeds
from app.review.following import PostedFinding, decide_followed
from app.review.looking import Looked, Surroundings, look_around
from app.review.selection import Answered, decide_questions, drop_said, select_findings
from app.review.unseen import find_unseen

#: Files of which the text at the head is read.
_FILES_READ = 12


_log = logging.getLogger(__name__)


class BaseWriter(Protocol):
    """The base model: the raw answer for a prompt under a schema; None when it gave none. With a seed it is a sample,
    without one the likeliest."""

    async def write(
        self, messages: tuple[Message, ...], schema: dict[str, Any], *, max_tokens: int, seed: int | None = None
    ) -> str | None: ...


class _Heard(NamedTuple):
    """What came of the questions, and what was left out of it."""

    answered: tuple[Answered, ...]
    counts: dict[str, int]


async def draft_base_review(
    writer: BaseWriter,
    files: tuple[ChangedFile, ...],
    *,
    repository: str,
    pull_request: int,
    earlier: tuple[PostedFinding, ...],
    dismissed: frozenset[str],
    policy: ReviewPolicy,
    agents_text: str = "",
    attributes: Attributes = NO_ATTRIBUTES,
    vocabulary: frozenset[str] = frozenset(),
    surroundings: Surroundings | None = None,
    notes: Notes | None = None,
) -> Draft:
    """Ask the base about the most valuable hunks, and keep what stands on a line that it was shown.

    `vocabulary`: names that the team uses in its reviews; `surroundings`: None shows hunks as GitHub does; `notes`:
    what is shown beside them, None for nothing.
    """
    diffs, coverage = await asyncio.to_thread(read_files, files, policy, attributes=attributes)
    looked = await look_around(diffs, surroundings, min(_FILES_READ, decide_questions(policy)), attributes)
    system = render_system(policy, agents_text)
    room = decide_room(system)
    packed = (one for path, shown in looked.shown.items() for one in pack_questions(path, shown, room))
    chosen = sort_questions(packed)[: decide_questions(policy)]
    wanted = await _add_notes(chosen, notes, room)
    costs = [_cost(system, question, policy) for question in wanted]
    asked = wanted[: count_affordable(costs, policy.max_tokens)]
    heard = await _ask_all(writer, system, asked, policy, vocabulary)
    unsaid = drop_said(tuple(one.candidate for one in heard.answered), earlier)
    selection = select_findings(
        tuple(one for one in heard.answered if one.candidate in unsaid),
        repository=repository,
        pull_request=pull_request,
        adapter=BASE_NAME,
        acceptance_threshold=0.0,
        known_fingerprints=frozenset(one.fingerprint for one in earlier),
        dismissed=dismissed,
        policy=policy,
    )
    covered = leave_out(coverage, dict.fromkeys(looked.generated, "says_generated"))
    account: dict[str, Any] = _account(looked, wanted, asked) | heard.counts | selection.counts
    account["over_budget"] += len(wanted) - len(asked)
    account["repeated"] += len(heard.answered) - len(unsaid)
    account["followed"] = decide_followed(earlier, files, dismissed)
    return Draft(findings=selection.findings, coverage=covered.model_copy(update=account), adapter=BASE_NAME)


async def _add_notes(questions: Sequence[Question], notes: Notes | None, room: int) -> list[Question]:
    """Each with what is known beside its most valuable hunk, where that still fits: code goes before notes."""
    if notes is None or not questions:
        return list(questions)
    best = [max(one.hunks, key=partial(value_hunk, one.path)) for one in questions]
    found = await notes.find([(one.path, hunk) for one, hunk in zip(questions, best, strict=True)])
    noted = [one.model_copy(update={"note": note}) for one, note in zip(questions, found, strict=True)]
    return [
        one if estimate_tokens(render_question(one)) <= room else plain
        for one, plain in zip(noted, questions, strict=True)
    ]


def _account(looked: Looked, wanted: Sequence[Question], asked: Sequence[Question]) -> dict[str, int]:
    """Of hunks: what was read, asked about, and not shown, or not to its end."""
    hunks = [one for shown in looked.shown.values() for one in shown]
    unasked = sum(bool(select_numbers([one.hunk])) for one in hunks) - sum(len(one.shown) for one in wanted)
    return {
        "hunks_read": len(hunks),
        "candidates": sum(len(question.shown) for question in asked),
        "unasked": unasked + sum(one.is_cut for question in asked for one in question.shown),
        "unextended": looked.unextended,
    }


def _cost(system: str, question: Question, policy: ReviewPolicy) -> int:
    prompt = estimate_tokens(system) + estimate_tokens(render_question(question))
    return (prompt + BASE_ANSWER_TOKENS) * policy.agreement


async def _ask_all(
    writer: BaseWriter, system: str, asked: Sequence[Question], policy: ReviewPolicy, vocabulary: frozenset[str]
) -> _Heard:
    seeds = select_seeds(policy)
    came = await ask_within(
        policy.max_seconds, [partial(_ask, writer, system, question, seed) for question in asked for seed in seeds]
    )
    answered: list[Answered] = []
    counts = dict.fromkeys(("unanswered", "over_budget", "disagreed", "unseen", "unapplied"), 0)
    for index, question in enumerate(asked):
        own = came[index * len(seeds) : (index + 1) * len(seeds)]
        samples = [one for one in own if one is not Late.LATE]
        if len(samples) < len(seeds):
            counts["over_budget"] += 1
            continue
        counts["unanswered"] += all(sample is None for sample in samples)
        remarks, disagreed = merge_samples(samples)
        counts["disagreed"] += disagreed
        for remark in remarks:
            if _is_unseen(system, question, remark, vocabulary):
                counts["unseen"] += 1
                continue
            placed = place_remark(question, remark)
            counts["unapplied"] += placed.unapplied
            answered.append(placed.answered)
    return _Heard(tuple(answered), counts)


async def _ask(writer: BaseWriter, system: str, question: Question, seed: int | None) -> tuple[Remark, ...] | None:
    messages = (Message(role="system", content=system), Message(role="user", content=render_question(question)))
    try:
        answer = await writer.write(messages, render_schema(question), max_tokens=BASE_ANSWER_TOKENS, seed=seed)
    except Refused as error:
        if error.reason != TOO_LONG:
            raise
        if question.note:
            return await _ask(writer, system, question.model_copy(update={"note": ""}), seed)
        _log.warning("a question is longer than its estimate and than the server takes, it gets no answer: %s", error)
        return None
    return None if answer is None else parse_base_answer(answer, question)


def _is_unseen(system: str, question: Question, remark: Remark, vocabulary: frozenset[str]) -> bool:
    shown = f"{system}\n{render_question(question)}"
    return bool(find_unseen(remark.comment, shown, vocabulary, select_numbers(question.hunks)))
