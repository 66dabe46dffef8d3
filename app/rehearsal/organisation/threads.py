"""Who says what about which line, and what the author makes of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from app.rehearsal.organisation.drafts import Answer, Insertion, Workspace
from app.rehearsal.organisation.people import BOT, POET, REPLIES, REVIEWERS, SMALL_TALK
from app.rehearsal.organisation.records import Fate, Reply, Thread, ThreadKind
from app.rehearsal.organisation.rules import RULES_BY_ID

#: Shares of the answers to a comment about a house rule; a fix is what remains.
_IGNORED, _SUGGESTED, _REMARKED = 0.07, 0.08, 0.05


@dataclass
class Remark:
    """A comment before its line has a number."""

    insertion: Insertion
    commit: int
    author: str
    body: str
    kind: ThreadKind
    rule: str | None


def reviewer_for(rng: Random, author: str) -> str:
    return rng.choice([login for login in REVIEWERS if login != author])


def remark_on_break(rng: Random, insertion: Insertion, commit: int, author: str) -> Remark:
    """One of the rule's two keepers points at the line, and sometimes brings the repaired one."""
    rule = RULES_BY_ID[insertion.draft.rule or ""]
    reviewer = rng.choice([login for login in rule.phrasings if login != author])
    insertion.commented = insertion.draft.mark
    body = rule.phrasings[reviewer]
    insertion.answer = _decide_answer(rng, insertion, lexical=not rule.needs_surroundings)
    if insertion.answer == "suggestion":
        body += f"\n\n```suggestion\n{insertion.draft.suggestion}\n```"
    return Remark(insertion, commit, reviewer, body, "rule", rule.id)


def _decide_answer(rng: Random, insertion: Insertion, *, lexical: bool) -> Answer:
    roll = rng.random()
    if roll < _IGNORED:
        return "none"
    if lexical and insertion.draft.suggestion and roll < _IGNORED + _SUGGESTED:
        return "suggestion"
    if lexical and roll > 1 - _REMARKED:
        return "remark"
    return "fix"


def remark_in_passing(rng: Random, insertion: Insertion, commit: int, kind: ThreadKind, author: str) -> Remark:
    """Small talk on a clean function: poetry is asked for at the docstring, the rest stands anywhere below."""
    last = len(insertion.draft.right) - 1
    insertion.commented = 1 if kind == "peeve" else rng.randint(2, last)
    speaker = {"peeve": POET, "self": author, "bot": BOT}.get(kind) or reviewer_for(rng, author)
    if speaker == author and kind != "self":
        speaker = reviewer_for(rng, author)
    return Remark(insertion, commit, speaker, rng.choice(SMALL_TALK[kind]), kind, None)


def scatter_remarks(rng: Random, remarks: list[Remark], insertions: list[Insertion]) -> None:
    """Noise: every remark of a person moves to a random added line, and that line is what the author touches."""
    moved = [remark for remark in remarks if remark.kind not in ("self", "bot")]
    answers = [remark.insertion.answer for remark in moved]
    for insertion in insertions:
        insertion.commented, insertion.answer, insertion.answered = None, "none", None
    seats = [item for item in insertions if all(item is not other.insertion for other in remarks if other not in moved)]
    for remark, answer, seat in zip(moved, answers, rng.sample(seats, len(moved)), strict=True):
        remark.insertion = seat
        remark.commit = max(remark.commit, seat.born)
        seat.commented = rng.randrange(len(seat.lines_at(remark.commit)))
        seat.answer = "none" if answer == "none" else "touch"
    for remark in remarks:
        if remark not in moved:
            remark.insertion.commented = 2


def write_thread(rng: Random, work: Workspace, remark: Remark, *, at: datetime, comment_id: int, author: str) -> Thread:
    """The thread as GitHub would keep it."""
    insertion = remark.insertion
    line, text = work.line_of(insertion, insertion.commented or 0, remark.commit)
    fate = _fate(insertion)
    return Thread(
        comment_id=comment_id,
        commit=remark.commit,
        path=insertion.path,
        line=line,
        line_text=text,
        author=remark.author,
        body=remark.body,
        kind=remark.kind,
        rule=remark.rule,
        fate=fate,
        replies=_replies(rng, remark, fate, at, author),
        resolved=fate != "unchanged" and rng.random() < 0.7,
        at=at,
    )


def _fate(insertion: Insertion) -> Fate:
    """What git will show of the commented line."""
    if insertion.answer in ("none", "suggestion"):
        return "suggestion" if insertion.answer == "suggestion" else "unchanged"
    if insertion.answer == "touch":
        return "line"
    marked = insertion.draft.wrong[insertion.draft.mark]
    return "near" if insertion.answer == "remark" or marked in insertion.draft.right else "line"


def _replies(rng: Random, remark: Remark, fate: Fate, at: datetime, author: str) -> tuple[Reply, ...]:
    tone = "question" if remark.kind == "question" else "refused" if fate == "unchanged" else "addressed"
    if remark.kind in ("praise", "self", "bot") or rng.random() < 0.55:
        return ()
    return (Reply(author=author, body=rng.choice(REPLIES[tone]), at=at + timedelta(minutes=rng.randint(10, 90))),)
