"""Reviews over REST: pending first, then submitted, or thrown away."""

from app.rehearsal.standin import reviewing
from app.rehearsal.standin.answers import Answer, Listing, not_found
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.pulls import comment_json, review_json
from app.rehearsal.standin.routing import Call, Route
from app.rehearsal.standin.state import Review


def _find(call: Call) -> Review:
    """A review the App may see: pending ones are their author's only."""
    number, bot = call.number("review_id"), call.site.bot
    for review in call.pull.reviews:
        if review.id == number and (review.state != "PENDING" or review.author is bot):
            return review
    raise not_found()


def _shown(call: Call, review: Review) -> Json:
    return review_json(call.site.base_url, call.repository, call.pull, review)


def _reviews(call: Call) -> Listing:
    mine = call.site.bot
    seen = [one for one in call.pull.reviews if one.state != "PENDING" or one.author is mine]
    return Listing([_shown(call, review) for review in seen])


def _create(call: Call) -> Answer:
    draft = call.parse(reviewing.DraftReview)
    review = reviewing.create_review(call.site, call.repository, call.pull, call.site.bot, draft)
    return Answer(200, _shown(call, review))


def _get(call: Call) -> Answer:
    return Answer(200, _shown(call, _find(call)))


def _submit(call: Call) -> Answer:
    review = _find(call)
    event = call.parse(reviewing.SubmittedEvent)
    reviewing.submit_review(call.site, call.repository, call.pull, review, event)
    return Answer(200, _shown(call, review))


def _delete(call: Call) -> Answer:
    review = _find(call)
    shown = _shown(call, review)
    reviewing.delete_review(call.pull, review)
    return Answer(200, shown)


def _comments(call: Call) -> Listing:
    review = _find(call)
    rows = [row for row in call.pull.comments(pending=True) if row[1].review is review]
    site = call.site
    return Listing([comment_json(site.base_url, call.repository, call.pull, thread, one) for thread, one in rows])


_REVIEWS = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"
_REVIEW = _REVIEWS + "/{review_id}"
_READ, _WRITE = ("pull_requests", "read"), ("pull_requests", "write")
ROUTES = (
    Route("GET", _REVIEWS, _reviews, needs=_READ),
    Route("POST", _REVIEWS, _create, needs=_WRITE, creates_content=True),
    Route("GET", _REVIEW, _get, needs=_READ),
    Route("DELETE", _REVIEW, _delete, needs=_WRITE),
    Route("POST", _REVIEW + "/events", _submit, needs=_WRITE, creates_content=True),
    Route("GET", _REVIEW + "/comments", _comments, needs=_READ),
)
