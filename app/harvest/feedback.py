"""The signs around what we said on a pull request, read from one harvest of it, our reactions and the mirror."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from app.domain.commands import parse_command
from app.domain.examples import Evidence
from app.domain.noise import decide_bot
from app.domain.verdicts import Answers, Feedback, decide_answer
from app.github.harvested import HarvestedComment, HarvestedPull, HarvestedThread
from app.harvest.evidence import decide_evidence
from app.harvest.fixes import Place
from app.harvest.history import History

#: Whose replies count beside the author's. Anyone may reply on a public pull request.
_TEAM = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


class Thumbs(NamedTuple):
    """Of people with write access, each counted once for each kind."""

    up: int = 0
    down: int = 0


class Traced(NamedTuple):
    """What git says of one Finding. `line_text` is empty where the reviewed commit or the file is gone."""

    change: Evidence
    line_text: str


def decide_state(pull: HarvestedPull) -> Literal["open", "merged", "closed"]:
    return "merged" if pull.merged else "open" if pull.closed_at is None else "closed"


def trace_place(history: History, place: Place, *, head_sha: str, body: str) -> Traced:
    """What became of the commented line by the head, and how it read."""
    if not (history.has(place.sha) and history.has(head_sha)):
        return Traced(Evidence.UNKNOWN, "")
    fate = history.fate(place.path, place.sha, head_sha)
    lines = history.lines(place.sha, place.path) or ()
    text = lines[place.last - 1].strip() if place.last <= len(lines) else ""
    return Traced(decide_evidence(fate, first=place.first, last=place.last, body=body), text)


def read_signs(
    pull: HarvestedPull, comment_id: int | None, *, change: Evidence, thumbs: Mapping[int, Thumbs]
) -> Feedback:
    """The signs of one comment of ours. `comment_id` is None for what was held back, or never found again. Pure.

    A comment that does not stand on the pull request any more was deleted.
    """
    state = decide_state(pull)
    if comment_id is None:
        return Feedback(change=change, state=state)
    thread = next((one for one in pull.threads if one.root.comment_id == comment_id), None)
    if thread is None:
        return Feedback(change=change, state=state, gone=True)
    up, down = thumbs.get(comment_id, Thumbs())
    return Feedback(
        thumbs_up=up,
        thumbs_down=down,
        answers=count_answers(thread.comments[1:], pull.author.login),
        resolved=thread.is_resolved,
        resolved_by=_decide_part(thread, pull.author.login),
        change=change,
        state=state,
    )


def count_answers(replies: Sequence[HarvestedComment], author_login: str) -> Answers:
    """Of the author and of the team; machines, commands to us and passers-by do not count. Pure."""
    kinds = [
        decide_answer(reply.body)
        for reply in replies
        if parse_command(reply.body) is None
        and not decide_bot(reply.author.login, reply.author.kind)
        and (reply.author.login == author_login or reply.association in _TEAM)
    ]
    return Answers(
        acknowledged=kinds.count("acknowledged"),
        pushback=kinds.count("pushback"),
        question=kinds.count("question"),
        other=kinds.count("other"),
    )


def _decide_part(thread: HarvestedThread, author_login: str) -> Literal["author", "other"] | None:
    if thread.resolved_by is None:
        return None
    return "author" if thread.resolved_by == author_login else "other"
