"""Writing contents: branches, files on them, and the pull request of a branch. What an App may do with
`contents: write`."""

import base64
import binascii
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.rehearsal.standin.answers import Answer, Refusal, not_found
from app.rehearsal.standin.git import Signature
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.commits import commit_json
from app.rehearsal.standin.render.pulls import full_pull_json
from app.rehearsal.standin.routing import Call, Route
from app.rehearsal.standin.state import PullRequest, Repository

_BRANCH = "refs/heads/"


class _Ref(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    ref: str
    sha: str


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    message: str
    content: str
    branch: str | None = None
    sha: str | None = None


class _NewPull(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    title: str
    head: str
    base: str
    body: str | None = None
    draft: bool = False


def _ref(call: Call) -> Answer:
    """Of a branch, as `heads/NAME`."""
    name = f"refs/{call.path['ref']}"
    sha = call.repository.git.resolve(name)
    if sha is None:
        raise not_found()
    return Answer(200, _ref_json(call, name, sha))


def _create_ref(call: Call) -> Answer:
    repository, given = call.repository, call.parse(_Ref)
    if not given.ref.startswith("refs/") or given.ref.count("/") < 2:
        raise Refusal(422, "Reference name must start with 'refs/' and have at least two slashes.")
    if repository.git.resolve(given.sha) is None:
        raise Refusal(422, "Object does not exist")
    if repository.git.resolve(given.ref) is not None:
        raise Refusal(422, "Reference already exists")
    repository.git.set_ref(given.ref, given.sha)
    return Answer(201, _ref_json(call, given.ref, given.sha))


def _ref_json(call: Call, ref: str, sha: str) -> Json:
    root = f"{call.site.base_url}/repos/{call.repository.full_name}/git"
    return {
        "ref": ref,
        "node_id": f"REF_{ref}",
        "url": f"{root}/{ref}",
        "object": {"type": "commit", "sha": sha, "url": f"{root}/commits/{sha}"},
    }


def _put_file(call: Call) -> Answer:
    """One commit with one file, by the App. A file that is there needs the `sha` of what it replaces."""
    repository, given, path = call.repository, call.parse(_File), call.path["path"]
    branch = given.branch or repository.default_branch
    standing = repository.git.resolve(_BRANCH + branch)
    if standing is None:
        raise Refusal(404, f"Branch {branch} not found")
    if path.startswith(".github/workflows/"):
        raise Refusal(403, "Resource not accessible by integration")
    before = repository.git.blob(f"{standing}:{path}")
    if before is not None and given.sha is None:
        raise Refusal(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if before is not None and given.sha != before[0]:
        raise Refusal(409, f"{path} does not match {given.sha}")
    try:
        content = base64.b64decode(given.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(422, "content is not valid Base64") from error
    who = Signature(call.site.bot.login, f"{call.site.bot.login}@users.noreply.invalid", call.site.clock())
    sha = repository.git.commit_file(branch, path, content, given.message, who)
    shown = commit_json(call.site.base_url, repository, repository.git.commit(sha))
    commit = {key: shown[key] for key in ("sha", "node_id", "url", "html_url", "parents")} | {
        key: shown["commit"][key] for key in ("author", "committer", "message", "tree", "verification")
    }
    body = {"content": _content_json(call, repository, path, f"{branch}:{path}", content), "commit": commit}
    return Answer(200 if before else 201, body)


def _content_json(call: Call, repository: Repository, path: str, revision: str, content: bytes) -> Json:
    root, html = f"{call.site.base_url}/repos/{repository.full_name}", f"{call.site.base_url}/{repository.full_name}"
    found = repository.git.blob(revision)
    sha = "" if found is None else found[0]
    links = {
        "self": f"{root}/contents/{path}",
        "git": f"{root}/git/blobs/{sha}",
        "html": f"{html}/blob/{revision.split(':', maxsplit=1)[0]}/{path}",
    }
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": sha,
        "size": len(content),
        "url": links["self"],
        "html_url": links["html"],
        "git_url": links["git"],
        "download_url": f"{html}/raw/{path}",
        "type": "file",
        "_links": links,
    }


def _create_pull(call: Call) -> Answer:
    """Of a branch of this repository. GitHub allows one open pull request of a branch into another."""
    repository, given = call.repository, call.parse(_NewPull)
    branch = given.head.removeprefix(f"{repository.owner.login}:")
    head, base = (repository.git.resolve(_BRANCH + name) for name in (branch, given.base))
    invalid: list[dict[str, Any]] = [
        {"resource": "PullRequest", "field": field, "code": "invalid"}
        for field, sha in (("head", head), ("base", base))
        if sha is None
    ]
    if invalid:
        raise Refusal(422, "Validation Failed", invalid)
    if any(_stands(pull, branch, given.base) for pull in repository.pulls.values()):
        raise _refuse_pull(f"A pull request already exists for {repository.owner.login}:{branch}.")
    if not repository.git.commits(str(base), str(head)):
        raise _refuse_pull(f"No commits between {given.base} and {branch}")
    number = call.site.open_pull(repository, call.site.bot, given.title, given.body, branch)
    call.pull_number = number
    return Answer(201, full_pull_json(call.site.base_url, repository, repository.pulls[number]))


def _stands(pull: PullRequest, head: str, base: str) -> bool:
    return pull.state == "open" and (pull.head_ref, pull.base_ref) == (head, base)


def _refuse_pull(message: str) -> Refusal:
    return Refusal(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


_REPO = "/repos/{owner}/{repo}"
_WRITE = ("contents", "write")
ROUTES = (
    Route("GET", _REPO + "/git/ref/{ref}", _ref, needs=("contents", "read")),
    Route("POST", _REPO + "/git/refs", _create_ref, needs=_WRITE, creates_content=True),
    Route("PUT", _REPO + "/contents/{path}", _put_file, needs=_WRITE, creates_content=True),
    Route("POST", _REPO + "/pulls", _create_pull, needs=("pull_requests", "write"), creates_content=True),
)
