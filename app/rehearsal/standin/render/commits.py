"""Commits and changed files: what git says, in GitHub's JSON."""

from urllib.parse import quote

from app.rehearsal.standin.git import Commit, FileChange, Signature
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.state import Repository, stamp

_UNSIGNED: Json = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def commit_json(base: str, repository: Repository, commit: Commit) -> Json:
    """Author and committer accounts are None: git's e-mail addresses name nobody here."""
    root = f"{base}/repos/{repository.full_name}"
    url = f"{root}/commits/{commit.sha}"
    return {
        "url": url,
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "html_url": _html(base, repository, commit.sha),
        "comments_url": f"{url}/comments",
        "commit": {
            "url": f"{root}/git/commits/{commit.sha}",
            "author": _person(commit.author),
            "committer": _person(commit.committer),
            "message": commit.message,
            "comment_count": 0,
            "tree": {"sha": commit.tree_sha, "url": f"{root}/git/trees/{commit.tree_sha}"},
            "verification": _UNSIGNED,
        },
        "author": None,
        "committer": None,
        "parents": [_parent(base, repository, sha) for sha in commit.parents],
    }


def committed_json(base: str, repository: Repository, commit: Commit) -> Json:
    """A commit as an entry of the timeline."""
    root = f"{base}/repos/{repository.full_name}"
    return {
        "event": "committed",
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "url": f"{root}/git/commits/{commit.sha}",
        "html_url": _html(base, repository, commit.sha),
        "author": _person(commit.author),
        "committer": _person(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree_sha, "url": f"{root}/git/trees/{commit.tree_sha}"},
        "parents": [_parent(base, repository, sha) for sha in commit.parents],
        "verification": _UNSIGNED,
    }


def file_json(base: str, repository: Repository, change: FileChange, head_sha: str) -> Json:
    html = f"{base}/{repository.full_name}"
    shown: Json = {
        "sha": change.blob_sha,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{html}/blob/{head_sha}/{quote(change.path)}",
        "raw_url": f"{html}/raw/{head_sha}/{quote(change.path)}",
        "contents_url": f"{base}/repos/{repository.full_name}/contents/{quote(change.path)}?ref={head_sha}",
    }
    if change.patch is not None:
        shown["patch"] = change.patch
    if change.previous_path is not None:
        shown["previous_filename"] = change.previous_path
    return shown


def _person(who: Signature) -> Json:
    return {"name": who.name, "email": who.email, "date": stamp(who.at)}


def _parent(base: str, repository: Repository, sha: str) -> Json:
    url = f"{base}/repos/{repository.full_name}/commits/{sha}"
    return {"sha": sha, "url": url, "html_url": _html(base, repository, sha)}


def _html(base: str, repository: Repository, sha: str) -> str:
    return f"{base}/{repository.full_name}/commit/{sha}"
