"""What the GitHub App is allowed to do, and why: the one source of `app.yml`, the setup page and the documents. Pure.

Tests hold all three against this table, and the table against the requests that the code makes.
"""

from collections.abc import Mapping

from app.domain.base import Record

_LEVELS = ("read", "write")


class Permission(Record):
    """`name` and `level` as GitHub's manifest spells them. `optional`: asked for only by whoever chose it."""

    name: str
    level: str
    reason: str
    optional: bool = False


PERMISSIONS = (
    Permission(
        name="metadata",
        level="read",
        reason="repositories, and the permission a labelling person has at that moment",
    ),
    Permission(
        name="pull_requests",
        level="write",
        reason="threads, files, labels and their actors; reviews, answers on threads, the summary comment",
    ),
    Permission(
        name="contents",
        level="read",
        reason="commits and diffs, by git; .github/understudy.yml of the default branch",
    ),
    Permission(
        name="checks",
        level="write",
        reason="one check run per head commit, which states coverage; one where the policy file is edited",
    ),
    Permission(
        name="issues",
        level="read",
        reason="GitHub tells of comments on a pull request as a whole only to who may read issues; commands stand "
        "there",
    ),
)
#: In the stead of reading contents, by choice (ADR 0026).
ONBOARDING = Permission(
    name="contents",
    level="write",
    reason="one branch with .github/understudy.yml and the pull request that proposes it, once per repository",
    optional=True,
)
CANNOT = (
    "approve or merge a pull request, or push to its branch",
    "change, create or delete a file (unless you let it open the onboarding pull request)",
    "change anything under .github/workflows, whatever you choose",
    "read secrets, variables, deployments, packages or the runs of Actions",
    "open, close or edit issues",
    "see or change members, teams, settings or billing",
    "see a repository that you did not select when installing it",
)


def may_propose(permissions: Mapping[str, str]) -> bool:
    """Whether an installation lets the App open its onboarding pull request."""
    return permissions.get("contents") == "write"


def render_permissions(*, propose: bool) -> dict[str, str]:
    """`default_permissions` of a manifest."""
    asked = {one.name: one.level for one in PERMISSIONS}
    return asked | {ONBOARDING.name: ONBOARDING.level} if propose else asked


def render_permission_table() -> str:
    """As Markdown, for the documents."""
    rows = [f"| `{one.name}: {one.level}`{_aside(one)} | {one.reason} |" for one in (*PERMISSIONS, ONBOARDING)]
    return "\n".join(("| permission | why |", "|---|---|", *rows))


def select_lacking(asked: Mapping[str, str], granted: Mapping[str, str]) -> dict[str, str]:
    """Permissions that are asked for and not granted, or at a lower level, with the level that was asked for."""
    return {name: level for name, level in asked.items() if _rank(granted.get(name)) < _rank(level)}


def _rank(level: str | None) -> int:
    return _LEVELS.index(level) + 1 if level in _LEVELS else 0 if level is None else len(_LEVELS) + 1


def _aside(one: Permission) -> str:
    return " (only if you choose it)" if one.optional else ""
