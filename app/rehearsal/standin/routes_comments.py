"""Comments over REST: on the pull request as a whole, and answers on review threads."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.rehearsal.standin.answers import Answer, Listing, Refusal, not_found, unprocessable
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.pulls import comment_json, issue_comment_json, reaction_json
from app.rehearsal.standin.reviewing import BODY_LIMIT
from app.rehearsal.standin.routing import Call, Route
from app.rehearsal.standin.state import Comment, IssueComment, PullRequest, Reaction, Review, Thread


class Written(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    body: str


def _text(call: Call, refuse: Callable[[str], Refusal]) -> str:
    """Raises:
    Refusal: 422 in the route's own form.
    """
    body = call.parse(Written).body
    if not body.strip():
        raise refuse("Body cannot be blank")
    if len(body) > BODY_LIMIT:
        raise refuse(f"body is too long (maximum is {BODY_LIMIT} characters)")
    return body


def _invalid(message: str) -> Refusal:
    """As the routes for comments on the whole pull request say it: naming the field."""
    error = {"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": message}
    return Refusal(422, "Validation Failed", [error])


def _shown(call: Call, pull: PullRequest, comment: IssueComment) -> Json:
    return issue_comment_json(call.site.base_url, call.repository, pull, comment)


def _is_since(call: Call, comment: Comment | IssueComment) -> bool:
    """Whether `since` leaves a comment in: it leaves out what was last changed before it."""
    if "since" not in call.query:
        return True
    try:
        since = datetime.fromisoformat(call.query["since"])
    except ValueError as error:
        raise Refusal(422, "Invalid request. `since` is not a timestamp") from error
    return comment.updated_at.replace(microsecond=0) >= since


def _list(call: Call) -> Listing:
    """Oldest first."""
    return Listing([_shown(call, call.pull, one) for one in call.pull.conversation if _is_since(call, one)])


def _list_all(call: Call) -> Listing:
    """Of the whole repository, oldest first."""
    pulls = call.repository.pulls.values()
    rows = sorted(((pull, one) for pull in pulls for one in pull.conversation), key=lambda row: row[1].id)
    return Listing([_shown(call, pull, one) for pull, one in rows if _is_since(call, one)])


def _list_reviewing(call: Call) -> Listing:
    """Comments on lines, of one pull request or of the whole repository, oldest first."""
    repository, site = call.repository, call.site
    pulls = [call.pull] if "pull_number" in call.path else list(repository.pulls.values())
    rows = [(pull, thread, one) for pull in pulls for thread, one in pull.comments() if _is_since(call, one)]
    return Listing([comment_json(site.base_url, repository, pull, thread, one) for pull, thread, one in rows])


class Reacted(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    content: Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]


def _react(call: Call) -> Answer:
    return _add_reaction(call, _find(call)[1])


def _react_reviewing(call: Call) -> Answer:
    return _add_reaction(call, _find_reviewing(call)[2])


def _reactions_reviewing(call: Call) -> Listing:
    """Oldest first, of one kind where `content` asks for it."""
    comment, site = _find_reviewing(call)[2], call.site
    own = [Reaction(number, site.bot, content) for content, number in comment.own_reactions.items()]
    found = sorted([*own, *comment.reacted], key=lambda one: one.id)
    wanted = call.query.get("content")
    return Listing([reaction_json(site.base_url, comment, one) for one in found if wanted in (None, one.content)])


def _find_reviewing(call: Call) -> tuple[PullRequest, Thread, Comment]:
    number = call.number("comment_id")
    rows = ((pull, *row) for pull in call.repository.pulls.values() for row in pull.comments())
    found = next((row for row in rows if row[2].id == number), None)
    if found is None:
        raise not_found()
    call.pull_number = found[0].number
    return found


def _update_reviewing(call: Call) -> Answer:
    """Only its own, as with comments on a whole pull request. GitHub tells everyone of the change, the App too."""
    site, (pull, thread, comment) = call.site, _find_reviewing(call)
    if comment.author is not site.bot:
        raise Refusal(403, "Resource not accessible by integration")
    before, comment.body = comment.body, _text(call, unprocessable)
    comment.editor, comment.edited_at, comment.updated_at = site.bot, site.clock(), site.clock()
    changes = {"body": {"from": before}}
    site.emit_comment(call.repository, pull, thread, comment, action="edited", sender=site.bot, changes=changes)
    return Answer(200, comment_json(site.base_url, call.repository, pull, thread, comment))


def _add_reaction(call: Call, comment: Comment | IssueComment) -> Answer:
    """201 for a new one, 200 for one that was there: one of a kind for each who reacts."""
    content = call.parse(Reacted).content
    is_new = content not in comment.own_reactions
    if is_new:
        comment.own_reactions[content] = call.site.new_id()
        comment.reactions[content] += 1
    own = Reaction(comment.own_reactions[content], call.site.bot, content)
    return Answer(201 if is_new else 200, reaction_json(call.site.base_url, comment, own))


def _create(call: Call) -> Answer:
    now = call.site.clock()
    comment = IssueComment(call.site.new_id(), call.site.bot, _text(call, _invalid), now, now)
    call.pull.conversation.append(comment)
    return Answer(201, _shown(call, call.pull, comment))


def _find(call: Call) -> tuple[PullRequest, IssueComment]:
    number = call.number("comment_id")
    for pull in call.repository.pulls.values():
        for comment in pull.conversation:
            if comment.id == number:
                call.pull_number = pull.number
                return pull, comment
    raise not_found()


def _get(call: Call) -> Answer:
    return Answer(200, _shown(call, *_find(call)))


def _update(call: Call) -> Answer:
    """Only its own: a token may not put words into another's mouth."""
    pull, comment = _find(call)
    if comment.author is not call.site.bot:
        raise Refusal(403, "Resource not accessible by integration")
    comment.body, comment.updated_at = _text(call, _invalid), call.site.clock()
    return Answer(200, _shown(call, pull, comment))


