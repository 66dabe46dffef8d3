"""What one delivery is, and what is to become of it at once. Pure: decided before anything is stored."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.errors import Refused
from app.domain.tenants import LARGEST_INSTALLATION, Host, bot_login, join_tenant

_EVENT = re.compile(r"[a-z][a-z_]{0,63}")
_GUID = re.compile(r"[A-Za-z0-9-]{8,100}")
#: Kept beside the body because they say where the delivery came from. The signature is not: it is no news.
_KEPT_HEADERS = (
    "x-github-event",
    "x-github-delivery",
    "x-github-hook-id",
    "x-github-hook-installation-target-id",
    "x-github-hook-installation-target-type",
    "x-github-enterprise-host",
    "user-agent",
)


#: What workflows act upon. All else is stored and put aside at once: most of what GitHub sends is of no use to us.
_ACTED_ON: dict[str, set[str | None]] = {
    "pull_request": {"opened", "reopened", "ready_for_review", "synchronize", "closed", "labeled", "unlabeled"},
    "pull_request_review_comment": {"created", "edited", "deleted"},
    "pull_request_review_thread": {"resolved", "unresolved"},
    "issue_comment": {"created", "edited"},
    "label": {"edited", "deleted"},
    "push": {None},
    "installation": {"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"},
    "installation_repositories": {"added", "removed"},
    "repository": {"renamed", "transferred"},
}


@dataclass(frozen=True)
class Envelope:
    """Name and GUID of a delivery, from its headers, and the server that it claims to be of, if any."""

    event: str
    guid: str
    headers: dict[str, str]
    claimed_host: str | None = None

    def under(self, host: str) -> "Envelope":
        """The GUID under its host."""
        return replace(self, guid=f"{host}:{self.guid}")


@dataclass(frozen=True)
class Glance:
    """The little that intake reads of a body; what is odd there is None, judging it is the dispatcher's part."""

    action: str | None
    installation_id: int | None
    sender_type: str | None
    sender_login: str | None

    def of(self, host: Host) -> "Glance":
        """With the installation's id as ours; one that is none is left to the workflow, too."""
        if self.installation_id is None or self.installation_id > LARGEST_INSTALLATION:
            return replace(self, installation_id=None)
        return replace(self, installation_id=join_tenant(host.number, self.installation_id))


def parse_headers(headers: Mapping[str, str]) -> Envelope:
    """Name and GUID of the delivery; whose it is, only its signature tells.

    Raises:
        Refused: `content_type` or `headers`.
    """
    content_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refused("content_type", "expected application/json; set the webhook's content type to application/json")
    event, guid = headers.get("x-github-event", ""), headers.get("x-github-delivery", "")
    if not _EVENT.fullmatch(event) or not _GUID.fullmatch(guid):
        raise Refused("headers", "expected the headers X-GitHub-Event and X-GitHub-Delivery as GitHub sends them")
    kept = {name: headers[name][:200] for name in _KEPT_HEADERS if name in headers}
    claimed = headers.get("x-github-enterprise-host", "").strip().lower() or None
    return Envelope(event=event, guid=guid, headers=kept, claimed_host=claimed)


def label_event(name: str) -> str:
    """One of those that are acted upon, or `other`: before the signature is read anybody may name anything. Pure."""
    return name if name in _ACTED_ON else "other"


def parse_body(body: bytes) -> Glance:
    """Raises:
    Refused: `json`, when the body is no JSON object.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("json", "expected a JSON object as the body") from None
    if not isinstance(payload, dict):
        raise Refused("json", f"expected a JSON object as the body, got {type(payload).__name__}")
    sender = _part(payload, "sender")
    installation_id = _part(payload, "installation").get("id")
    return Glance(
        action=_text(payload.get("action")),
        installation_id=installation_id if _is_id(installation_id) else None,
        sender_type=_text(sender.get("type")),
        sender_login=_text(sender.get("login")),
    )


def _part(payload: dict[str, Any], name: str) -> dict[str, Any]:
    part = payload.get(name)
    return part if isinstance(part, dict) else {}


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def _text(value: object) -> str | None:
    # A database's text holds neither NUL nor half a surrogate pair, and nothing GitHub names is that long.
    return value[:200].replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else None


def decide_ignored(event: str, glance: Glance, app_slug: str) -> str | None:
    """Why nothing is to be done about a delivery, or None when the dispatcher must look at it."""
    if glance.action not in _ACTED_ON.get(event, ()):
        return "ignored: unused event"
    if glance.sender_type == "Bot" and glance.sender_login == bot_login(app_slug):
        return "ignored: own act"
    return None
