"""Which GitHub a tenant is of. Pure.

Two servers may give out the same installation id, so the id that our tables, folders and adapters know a tenant by says
both: `number << 44 | GitHub's installation id`. Of host number 0 that is GitHub's own id. See ADR 0028.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.errors import Refused, UserError

_BITS = 44
LARGEST_INSTALLATION = 2**_BITS - 1
#: So that ids stay below 2**53: readers of JSON that know no integers keep those exactly.
LARGEST_HOST = 2 ** (53 - _BITS) - 1


class Tenant(NamedTuple):
    """Number of the host, and the installation's id there."""

    number: int
    installation_id: int


def join_tenant(number: int, installation_id: int) -> int:
    """Raises:
    Refused: `installation`, for numbers that no id of ours can hold.
    """
    if not 0 <= number <= LARGEST_HOST or not 0 < installation_id <= LARGEST_INSTALLATION:
        raise Refused(
            "installation",
            f"expected a host from 0 to {LARGEST_HOST} and an installation from 1 to {LARGEST_INSTALLATION}, "
            f"got {number} and {installation_id}",
        )
    return number << _BITS | installation_id


def split_tenant(tenant_id: int) -> Tenant:
    """Raises:
    Refused: `installation`, for what `join_tenant` never gave.
    """
    tenant = Tenant(tenant_id >> _BITS, tenant_id & LARGEST_INSTALLATION)
    join_tenant(*tenant)
    return tenant


def bot_login(app_slug: str) -> str:
    """What GitHub's REST calls the account that an App writes as; GraphQL says the slug alone."""
    return f"{app_slug}[bot]"


@dataclass(frozen=True)
class Host:
    """A GitHub: its number here, which never changes, the name that GUIDs, ids and mirrors begin with, and what our App
    is called there."""

    number: int
    name: str
    app_slug: str

    @property
    def login(self) -> str:
        """The account that our App writes as."""
        return bot_login(self.app_slug)


class Hosts:
    """All that are configured, by number and by name."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self._by_number = {host.number: host for host in hosts}

    def __iter__(self) -> Iterator[Host]:
        return iter(self._by_number.values())

    def find(self, tenant_id: int) -> Host | None:
        return self._by_number.get(split_tenant(tenant_id).number)

    def of(self, tenant_id: int) -> Host:
        """Raises:
        UserError: when the tenant's host is no longer configured.
        """
        host = self.find(tenant_id)
        if host is None:
            number = split_tenant(tenant_id).number
            raise UserError(
                f"expected host number {number}, that of installation {tenant_id}, in the file of UNDERSTUDY_HOSTS, "
                f"got {', '.join(map(str, self._by_number))}; name it there again, or erase that installation"
            )
        return host

    def named(self, name: str) -> Host | None:
        return next((host for host in self._by_number.values() if host.name == name.lower()), None)
