"""The setup's pages as HTML: they load nothing, run nothing, and escape whatever somebody typed."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from app.domain.app_permissions import CANNOT, ONBOARDING, PERMISSIONS
from app.domain.pages import page_environment
from app.setup.choice import Choice
from app.setup.manifest import load_events
from app.setup.remaining import Step

_TEMPLATES = Path(__file__).parent / "templates"
#: What the form shows before anybody typed.
EMPTY: Mapping[str, str] = {
    "where": "github", "host": "", "api": "", "owner": "organisation", "organisation": "", "name": "",
    "public_url": "", "propose": "no", "replace": "no",
}  # fmt: skip


def render_form(root: str, form: Mapping[str, str], *, env_file: Path, problem: str | None = None) -> str:
    """The first page. `root` is the path that holds the secret."""
    given = {**EMPTY, **{name: value for name, value in form.items() if name in EMPTY}}
    about = {"permissions": PERMISSIONS, "onboarding": ONBOARDING, "cannot": CANNOT, "events": load_events()}
    exists = env_file.exists()
    return _render("form.html", root=root, form=given, problem=problem, env_file=str(env_file), exists=exists, **about)


def render_review(choice: Choice, manifest: Mapping[str, Any], state: str, *, root: str) -> str:
    """The second page, whose button posts the manifest to GitHub."""
    permissions = [*PERMISSIONS, ONBOARDING] if choice.propose else PERMISSIONS
    shown = [one for one in permissions if manifest["default_permissions"][one.name] == one.level]
    text = json.dumps(manifest, ensure_ascii=False)
    return _render("review.html", choice=choice, manifest=text, state=state, root=root, permissions=shown)


def render_problem(problem: str, *, root: str, can_store: bool) -> str:
    return _render("problem.html", problem=problem, root=root, can_store=can_store)


def render_done(name: str, steps: tuple[Step, ...]) -> str:
    return _render("done.html", name=name, steps=steps)


def _render(template: str, **given: object) -> str:
    return _environment().get_template(template).render(**given)


@cache
def _environment() -> Environment:
    return page_environment(FileSystemLoader(_TEMPLATES))
