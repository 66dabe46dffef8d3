"""Who sees what: a session, and what GitHub says now of the person's permissions.

A person sees an installation that GitHub listed for them when they signed in and where they have write on at least one
repository, and of it the rows of repositories where they have write. To act they are asked about anew, at that moment.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from app.curation.decision import MAY_DECIDE
from app.domain.errors import Refused
from app.domain.tenants import split_tenant
from app.store.deliveries import load_installation
from app.store.repositories import select_repositories
from app.store.tables import InstallationRow
from app.web.dashboard.backstage import Permission

OPERATOR = "operator"
#: Seconds for which what GitHub said of a person lets them read. Acts ask anew.
_FRESH_SECONDS = 60.0
#: The same for each repository of an installation, where that is longer. A repository takes two requests of the budget
#: that reviews live on, some 5,000 an hour: so a person who only looks spends 2,000 of them at most.
_FRESH_SECONDS_EACH = 3.6
#: Questions at once for one page.
_AT_ONCE = 8
_REMEMBERED = 20_000
#: installation, repository's id and name, person
_Key = tuple[int, int | None, str, int | None]


@dataclass(frozen=True)
class Viewer:
    """Somebody with a session. `key` is its hash, `csrf` the token of its forms."""

    key: str
    csrf: str
    login: str
    user_id: int | None
    is_operator: bool
    installations: frozenset[int]


@dataclass(frozen=True)
class Sight:
    """What a viewer sees of an installation. `repositories`: None for all, also for those that left it. `ids` is of
    those that are in it, by name."""

    installation: InstallationRow
    repositories: frozenset[str] | None
    ids: Mapping[str, int]
    is_admin: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.ids)

    @property
    def id(self) -> int:
        return self.installation.id

    def shows(self, repository: str) -> bool:
        return self.repositories is None or repository in self.repositories


class Access:
    def __init__(self, permission: Permission, clock: Callable[[], float] = time.monotonic) -> None:
        self._permission = permission
        self._clock = clock
        self._known: dict[_Key, tuple[float, str]] = {}

    async def role(
        self,
        viewer: Viewer,
        installation_id: int,
        repository: str,
        *,
        repository_id: int | None = None,
        fresh: bool = False,
        among: int = 1,
    ) -> str:
        """admin, write, read or none; at most a minute old, with `fresh` as of now. `among` so many repositories that
        are asked about together it may be older. Without the repository's id nothing is remembered: its name may be
        another's the next moment.

        Raises:
            RetryLater: when GitHub cannot be asked.
        """
        if viewer.is_operator:
            return "admin"
        key = (installation_id, repository_id, repository, viewer.user_id)
        at, role = self._known.get(key, (0.0, ""))
        if role and not fresh and repository_id is not None and self._clock() - at < decide_age(among):
            return role
        asked_at = self._clock()
        try:
            role = await self._permission(installation_id, repository, viewer.login, viewer.user_id)
        except Refused:  # the installation is suspended or gone, or the repository left it
            role = "none"
        if repository_id is not None:
            self._remember(key, asked_at, role)
        return role

    def _remember(self, key: _Key, asked_at: float, role: str) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[key] = (asked_at, role)

    async def look(
        self,
        viewer: Viewer,
        installation: InstallationRow | None,
        repositories: Mapping[str, int],
        *,
        fresh: bool = False,
    ) -> Sight | None:
        """`repositories`: name → id. None where the viewer sees nothing, which is the same as no such installation.

        Raises:
            RetryLater: when GitHub cannot be asked.
        """
        if installation is None:
            return None
        if viewer.is_operator:
            return Sight(installation, None, repositories, is_admin=True)
        if installation.id not in viewer.installations or installation.state != "active":
            return None
        if split_tenant(installation.id).number != 0:
            return None  # who somebody is was told by the first GitHub; another's people may have the same names
        limit, many = asyncio.Semaphore(_AT_ONCE), len(repositories)

        async def ask(repository: str) -> str:
            async with limit:
                number = repositories[repository]
                return await self.role(
                    viewer, installation.id, repository, repository_id=number, fresh=fresh, among=many
                )

        roles = dict(zip(repositories, await asyncio.gather(*map(ask, repositories)), strict=True))
        seen = frozenset(name for name, role in roles.items() if role in MAY_DECIDE)
        if not seen:
            return None
        is_admin = all(role == "admin" for role in roles.values())
        ids = {name: number for name, number in sorted(repositories.items()) if name in seen}
        return Sight(installation, seen, ids, is_admin=is_admin)


def decide_age(repositories: int) -> float:
    """Seconds for which an answer about each of so many repositories lets a person read. Pure."""
    return max(_FRESH_SECONDS, _FRESH_SECONDS_EACH * repositories)


def load_ground(session: Session, installation_id: int) -> tuple[InstallationRow | None, dict[str, int]]:
    """The installation and its repositories, name → id, by name."""
    found = sorted((row.full_name, row.repository_id) for row in select_repositories(session, installation_id))
    return load_installation(session, installation_id), dict(found)
