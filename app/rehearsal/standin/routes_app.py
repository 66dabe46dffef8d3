"""Routes of the App itself and of its installation."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.rehearsal.standin.answers import Answer, Listing, Refusal, not_found
from app.rehearsal.standin.auth import narrow_permissions, reaches
from app.rehearsal.standin.enterprise import refuse_limits
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.repositories import full_repository_json, repository_json
from app.rehearsal.standin.routing import Call, Route, positive
from app.rehearsal.standin.site import Site
from app.rehearsal.standin.state import Repository, stamp
from app.rehearsal.standin.webhooks import Attempt


class TokenRequest(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    repositories: list[str] | None = None
    repository_ids: list[int] | None = None
    permissions: dict[str, Literal["read", "write", "admin"]] | None = None


def _create_token(call: Call) -> Answer:
    site = call.site
    if call.number("installation_id") != site.installation_id or site.uninstalled:
        raise not_found()
    if site.suspended_at is not None:
        raise Refusal(403, "This installation has been suspended")
    asked = call.parse(TokenRequest)
    permissions = narrow_permissions(asked.permissions, site.permissions)
    chosen = _chosen_repositories(site, asked)
    ids = None if chosen is None else frozenset(repository.id for repository in chosen)
    grant = site.grants.issue(site.clock(), permissions, ids)
    body: Json = {
        "token": grant.token,
        "expires_at": stamp(grant.expires_at),
        "permissions": permissions,
        "repository_selection": "all" if chosen is None else "selected",
    }
    if chosen is not None:
        body["repositories"] = [repository_json(site.base_url, repository) for repository in chosen]
    return Answer(201, body)


def _chosen_repositories(site: Site, asked: TokenRequest) -> list[Repository] | None:
    if asked.repositories is None and asked.repository_ids is None:
        return None
    installed = [repository for repository in site.repositories.values() if repository.installed]
    names, ids = set(asked.repositories or ()), set(asked.repository_ids or ())
    chosen = [repository for repository in installed if repository.name in names or repository.id in ids]
    known_names, known_ids = {one.name for one in chosen}, {one.id for one in chosen}
    if not names <= known_names or not ids <= known_ids:
        message = (
            "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
        raise Refusal(422, message)
    return chosen


def _app(call: Call) -> Answer:
    return Answer(200, call.site.app_json() | {"installations_count": 0 if call.site.uninstalled else 1})


def _installations(call: Call) -> Listing:
    return Listing([] if call.site.uninstalled else [call.site.installation_json()])


def _installation(call: Call) -> Answer:
    if call.number("installation_id") != call.site.installation_id or call.site.uninstalled:
        raise not_found()
    return Answer(200, call.site.installation_json())


def _installation_of(call: Call) -> Answer:
    """The App's installation on a repository; 404 where it has none."""
    name = f"{call.path['owner']}/{call.path['repo']}"
    repository = call.site.repositories.get(name)
    if repository is None or not repository.installed or call.site.uninstalled:
        raise not_found()
    return Answer(200, call.site.installation_json())


def _installation_repositories(call: Call) -> Listing:
    site, grant = call.site, call.grant
    if grant is None:
        raise not_found()
    shown = [one for one in site.repositories.values() if reaches(grant, one)]
    return Listing([repository_json(site.base_url, one) for one in shown], key="repositories")


def _repository(call: Call) -> Answer:
    return Answer(200, full_repository_json(call.site.base_url, call.repository))


def _rate_limit(call: Call) -> Answer:
    if call.site.enterprise is not None:
        raise refuse_limits()
    limits, now = call.site.limits, call.site.clock()
    core = limits.core.json(now)
    unused = {"limit": 30, "used": 0, "remaining": 30, "reset": core["reset"]}
    resources = {"core": core, "graphql": limits.graphql.json(now), "search": unused}
    return Answer(200, {"resources": resources, "rate": core})


def _deliveries(call: Call) -> Answer:
    """The log of attempts, newest first, cut by `cursor` (an attempt's id) rather than by page."""
    wanted = call.query.get("status")
    if wanted not in (None, "success", "failure"):
        raise Refusal(422, "Invalid request. `status` is one of success, failure")
    attempts = [one for one in reversed(call.site.webhooks.attempts) if _matches(one, wanted)]
    if "cursor" in call.query:
        attempts = [one for one in attempts if one.id <= positive(call.query["cursor"], 0)]
    size = min(100, positive(call.query.get("per_page"), 30))
    headers = {}
    if len(attempts) > size:
        url = f"{_api_url(call.site)}/app/hook/deliveries?per_page={size}&cursor={attempts[size].id}"
        headers["link"] = f'<{url}{f"&status={wanted}" if wanted else ""}>; rel="next"'
    return Answer(200, [_attempt_json(one) for one in attempts[:size]], headers)


def _api_url(site: Site) -> str:
    return site.base_url if site.enterprise is None else f"{site.base_url}{site.enterprise.prefix('/app')}"


def _matches(attempt: Attempt, wanted: str | None) -> bool:
    succeeded = 200 <= attempt.status_code < 300
    return wanted is None or succeeded == (wanted == "success")


def _attempt_json(attempt: Attempt) -> Json:
    return {
        "id": attempt.id,
        "guid": attempt.delivery.guid,
        "delivered_at": stamp(attempt.at),
        "redelivery": attempt.redelivery,
        "duration": round(attempt.seconds, 3),
        "status": attempt.status,
        "status_code": attempt.status_code,
        "event": attempt.delivery.event,
        "action": attempt.delivery.action,
        "installation_id": attempt.delivery.installation_id,
        "repository_id": attempt.delivery.repository_id,
        "throttled_at": None,
    }


def _redeliver(call: Call) -> Answer:
    if not call.site.webhooks.redeliver(call.number("delivery_id")):
        raise not_found()
    return Answer(202, {})


ROUTES = (
    Route("POST", "/app/installations/{installation_id}/access_tokens", _create_token, asker="app"),
    Route("GET", "/app", _app, asker="app"),
    Route("GET", "/app/installations", _installations, asker="app"),
    Route("GET", "/app/installations/{installation_id}", _installation, asker="app"),
    Route("GET", "/repos/{owner}/{repo}/installation", _installation_of, asker="app"),
    Route("GET", "/app/hook/deliveries", _deliveries, asker="app"),
    Route("POST", "/app/hook/deliveries/{delivery_id}/attempts", _redeliver, asker="app"),
    Route("GET", "/installation/repositories", _installation_repositories, needs=("metadata", "read")),
    Route("GET", "/rate_limit", _rate_limit, free=True),
    Route("GET", "/repos/{owner}/{repo}", _repository, needs=("metadata", "read")),
)
