"""Repositories and labels, in the three spellings GitHub has: lists, `GET /repos/…` and webhooks."""

from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.people import user_json
from app.rehearsal.standin.state import Label, Repository, stamp

_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def repository_json(base: str, repository: Repository) -> Json:
    url = f"{base}/repos/{repository.full_name}"
    html = f"{base}/{repository.full_name}"
    moments = {name: stamp(repository.created_at) for name in ("created_at", "updated_at", "pushed_at")}
    return _identity(repository) | {
        "owner": user_json(base, repository.owner),
        "html_url": html,
        "url": url,
        "git_url": f"git:{html.split(':', 1)[1]}.git",
        "ssh_url": f"git@127.0.0.1:{repository.full_name}.git",
        "clone_url": f"{html}.git",
        "svn_url": html,
        **{name: f"{url}{path}" for name, path in _LINKS.items()},
        **moments,
        **_constants(repository),
    }


def full_repository_json(base: str, repository: Repository) -> Json:
    return repository_json(base, repository) | {"subscribers_count": 0, "network_count": 0, "has_discussions": False}


def webhook_repository_json(base: str, repository: Repository) -> Json:
    return repository_json(base, repository) | {"custom_properties": {}}


def minimal_repository_json(repository: Repository) -> Json:
    """The five fields of an installation's webhook."""
    return {key: value for key, value in _identity(repository).items() if key in _MINIMAL}


_MINIMAL = ("id", "node_id", "name", "full_name", "private")


def label_json(base: str, repository: Repository, label: Label) -> Json:
    return {
        "id": label.id,
        "node_id": f"LA_{label.id}",
        "url": f"{base}/repos/{repository.full_name}/labels/{label.name.replace(' ', '%20')}",
        "name": label.name,
        "color": label.color,
        "default": False,
        "description": label.description,
    }


def _identity(repository: Repository) -> Json:
    return {
        "id": repository.id,
        "node_id": repository.node_id,
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "description": None,
        "default_branch": repository.default_branch,
        "visibility": "private" if repository.private else "public",
    }


def _constants(repository: Repository) -> Json:
    opened = sum(pull.state == "open" for pull in repository.pulls.values())
    return {
        "fork": False,
        "homepage": None,
        "size": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": True,
        "has_projects": False,
        "has_downloads": False,
        "has_wiki": False,
        "has_pages": False,
        "forks_count": 0,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": opened,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "forks": 0,
        "open_issues": opened,
        "watchers": 0,
    }
