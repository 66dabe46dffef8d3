"""Reading pull requests: their files, commits, comments, labels and timeline; comparing commits."""

from app.rehearsal.standin.answers import Answer, Listing, Refusal, not_found
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.commits import commit_json, committed_json, file_json
from app.rehearsal.standin.render.people import permission_json
from app.rehearsal.standin.render.pulls import event_json, full_pull_json, pull_json, review_json
from app.rehearsal.standin.render.repositories import label_json
from app.rehearsal.standin.routing import Call, Route, positive
from app.rehearsal.standin.state import PullRequest

_FILES, _COMMITS, _COMPARED_FILES = 3_000, 250, 300


def _pulls(call: Call) -> Listing:
    """Newest first; `state`, `sort` (created, updated), `direction`, `head` and `base` as GitHub reads them."""
    repository, query = call.repository, call.query
    state = query.get("state", "open")
    chosen = [pull for pull in repository.pulls.values() if state in ("all", pull.state) and _asked_for(call, pull)]
    by_update = query.get("sort") == "updated"
    ascending = query.get("direction", "asc" if "sort" in query and not by_update else "desc") == "asc"
    chosen.sort(key=lambda pull: (pull.updated_at if by_update else pull.created_at, pull.number))
    shown = chosen if ascending else chosen[::-1]
    return Listing([pull_json(call.site.base_url, repository, pull) for pull in shown])


def _asked_for(call: Call, pull: PullRequest) -> bool:
    head, base = call.query.get("head"), call.query.get("base")
    label = f"{call.repository.owner.login}:{pull.head_ref}"
    return head in (None, label) and base in (None, pull.base_ref)


def _pull(call: Call) -> Answer:
    return Answer(200, full_pull_json(call.site.base_url, call.repository, call.pull))


def _files(call: Call) -> Listing:
    repository, pull = call.repository, call.pull
    changes = repository.git.pull_changes(pull.base_sha, pull.head_sha)[:_FILES]
    return Listing([file_json(call.site.base_url, repository, change, pull.head_sha) for change in changes])


def _commits(call: Call) -> Listing:
    repository, pull = call.repository, call.pull
    commits = repository.git.commits(pull.base_sha, pull.head_sha)[:_COMMITS]
    return Listing([commit_json(call.site.base_url, repository, commit) for commit in commits])


def _permission(call: Call) -> Answer:
    """The role of a person now. Whoever is no collaborator of a public repository may read it."""
    repository = call.repository
    user = call.site.users.get(call.path["username"])
    if user is None:
        raise Refusal(404, f"{call.path['username']} is not a user")
    role = "admin" if user is repository.owner else repository.collaborators.get(user.login)
    return Answer(200, permission_json(call.site.base_url, user, role or ("none" if repository.private else "read")))


def _labels(call: Call) -> Listing:
    repository, pull = call.repository, call.pull
    return Listing([label_json(call.site.base_url, repository, label) for label in pull.labels])


def _timeline(call: Call) -> Listing:
    """Commits first, then what happened, by time."""
    base, repository, pull = call.site.base_url, call.repository, call.pull
    commits = repository.git.commits(pull.base_sha, pull.head_sha)
    events = [(event.at, event_json(base, repository, event)) for event in pull.events]
    reviews = [
        (review.submitted_at, review_json(base, repository, pull, review) | _reviewed(review.state))
        for review in pull.reviews
        if review.submitted_at is not None
    ]
    happened = sorted(events + reviews, key=lambda entry: entry[0])
    return Listing([*(committed_json(base, repository, one) for one in commits), *(shown for _, shown in happened)])


def _reviewed(state: str) -> Json:
    return {"event": "reviewed", "state": state.lower()}


def _compare(call: Call) -> Answer:
    """Commits of the head that the base has not, and the diff from their merge base. Files come with page 1 only."""
    repository, base = call.repository, call.site.base_url
    before, fork, after = _compared(call)
    ahead, behind = repository.git.commits(before, after), repository.git.commits(after, before)
    page = positive(call.query.get("page"), 1)
    size = min(100, positive(call.query.get("per_page"), 100)) if page > 1 or "per_page" in call.query else _COMMITS
    commits = ahead[(page - 1) * size : page * size]
    files = repository.git.changes(fork, after)[:_COMPARED_FILES] if page == 1 else ()
    html = f"{base}/{repository.full_name}/compare/{call.path['basehead']}"
    body: Json = {
        "url": f"{base}/repos/{repository.full_name}/compare/{call.path['basehead']}",
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": commit_json(base, repository, repository.git.commit(before)),
        "merge_base_commit": commit_json(base, repository, repository.git.commit(fork)),
        "status": _status(len(ahead), len(behind)),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [commit_json(base, repository, commit) for commit in commits],
        "files": [file_json(base, repository, change, after) for change in files],
    }
    return Answer(200, body)


def _compared(call: Call) -> tuple[str, str, str]:
    """Base, merge base and head of `base...head`.

    Raises:
        Refusal: 404 when one is unknown or they have no commit in common.
    """
    git = call.repository.git
    one, _, other = call.path["basehead"].partition("...")
    before, after = (git.resolve(revision) if revision else None for revision in (one, other))
    fork = git.merge_base(before, after) if before and after else None
    if before is None or after is None or fork is None:
        raise not_found()
    return before, fork, after


def _status(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"


_REPO = "/repos/{owner}/{repo}"
_PULL = _REPO + "/pulls/{pull_number}"
_READ = ("pull_requests", "read")
ROUTES = (
    Route("GET", _REPO + "/pulls", _pulls, needs=_READ),
    Route("GET", _PULL, _pull, needs=_READ),
    Route("GET", _PULL + "/files", _files, needs=_READ),
    Route("GET", _PULL + "/commits", _commits, needs=_READ),
    Route("GET", _REPO + "/collaborators/{username}/permission", _permission, needs=("metadata", "read")),
    Route("GET", _REPO + "/issues/{issue_number}/labels", _labels, needs=_READ),
    Route("GET", _REPO + "/issues/{issue_number}/timeline", _timeline, needs=_READ),
    Route("GET", _REPO + "/compare/{basehead}", _compare, needs=("contents", "read")),
)
