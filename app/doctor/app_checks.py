"""What GitHub says of the App, held against what this service believes. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.doctor.checked import Checked, fail, fine, warn
from app.domain.app_permissions import may_propose, render_permissions, select_lacking
from app.domain.base import Record

#: A JWT is dated four minutes back and lives nine (app/github/app_token.py): with a clock that is further off, GitHub
#: refuses it.
SKEW_WARNING, SKEW_PROBLEM = 20.0, 235.0


class Asked(Record):
    """An answer of GitHub to a question of the App: its JSON, or why there is none. `reason` is a stable word:
    `away` where nobody answered, else that of a refusal."""

    found: Any = None
    reason: str | None = None
    message: str = ""


def check_clock(ours: datetime, githubs: datetime | None) -> Checked:
    name = "clock"
    if githubs is None:
        return warn(name, "GitHub told no time to compare with", "See the check of GitHub's address.")
    skew = (ours - githubs).total_seconds()
    told = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} GitHub's"
    cure = "Switch the machine's time synchronisation on (`timedatectl set-ntp true`)."
    if abs(skew) > SKEW_PROBLEM:
        return fail(name, f"{told}: GitHub refuses tokens that are dated so", cure)
    return warn(name, told, cure) if abs(skew) > SKEW_WARNING else fine(name, told)


def check_credentials(asked: Asked, *, app_id: int, app_slug: str, api_url: str) -> Checked:
    name = "App and key"
    if asked.reason == "away":
        cure = "See that this machine reaches it (proxy, firewall, certificates) and UNDERSTUDY_GITHUB_API_URL."
        return fail(name, f"no answer from {api_url}: {asked.message}", cure)
    if asked.reason is not None:
        cure = (
            f"Make a private key on the page of App {app_id}, name its file in UNDERSTUDY_PRIVATE_KEY_FILE, and see "
            "that UNDERSTUDY_APP_ID and UNDERSTUDY_GITHUB_API_URL are of the same App."
        )
        return fail(name, f"GitHub does not accept the key for App {app_id}: {asked.message}", cure)
    slug = str(asked.found["slug"])
    if slug != app_slug:
        cure = f"Set UNDERSTUDY_APP_SLUG={slug}: by its name the service knows its own comments."
        return fail(name, f"the App's slug is {slug}, the settings say {app_slug}", cure)
    return fine(name, f"GitHub knows App {app_id} as {slug}")


def check_app_permissions(app: Any, events: Sequence[str]) -> Checked:  # noqa: ANN401  GitHub's JSON
    """What the App asks for, against what the code needs."""
    name, asked = "App's permissions", dict(app["permissions"])
    lacking = select_lacking(render_permissions(propose=False), asked)
    unheard = sorted(set(events) - set(app["events"]))
    if lacking or unheard:
        missing = [f"{key}: {level}" for key, level in sorted(lacking.items())]
        cure = "On the App's page, Permissions & events: set them, save, and let each account accept the change."
        told = "; ".join([*(["lacks " + ", ".join(missing)] if missing else []), *_unheard(unheard)])
        return fail(name, told, cure)
    more = select_lacking(asked, render_permissions(propose=may_propose(asked)))
    if more:
        shown = ", ".join(f"{key}: {level}" for key, level in sorted(more.items()))
        return warn(name, f"asks for more than it needs: {shown}", "Take them away on the App's page.")
    chosen = ", the onboarding pull request among them" if may_propose(asked) else ""
    return fine(name, f"all that is needed and no more{chosen}")


def _unheard(events: Sequence[str]) -> tuple[str, ...]:
    return (f"does not hear of {', '.join(events)}",) if events else ()


def check_installations(installations: Sequence[Any], app: Any, app_page: str) -> tuple[Checked, ...]:  # noqa: ANN401  GitHub's JSON
    """One per installation; a change of permissions holds only where the account accepted it."""
    if not installations:
        cure = f"Install it: {app_page}/installations/new"
        return (warn("installations", "the App is installed nowhere", cure),)
    return tuple(_check_installation(one, app) for one in installations)


def _check_installation(one: Any, app: Any) -> Checked:  # noqa: ANN401  GitHub's JSON
    name = f"installation on {(one.get('account') or {}).get('login', one['id'])}"
    if one.get("suspended_at"):
        return warn(name, "suspended: nothing is read there", f"Its owner unsuspends it at {one['html_url']}")
    lacking = select_lacking(app["permissions"], one["permissions"])
    unheard = sorted(set(app["events"]) - set(one["events"]))
    if lacking or unheard:
        missing = ", ".join([*(f"{key}: {level}" for key, level in sorted(lacking.items())), *unheard])
        needed = select_lacking(render_permissions(propose=False), one["permissions"]) or unheard
        decide = fail if needed else warn
        return decide(name, f"did not accept yet: {missing}", f"Its owner accepts the change at {one['html_url']}")
    return fine(name, "all permissions and events are accepted")
