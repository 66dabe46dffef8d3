"""How GitHub makes an App of a manifest, in a browser: the form that takes it, the page that asks once more, the way
back with a code; and the page where an App is installed.

The stand-in has one App. A manifest names it anew: its slug, permissions, events, webhook and its secret, key and id
staying what they are.
"""

import html
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.rehearsal.standin.answers import Answer, Refusal, not_found
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.routing import Call, Route
from app.rehearsal.standin.site import Site

_CODE_LIFE = timedelta(hours=1)
_REQUIRED = ("url", "redirect_url", "default_permissions")
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"/><title>{title}</title></head>
<body><h1>{title}</h1>{body}</body></html>"""


@dataclass
class _Asked:
    """A manifest that GitHub shows, and what its page was asked for with."""

    manifest: Mapping[str, Any]
    state: str
    organisation: str | None


@dataclass
class _Code:
    manifest: Mapping[str, Any]
    made_at: datetime
    is_used: bool = False


class Registration:
    """Manifests on their way."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._asked: dict[str, _Asked] = {}

    async def ask(self, request: Request) -> Response:
        """`POST …/settings/apps/new`: the page on which somebody creates the App."""
        form = await _form(request)
        try:
            manifest = json.loads(form.get("manifest", ""))
            problems = [f"{name} is missing" for name in _REQUIRED if not manifest.get(name)]
        except (ValueError, AttributeError):
            problems, manifest = ["the manifest is no JSON object"], {}
        if problems:
            return _page("Invalid manifest", f"<p>{html.escape('; '.join(problems))}</p>", 422)
        token = secrets.token_urlsafe(12)
        organisation = request.path_params.get("organisation")
        self._asked[token] = _Asked(manifest, request.query_params.get("state", ""), organisation)
        name = html.escape(str(manifest.get("name", "")), quote=True)
        asked = "".join(f"<li>{html.escape(f'{k}: {v}')}</li>" for k, v in manifest["default_permissions"].items())
        body = f"""<p>GitHub App name</p><form method="post" action="/settings/apps/manifest">
<input type="hidden" name="token" value="{token}"/><input name="name" aria-label="GitHub App name" value="{name}"/>
<ul>{asked}</ul><button type="submit">Create GitHub App</button></form>"""
        return _page("Create GitHub App", body)

    async def create(self, request: Request) -> Response:
        """The button: an App that waits for its code to be exchanged."""
        form = await _form(request)
        asked = self._asked.pop(form.get("token", ""), None)
        if asked is None:
            return _page("Not found", "<p>This page is gone.</p>", 404)
        code = secrets.token_hex(20)
        manifest = {**asked.manifest, "name": form.get("name", ""), "organisation": asked.organisation}
        with self._site.lock:
            self._site.codes[code] = _Code(manifest, self._site.clock())
        sent = urlencode({"code": code} | ({"state": asked.state} if asked.state else {}))
        return RedirectResponse(f"{manifest['redirect_url']}?{sent}", 302)

    async def show_installing(self, request: Request) -> Response:
        """`GET /apps/SLUG/installations/new`: what it asks for, and a button."""
        if request.path_params["slug"] != self._site.slug:
            return _page("Not found", "<p>There is no such App.</p>", 404)
        body = '<form method="post"><button type="submit">Install</button></form>'
        return _page(f"Install {html.escape(self._site.name)}", body)

    async def install(self, _request: Request) -> Response:
        """The button: the App is told, and the browser goes where the manifest said."""
        with self._site.lock:
            self._site.uninstalled, self._site.installed_at = False, self._site.clock()
            self._site.emit_installation("created", self._site.add_user("ann"))
        if self._site.setup_url is None:
            return _page("Installed", "<p>The App is installed.</p>")
        sent = urlencode({"installation_id": self._site.installation_id, "setup_action": "install"})
        return RedirectResponse(f"{self._site.setup_url}?{sent}", 302)


def mount_registration(app: FastAPI, site: Site) -> None:
    pages = Registration(site)
    app.add_route("/settings/apps/new", pages.ask, methods=["POST"])
    app.add_route("/organizations/{organisation}/settings/apps/new", pages.ask, methods=["POST"])
    app.add_route("/settings/apps/manifest", pages.create, methods=["POST"])
    app.add_route("/apps/{slug}/installations/new", pages.show_installing, methods=["GET"])
    app.add_route("/apps/{slug}/installations/new", pages.install, methods=["POST"])


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, body=body), status)


def _convert(call: Call) -> Answer:
    """A code gives its App's credentials once, within the hour."""
    site, code = call.site, call.site.codes.get(call.path["code"])
    if not isinstance(code, _Code) or code.is_used or site.clock() - code.made_at > _CODE_LIFE:
        raise not_found()
    code.is_used = True
    secret = secrets.token_hex(20)
    _name_anew(site, code.manifest, secret)
    told: Json = {"pem": site.key.pem, "client_secret": site.client_secret, "webhook_secret": secret}
    return Answer(201, site.app_json() | told)


def _name_anew(site: Site, manifest: Mapping[str, Any], secret: str) -> None:
    hook = manifest.get("hook_attributes") or {}
    site.name = str(manifest["name"])
    site.slug = re.sub(r"[^a-z0-9]+", "-", site.name.lower()).strip("-")
    site.bot = site.add_user(f"{site.slug}[bot]", kind="Bot")
    site.permissions = {"metadata": "read"} | dict(manifest["default_permissions"])
    site.asked_permissions = dict(site.permissions)
    site.events = list(manifest.get("default_events", ()))
    site.setup_url = manifest.get("setup_url")
    site.uninstalled = True
    site.webhooks.point_at(hook.get("url"), secret=secret)
    site.webhooks.deliver_to(hook.get("url"))


def _hook(call: Call) -> Answer:
    """What the App's webhook is set to; its secret is shown to nobody."""
    url = call.site.webhooks.url
    if url is None:
        raise Refusal(404, "Not Found")
    return Answer(200, {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": url})


ROUTES = (
    Route("POST", "/app-manifests/{code}/conversions", _convert, asker="anyone"),
    Route("GET", "/app/hook/config", _hook, asker="app"),
)
