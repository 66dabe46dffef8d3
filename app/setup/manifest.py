"""The manifest that is posted to GitHub: `app.yml` with the addresses and the choice of a person in it. Pure but for
reading that file."""

from pathlib import Path
from typing import Any

import yaml

from app.domain.app_permissions import render_permissions
from app.setup.choice import Choice

MANIFEST = Path(__file__).resolve().parents[2] / "app.yml"
#: Paths of the service, under its public address.
WEBHOOKS, SIGN_IN, INSTALLED = "/webhooks", "/dashboard/sign-in/callback", "/installed"


def load_events() -> list[str]:
    """The events that the App hears of."""
    return list(_load()["default_events"])


def render_manifest(choice: Choice, redirect_url: str) -> dict[str, Any]:
    """The JSON of GitHub's manifest flow. `redirect_url` is where GitHub sends the browser back with its code."""
    return _load() | {
        "name": choice.name,
        "url": choice.public_url,
        "hook_attributes": {"url": choice.public_url + WEBHOOKS, "active": True},
        "redirect_url": redirect_url,
        "callback_urls": [choice.public_url + SIGN_IN],
        "setup_url": choice.public_url + INSTALLED,
        "setup_on_update": False,
        "default_permissions": render_permissions(propose=choice.propose),
    }


def _load() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return found
