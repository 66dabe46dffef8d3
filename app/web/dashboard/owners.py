"""What the owners set, read only: their file is the place to change it. And forgetting, with a look before it."""

from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from app.domain.erasure import ErasureKind
from app.domain.policies import POLICY_PATH
from app.github.policy_file import PolicyFile
from app.store.overviews import select_erasures_of
from app.store.tables import ErasureRow
from app.web.dashboard.desk import NOT_FOUND, Ended, Route, Visit

KINDS = {
    ErasureKind.AUTHOR.value: "a person: login, git author's name or e-mail address",
    ErasureKind.PULL_REQUEST.value: "a pull request: owner/name#number",
    ErasureKind.REPOSITORY.value: "a repository: owner/name",
    ErasureKind.INSTALLATION.value: "this whole installation: its number",
}


async def show_settings(visit: Visit) -> Response:
    names = visit.sight.names
    chosen = visit.query.get("repository") or (names[0] if names else "")
    if chosen and chosen not in names:
        raise Ended(404, NOT_FOUND)
    file = await visit.backstage.policy(visit.sight.id, chosen) if chosen else None
    schedule = await visit.call(visit.backstage.schedule, visit.sight.id)

    def look(session: Session) -> list[ErasureRow]:
        return select_erasures_of(session, visit.sight.id) if visit.sight.is_admin else []

    erasures = await visit.read(look)
    return visit.page(
        "settings.html",
        chosen=chosen,
        file=file,
        rows=list_policy(file),
        schedule=schedule,
        erasures=erasures,
        kinds=KINDS,
        policy_path=POLICY_PATH,
    )


def list_policy(file: PolicyFile | None) -> list[tuple[str, str, bool]]:
    """Key, value in force, and whether the file itself says so. Pure."""
    if file is None:
        return []
    shown = file.policy.model_dump(mode="json")
    flat: dict[str, Any] = {}
    for key, value in shown.items():
        flat |= {f"{key}.{inner}": one for inner, one in value.items()} if isinstance(value, dict) else {key: value}
    return [(key, _spoken(value), key in file.lines) for key, value in flat.items()]


def _spoken(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "–" if value in (None, "") else str(value)


async def preview(visit: Visit) -> Response:
    """Whom it is about travels in the body: addresses of requests are written to logs."""
    kind, name = _asked(visit)
    found = await visit.call(visit.backstage.preview_erasure, kind, name, visit.sight.id)
    counts = found["found"].get(str(visit.sight.id), {})
    return visit.page("erasure.html", kind=kind, name=found["subject"], counts=counts, kinds=KINDS)


async def erase(visit: Visit) -> Response:
    kind, name = _asked(visit)
    started = await visit.call(visit.backstage.erase, kind, name, visit.sight.id)
    await visit.note("dashboard.erase", "erasure", installation_id=visit.sight.id, kind=kind, workflows=started)
    return visit.back("/settings")


def _asked(visit: Visit) -> tuple[str, str]:
    return visit.form.get("kind", ""), visit.form.get("name", "")


ROUTES = (
    Route("GET", "/{installation_id}/settings", show_settings, needs="reader"),
    Route("POST", "/{installation_id}/erasure/preview", preview, needs="admin"),
    Route("POST", "/{installation_id}/erasure", erase, needs="admin"),
)
