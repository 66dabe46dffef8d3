"""HTTP routes of the service and of the model server's front, from the applications themselves."""

import inspect
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.routing import Route

from app.main import create_app
from app.settings import Settings
from docs.website.reference.tables import GUIDE, code, render_table, unlink
from serving.front import create_front

#: Who may call, by how the path begins; the longest beginning holds.
_CALLERS = {
    "/webhooks": "GitHub: a signature over the body",
    "/operator": "the operator: `Authorization: Bearer` with the operator's token",
    "/healthz": "anybody who reaches it; tells alive or not",
    "/readyz": "anybody who reaches it; tells ready or not",
    "/installed": "anybody: where GitHub leads after an installation",
    "/dashboard": "people who signed in with GitHub, each by their role there",
    "/metrics": "Prometheus: its token, or a caller on this machine",
    "/health": "anybody on this machine; tells ready or not",
    "/v1": "the read key, or the control key",
    "/control": "the control key",
}

_ROW = re.compile(r"^\| `(?:GET|POST) (/operator\S+)` \| (.*) \|$", re.MULTILINE)


def render_routes() -> str:
    """The page."""
    head = ("route", "what", "who")
    service = create_app(_settings(), booted=True)
    front: Any = create_front(_NoController(), read_key="r", control_key="c")  # type: ignore[arg-type]  # never asked
    return (
        "# HTTP routes\n\n## The service\n\n"
        "`.venv/bin/python -m app serve`, on `UNDERSTUDY_HOST` and `UNDERSTUDY_PORT`. "
        "What each operator's call does is in [Operating](operating.md#what-an-operator-may-do).\n\n"
        f"{render_table(head, _rows(service.routes))}\n"
        "## The model server's front\n\n`.venv/bin/python -m serving run`, on 127.0.0.1. All else is 404.\n\n"
        f"{render_table(head, _rows(front.routes))}"
    )


def _rows(routes: Iterable[Any]) -> list[tuple[str, str, str]]:
    flat = [route for route in routes if isinstance(route, Route)]
    return [
        (code(f"{' '.join(sorted(_methods(route)))} {route.path}"), _about(route), find_caller(route.path))
        for route in sorted(flat, key=lambda route: (route.path, sorted(_methods(route))))
    ]


def find_caller(path: str) -> str:
    """Empty where the path begins like no other."""
    fitting = [start for start in _CALLERS if path == start or path.startswith(f"{start}/")]
    return _CALLERS[max(fitting, key=len)] if fitting else ""


def _methods(route: Route) -> set[str]:
    return (route.methods or set()) - {"HEAD"}


def _about(route: Route) -> str:
    """What the operator's guide says of it, else the first words of its docstring, else its name."""
    said = _told().get(route.path.replace(":path}", "}"))
    if said:
        return unlink(said)
    told = inspect.getdoc(route.endpoint) if inspect.isroutine(route.endpoint) else None
    return told.split("\n\n")[0] if told else route.name.strip("_").replace("_", " ")


@cache
def _told() -> dict[str, str]:
    return dict(_ROW.findall(GUIDE.read_text(encoding="utf-8")))


def _settings() -> Settings:
    """Enough to make the application; it is never started."""
    return Settings(
        webhook_secrets=(SecretStr("s" * 16),),
        operator_token=SecretStr("t" * 16),
        app_id=1,
        private_key_file=Path("none.pem"),
    )


class _NoController:
    """Stands where the front wants one; nothing is ever asked of it."""
