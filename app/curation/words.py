"""What was said on a pull request that bears on its Examples: labels, commands, and since when each content stands."""

from datetime import datetime, timedelta

from app.curation.decision import LabelState, ThreadCommand
from app.curation.people import People
from app.domain.base import Record
from app.domain.commands import Command, Verb, parse_command
from app.domain.examples import Example
from app.domain.tenants import bot_login
from app.github.harvested import Account, HarvestedComment, HarvestedPull, HarvestedThread
from app.github.listed import Timeline

#: GitHub tells whole seconds: what happened in the same second may have happened after.
TICK = timedelta(seconds=1)


class SaidCommand(Record):
    """A command as it stands on a thread now."""

    root_id: int
    comment_id: int
    command: Command
    author: Account
    association: str
    at: datetime
    editor: str | None


def is_ours(account: Account, app_slug: str) -> bool:
    """By either of the names that GitHub has for a bot."""
    return account.kind == "Bot" and account.login in (app_slug, bot_login(app_slug))


def select_commands(pull: HarvestedPull, app_slug: str) -> tuple[SaidCommand, ...]:
    """Every command on the pull request's threads, oldest first. Our own say nothing, and of hidden ones only `drop`
    does: who may hide a comment need not have write access, so it lifts no rejection. Deleting or changing does."""
    return tuple(
        _said(thread, comment, command)
        for thread in pull.threads
        for comment in sorted(thread.comments, key=lambda one: (one.created_at, one.comment_id))
        if not is_ours(comment.author, app_slug)
        if (command := parse_command(comment.body)) is not None
        if not comment.is_minimized or command.verb is Verb.DROP
    )


def _said(thread: HarvestedThread, comment: HarvestedComment, command: Command) -> SaidCommand:
    by_another = comment.editor is not None and comment.editor.login != comment.author.login
    return SaidCommand(
        root_id=thread.root.comment_id,
        comment_id=comment.comment_id,
        command=command,
        author=comment.author,
        association=comment.association,
        at=comment.stands_since,
        editor=comment.editor.login if comment.editor is not None and by_another else None,
    )


def read_thread_commands(said: tuple[SaidCommand, ...], people: People) -> dict[int, tuple[ThreadCommand, ...]]:
    """`keep` and `drop` by the thread's first comment, in the order in which they came to say so."""
    found: dict[int, list[ThreadCommand]] = {}
    for one in sorted(said, key=lambda item: (item.at, item.comment_id)):
        verb = one.command.verb
        if verb is Verb.KEEP or verb is Verb.DROP:
            found.setdefault(one.root_id, []).append(
                ThreadCommand(
                    comment_id=one.comment_id,
                    verb="keep" if verb is Verb.KEEP else "drop",
                    reason=one.command.reason,
                    actor=people.actor(one.author),
                    at=one.at,
                    editor=one.editor,
                )
            )
    return {root_id: tuple(commands) for root_id, commands in found.items()}


def read_label(label: str, present: tuple[str, ...], timeline: Timeline, people: People) -> LabelState:
    """Whether a label is on, and whose act that is. An absent one that nobody took off was renamed or
    deleted."""
    is_on = label in present
    acts = [event for event in timeline.labels if event.label == label]
    set_last = next((event for event in reversed(acts) if event.act == "labeled"), None)
    last = set_last if is_on else next(iter(acts[-1:]), None)
    if last is None or (not is_on and last.act == "labeled"):
        return LabelState(label=label, is_on=is_on, actor=None)
    return LabelState(label=label, is_on=is_on, actor=people.actor(last.actor), at=last.created_at)


def decide_head_since(pull: HarvestedPull, seen_at: datetime | None, timeline: Timeline) -> datetime:
    """Since when the code is surely what was merged.

    The merge is sure. Earlier, `seen_at`: when we first saw this very head, unless a force-push came later, which may
    have gone elsewhere and back. GitHub tells no time of an ordinary push, and commits carry whatever time they like.
    """
    merged_at = pull.merged_at or datetime.max.replace(tzinfo=pull.created_at.tzinfo)
    if seen_at is None:
        return merged_at
    forced = [moment + TICK for moment in timeline.force_pushed_at]
    return min(merged_at, max([seen_at, *forced]))


def decide_described_since(pull: HarvestedPull, head_since: datetime, timeline: Timeline) -> datetime:
    """The first moment at which a person could have seen the title, the body and the diff as they are now."""
    edited = [] if pull.edited_at is None else [pull.edited_at]
    return max([head_since, *(moment + TICK for moment in (*edited, *timeline.renamed_at))])


def decide_since(example: Example, pull: HarvestedPull, head_since: datetime) -> datetime:
    """The first moment at which a person could have seen all that an Example holds.

    It holds its own comment's words, the code at the head, and which lines of the hunk were commented on by others.
    """
    said = [
        (root.stands_since if root.comment_id == example.comment_id else root.created_at) + TICK
        for root in (thread.root for thread in pull.threads if thread.path == example.path)
        if root.author.login != pull.author.login
    ]
    return max([head_since, *said])