def _reply(call: Call) -> Answer:
    """To the first comment of a thread only, as GitHub has it."""
    pull, number = call.pull, call.number("comment_id")
    thread = next((one for one in pull.visible_threads() if one.root.id == number), None)
    if thread is None:
        raise not_found()
    comment = _answer(call, pull, thread)
    return Answer(201, comment_json(call.site.base_url, call.repository, pull, thread, comment))


def _answer(call: Call, pull: PullRequest, thread: Thread) -> Comment:
    site, body, root = call.site, _text(call, unprocessable), thread.root
    now = site.clock()
    review = Review(site.new_id(), site.bot, "COMMENTED", "", root.commit_sha, now, submitted_at=now)
    pull.reviews.append(review)
    comment = Comment(
        id=site.new_id(),
        review=review,
        author=site.bot,
        body=body,
        commit_sha=root.commit_sha,
        diff_hunk=root.diff_hunk,
        original_position=root.original_position,
        created_at=now,
        updated_at=now,
        in_reply_to=root.id,
    )
    thread.comments.append(comment)
    site.emit_review(call.repository, pull, review)
    return comment


_ISSUES = "/repos/{owner}/{repo}/issues"
_PULLS = "/repos/{owner}/{repo}/pulls"
_REPLIES = "/repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies"
_READ, _WRITE = ("pull_requests", "read"), ("pull_requests", "write")
ROUTES = (
    Route("GET", _ISSUES + "/{issue_number}/comments", _list, needs=_READ),
    Route("POST", _ISSUES + "/{issue_number}/comments", _create, needs=_WRITE, creates_content=True),
    Route("GET", _ISSUES + "/comments/{comment_id}", _get, needs=_READ),
    Route("PATCH", _ISSUES + "/comments/{comment_id}", _update, needs=_WRITE),
    Route("GET", _ISSUES + "/comments", _list_all, needs=_READ),
    Route("POST", _ISSUES + "/comments/{comment_id}/reactions", _react, needs=_WRITE),
    Route("GET", _PULLS + "/comments", _list_reviewing, needs=_READ),
    Route("GET", _PULLS + "/{pull_number}/comments", _list_reviewing, needs=_READ),
    Route("PATCH", _PULLS + "/comments/{comment_id}", _update_reviewing, needs=_WRITE),
    Route("GET", _PULLS + "/comments/{comment_id}/reactions", _reactions_reviewing, needs=_READ),
    Route("POST", _PULLS + "/comments/{comment_id}/reactions", _react_reviewing, needs=_WRITE),
    Route("POST", _REPLIES, _reply, needs=_WRITE, creates_content=True),
)
