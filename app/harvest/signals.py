"""What happened around each comment: read anew at each harvest, kept beside the Example. Pure."""

from typing import Literal

from app.domain.commands import parse_command
from app.domain.examples import Example
from app.domain.noise import decide_bot
from app.domain.signals import Replies, Signals, decide_reply
from app.github.harvested import HarvestedComment, HarvestedPull, HarvestedThread


def read_signals(pull: HarvestedPull, examples: tuple[Example, ...]) -> dict[str, Signals]:
    """By Example hash; silent hunks have none."""
    threads = {thread.root.comment_id: thread for thread in pull.threads}
    return {
        example.hash: decide_signals(threads[example.comment_id], pull.author.login)
        for example in examples
        if example.comment_id in threads
    }


def decide_signals(thread: HarvestedThread, author_login: str) -> Signals:
    return Signals(
        resolved=thread.is_resolved,
        resolved_by=_decide_part(thread, author_login),
        outdated=thread.is_outdated,
        reactions=thread.root.reactions,
        replies=_count_replies(thread.comments[1:], author_login),
        reviewer_association=thread.root.association,
    )


def _decide_part(thread: HarvestedThread, author_login: str) -> Literal["author", "reviewer", "other"] | None:
    if thread.resolved_by is None:
        return None
    parts: dict[str, Literal["author", "reviewer"]] = {thread.root.author.login: "reviewer", author_login: "author"}
    return parts.get(thread.resolved_by, "other")


def _count_replies(replies: tuple[HarvestedComment, ...], author_login: str) -> Replies:
    """Replies of people; what is said to us, and by machines, is no part of the discussion."""
    spoken = [
        reply
        for reply in replies
        if parse_command(reply.body) is None and not decide_bot(reply.author.login, reply.author.kind)
    ]
    kinds = [decide_reply(reply.body) for reply in spoken if reply.author.login == author_login]
    return Replies(count=len(spoken), author_done=kinds.count("done"), author_pushback=kinds.count("pushback"))
