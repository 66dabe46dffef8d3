"""What curation writes on GitHub: an answer to each command that asks for one, one summary on a merged pull request.

GitHub has no idempotency key for comments, so each carries a hidden marker and is looked for before it is written:
after a crash, and after a 502 that may have come too late, it is found and not written again. One workflow at a time
runs per installation.
"""

import asyncio

from app.curation.accounts import PullAccount, load_account
from app.curation.messages import SUMMARY_MARKER, render_answer_marker, render_help, render_summary, render_why
from app.curation.people import People
from app.curation.recording import Scope
from app.curation.words import SaidCommand, is_ours, select_commands
from app.domain.commands import Verb
from app.github.harvested import HarvestedPull
from app.store.database import reading
from app.workflows.context import services
from app.workflows.engine import step


def select_unanswered(pull: HarvestedPull, app_slug: str) -> tuple[SaidCommand, ...]:
    """Questions that curation answers and that have no answer on their thread. What is asked of our own comments, and
    every other command, is app/workflows/commanding.py's. Pure."""
    own_threads = {thread.root.comment_id for thread in pull.threads if is_ours(thread.root.author, app_slug)}
    ours = "\n".join(
        comment.body for thread in pull.threads for comment in thread.comments if is_ours(comment.author, app_slug)
    )
    return tuple(
        one
        for one in select_commands(pull, app_slug)
        if (one.command.verb is Verb.UNKNOWN or (one.command.verb is Verb.WHY and one.root_id not in own_threads))
        and render_answer_marker(one.comment_id) not in ours
    )


@step()
async def answer_commands(installation_id: int, repository: str, number: int) -> int:
    """Returns how many answers were written. People without write access get none."""
    github = services().github(installation_id)
    pull = await github.fetch_harvest(repository, number)
    unanswered = select_unanswered(pull, services().host_of(installation_id).app_slug)
    people = People(github, repository)
    await people.ask((one.author, one.association) for one in unanswered)
    entitled = [one for one in unanswered if people.actor(one.author).may_decide]
    if not entitled:
        return 0
    account = await asyncio.to_thread(_load, installation_id, repository, number)
    for one in entitled:
        await github.reply_to_review_comment(repository, number, one.root_id, _render(one, account))
    return len(entitled)


def _render(one: SaidCommand, account: PullAccount) -> str:
    if one.command.verb is Verb.UNKNOWN:
        return render_help(one.comment_id)
    found = next((item for item in account.candidates if item.comment_id == one.root_id), None)
    return render_why(one.comment_id, found, is_private=account.is_private)


@step()
async def publish_summary(installation_id: int, repository: str, number: int) -> str:
    """Write the summary comment, or bring it up to date. Returns created, updated, unchanged or nothing.

    A private pull request gets none; where there is one already, it says so from then on.
    """
    github = services().github(installation_id)
    account = await asyncio.to_thread(_load, installation_id, repository, number)
    body = render_summary(account)
    listed = await github.list_issue_comments(repository, number, since=await github.fetch_installed_at())
    app_slug = services().host_of(installation_id).app_slug
    own = (one for one in listed if is_ours(one.author, app_slug) and SUMMARY_MARKER in one.body)
    standing = next(own, None)
    if standing is None:
        if not any(one.rejection is None for one in account.candidates):
            return "nothing"
        await github.create_issue_comment(repository, number, body)
        return "created"
    if standing.body == body:
        return "unchanged"
    await github.update_issue_comment(repository, standing.comment_id, body)
    return "updated"


def _load(installation_id: int, repository: str, number: int) -> PullAccount:
    with reading(services().database) as session:
        return load_account(session, Scope(installation_id=installation_id, repository=repository, number=number))
