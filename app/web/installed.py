"""`GET /installed`: where GitHub sends whoever installed the App. Public, so it knows nothing and looks nothing up.

GitHub adds the installation's id to the address, which anybody could write: by it nobody is told what is installed
where.
"""

import re
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader

from app.curation.label_commands import render_label_commands
from app.domain.onboarding import POLICY_TEXT, new_file_link
from app.domain.pages import page_environment

_TEMPLATES = Path(__file__).parent / "templates"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,98}/[A-Za-z0-9._-]{1,100}")
_BRANCH = re.compile(r"[A-Za-z0-9._/-]{1,200}")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


def installed_router(git_url: str) -> APIRouter:
    router = APIRouter()

    @router.get("/installed")
    async def installed(repository: str = "", branch: str = "main") -> HTMLResponse:
        page = render_installed(git_url, repository.strip(), branch.strip())
        return HTMLResponse(page, headers={"content-security-policy": _POLICY, "referrer-policy": "no-referrer"})

    return router


def render_installed(git_url: str, repository: str, branch: str) -> str:
    """The page, with the link for a repository where one is named."""
    is_named = bool(_REPOSITORY.fullmatch(repository)) and ".." not in repository
    is_right = is_named and bool(_BRANCH.fullmatch(branch)) and ".." not in branch
    problem = "" if is_right or not repository else "Expected a repository as owner/name, and the name of a branch."
    link = new_file_link(git_url, repository, branch) if is_right else ""
    given = {"repository": repository, "branch": branch, "problem": problem, "link": link, "policy": POLICY_TEXT}
    labels = render_label_commands(repository) if is_right else render_label_commands()
    return _environment().get_template("installed.html").render(**given, labels=labels)


@cache
def _environment() -> Environment:
    return page_environment(FileSystemLoader(_TEMPLATES))
