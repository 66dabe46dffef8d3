"""Users, the App and its installation."""

from datetime import datetime

from app.rehearsal.standin.render import Json
from app.rehearsal.standin.state import Repository, User, stamp

_ROLES = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "none": "none"}
_RANKS = ("read", "triage", "write", "maintain", "admin")


def user_json(base: str, user: User) -> Json:
    url = f"{base}/users/{user.login}"
    return {
        "login": user.login,
        "id": user.id,
        "node_id": user.node_id,
        "avatar_url": f"{base}/avatars/u/{user.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{base}/{user.login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": user.kind,
        "site_admin": False,
    }


def permission_json(base: str, user: User, role: str) -> Json:
    """What `collaborators/{login}/permission` says: the old four words and the exact role."""
    rank = _RANKS.index(role) if role in _RANKS else -1
    permissions = {
        "pull": rank >= 0,
        "triage": rank >= 1,
        "push": rank >= 2,
        "maintain": rank >= 3,
        "admin": rank >= 4,
    }
    person = user_json(base, user) | {"permissions": permissions, "role_name": role}
    return {"permission": _ROLES[role], "role_name": role, "user": person}


def app_json(
    base: str, *, app_id: int, slug: str, name: str, owner: User, permissions: dict[str, str], events: list[str]
) -> Json:
    born = "2024-01-01T00:00:00Z"
    return {
        "id": app_id,
        "slug": slug,
        "client_id": f"Iv23li{app_id:014d}",
        "node_id": f"A_{app_id}",
        "owner": user_json(base, owner),
        "name": name,
        "description": None,
        "external_url": f"{base}/apps/{slug}",
        "html_url": f"{base}/apps/{slug}",
        "created_at": born,
        "updated_at": born,
        "permissions": permissions,
        "events": events,
    }


def installation_json(
    base: str,
    *,
    installation_id: int,
    app_id: int,
    slug: str,
    account: User,
    permissions: dict[str, str],
    events: list[str],
    created_at: datetime,
    suspended_by: User | None,
    suspended_at: datetime | None,
) -> Json:
    return {
        "id": installation_id,
        "account": user_json(base, account),
        "repository_selection": "all",
        "access_tokens_url": f"{base}/app/installations/{installation_id}/access_tokens",
        "repositories_url": f"{base}/installation/repositories",
        "html_url": f"{base}/settings/installations/{installation_id}",
        "app_id": app_id,
        "app_slug": slug,
        "target_id": account.id,
        "target_type": "Organization" if account.kind == "Organization" else "User",
        "permissions": permissions,
        "events": events,
        "created_at": stamp(created_at),
        "updated_at": stamp(created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user_json(base, suspended_by) if suspended_by else None,
        "suspended_at": stamp(suspended_at),
    }


def association(repository: Repository, user: User) -> str:
    """GitHub's word for what an author is to a repository."""
    if user.login == repository.owner.login:
        return "OWNER"
    if user.login in repository.collaborators:
        return "MEMBER" if repository.owner.kind == "Organization" else "COLLABORATOR"
    merged = any(pull.merged_at and pull.author is user for pull in repository.pulls.values())
    return "CONTRIBUTOR" if merged else "NONE"
