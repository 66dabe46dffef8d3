"""The model servers that are configured: which of them answer, and which one is asked."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import ValidationError

from app.domain.base import Record
from app.domain.errors import Refused, RetryLater
from app.domain.serving import BASE_NAME, ServingStatus
from app.inference.adapter_control import STATUS_LIMIT_SECONDS, AdapterControl
from app.inference.front import Front, read_front


class Replica(Record):
    """A server that answered. `folder` is its state folder."""

    folder: Path
    front: Front
    status: ServingStatus

    @property
    def known(self) -> frozenset[str]:
        """Adapters that it answers for: those it holds, and those that rest there."""
        return frozenset({*(adapter.name for adapter in self.status.adapters), *self.status.resting})


class Away(Record):
    """A server that did not answer, and why."""

    folder: Path
    message: str


class Survey(Record):
    replicas: tuple[Replica, ...]
    away: tuple[Away, ...]


async def survey(folders: Sequence[Path], agreed_hosts: Collection[str] = ()) -> Survey:
    """Ask all at once how they are; one that is away holds up no other. `agreed_hosts`: as for `read_front`."""
    found = await asyncio.gather(*(_ask(folder, agreed_hosts) for folder in folders))
    return Survey(
        replicas=tuple(one for one in found if isinstance(one, Replica)),
        away=tuple(one for one in found if isinstance(one, Away)),
    )


async def _ask(folder: Path, agreed_hosts: Collection[str]) -> Replica | Away:
    try:
        front = read_front(folder, agreed_hosts)
        async with AdapterControl(front.url, front.control_key, limit_seconds=STATUS_LIMIT_SECONDS) as control:
            return Replica(folder=folder, front=front, status=await control.status())
    except (RetryLater, Refused) as error:  # Refused: the host, the program there, or the key is another
        return Away(folder=folder, message=str(error))
    except ValidationError:
        return Away(
            folder=folder, message=f"{folder}: expected a server of this version, got another's status; update it"
        )


def rank_replicas(replicas: Sequence[Replica], name: str) -> tuple[Replica, ...]:
    """Those that are ready, in the order to ask: who holds the adapter, then where it rests, then the least busy."""

    def order(replica: Replica) -> tuple[int, int]:
        held = name == BASE_NAME or any(adapter.name == name for adapter in replica.status.adapters)
        return (0 if held else 1 if name in replica.status.resting else 2, replica.status.answering)

    return tuple(sorted((one for one in replicas if one.status.state == "ready"), key=order))


def explain_away(found: Survey) -> RetryLater:
    """The error of whoever found no server to ask."""
    reasons = [one.message for one in found.away] + [f"{one.folder}: {one.status.state}" for one in found.replicas]
    return RetryLater("no model server is ready: " + "; ".join(reasons), 5.0)
