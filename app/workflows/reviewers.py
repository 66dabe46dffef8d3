"""Who reviews for an installation: its promoted AdapterVersion, or, when it is asked for by name, the bare base."""

import asyncio
import hashlib
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from app.domain.errors import Refused, RetryLater, UserError
from app.domain.prompt import RESPONSE_SCHEMA, Message
from app.domain.serving import BASE_NAME
from app.inference.acceptance import AcceptanceFilter, load_acceptance
from app.inference.adapter_control import AdapterControl
from app.inference.completions import CompletionClient
from app.inference.front import Front
from app.inference.locator import Locator, load_locator
from app.inference.replicas import Replica, explain_away, rank_replicas, survey
from app.review.agreement import TEMPERATURE
from app.review.budget import ANSWER_TOKENS
from app.review.drafting import Reviewer
from app.store.database import reading
from app.store.rounds import load_adapter_version, load_pointer
from app.store.tables import AdapterVersionRow
from app.workflows.context import services

_SCORERS = ("locator.skops", "filter.skops")
_log = logging.getLogger(__name__)


class _Asked(NamedTuple):
    messages: tuple[Message, ...]
    schema: dict[str, Any]
    max_tokens: int
    seed: int | None


class ServedWriter:
    """Asks the first server for a comment, and the next one when it goes away. `folder` is None for the base."""

    def __init__(self, fronts: tuple[Front, ...], installation_id: int, name: str, folder: Path | None) -> None:
        self._fronts = fronts
        self._installation_id = installation_id
        self._name = name
        self._folder = folder

    async def write(
        self,
        messages: tuple[Message, ...],
        schema: dict[str, Any] = RESPONSE_SCHEMA,
        *,
        max_tokens: int = ANSWER_TOKENS,
        seed: int | None = None,
    ) -> str | None:
        """The answer under the schema, None when it was cut off before its end: half a sentence is no comment. With a
        seed it is a sample.

        Raises:
            RetryLater: while all servers are away.
            Refused: when none serves this adapter any more, or the messages are longer than the last one takes
                (`too_long`).
        """
        *others, last = self._fronts
        asked = _Asked(messages, schema, max_tokens, seed)
        for front in others:
            try:
                return await self._ask(front, asked)
            except (RetryLater, Refused) as error:
                _log.warning("%s did not answer for %s, the next server is asked: %s", front.url, self._name, error)
        return await self._ask(last, asked)

    async def _ask(self, front: Front, asked: _Asked) -> str | None:
        try:
            return await self._complete(front, asked)
        except Refused as error:
            if error.reason != "unknown_name" or self._folder is None:
                raise
        async with AdapterControl(front.url, front.control_key) as control:
            await control.load(self._name, self._folder)
        return await self._complete(front, asked)

    async def _complete(self, front: Front, asked: _Asked) -> str | None:
        async with CompletionClient(front.url, front.read_key) as client:
            completion = await client.complete(
                model=self._name,
                messages=asked.messages,
                max_tokens=asked.max_tokens,
                cache_salt=str(self._installation_id),
                schema=asked.schema,
                temperature=0 if asked.seed is None else TEMPERATURE,
                seed=asked.seed,
            )
        return completion.text if completion.finish_reason == "stop" else None


async def find_fronts(name: str, folder: Path | None) -> tuple[Front, ...]:
    """Servers in the order to ask; the first holds the adapter, loaded now if none did. `folder` is None for the base.

    Raises:
        RetryLater: while no server is ready.
        Refused: when all that are ready refuse the adapter.
    """
    found = await survey(services().servers, services().serving_hosts)
    ranked = rank_replicas(found.replicas, name)
    troubles: list[RetryLater | Refused] = []
    for replica in ranked:
        try:
            await _ensure_loaded(replica, name, folder)
        except (RetryLater, Refused) as error:
            troubles.append(error)
        else:
            return (replica.front, *(other.front for other in ranked if other is not replica))
    if not troubles:
        raise explain_away(found)
    raise next((trouble for trouble in troubles if isinstance(trouble, RetryLater)), troubles[0])


async def _ensure_loaded(replica: Replica, name: str, folder: Path | None) -> None:
    if folder is not None and name not in replica.known:
        async with AdapterControl(replica.front.url, replica.front.control_key) as control:
            await control.load(name, folder)


async def load_reviewer(installation_id: int) -> Reviewer | None:
    """None while no adapter passed the gate.

    Raises:
        RetryLater: while no model server is ready.
        Refused: when the promoted adapter can't be served.
    """
    version = _load_promoted(installation_id)
    return None if version is None else await _load_taught(installation_id, version)


async def load_base_writer(installation_id: int) -> ServedWriter:
    """The bare base, which learned nothing from this team.

    Raises:
        RetryLater: while no model server is ready.
    """
    return ServedWriter(await find_fronts(BASE_NAME, None), installation_id, BASE_NAME, None)


def _load_promoted(installation_id: int) -> AdapterVersionRow | None:
    with reading(services().database) as session:
        pointer = load_pointer(session, installation_id)
        if pointer is None or pointer.adapter_name is None:
            return None
        version = load_adapter_version(session, installation_id, pointer.adapter_name)
    if version is None:
        raise Refused(
            "no_version",
            f"the promoted adapter {pointer.adapter_name} is not in the registry; roll back with POST "
            f"/operator/installations/{installation_id}/rollback",
        )
    return version


async def _load_taught(installation_id: int, version: AdapterVersionRow) -> Reviewer:
    folder = Path(version.path)
    writer = ServedWriter(await find_fronts(version.name, folder), installation_id, version.name, folder)
    hashes = (version.manifest["files"].get(name, "") for name in _SCORERS)
    locator, acceptance = await asyncio.to_thread(_load_scorers, folder, *hashes)
    return Reviewer(adapter=version.name, locator=locator, writer=writer, acceptance=acceptance)


@lru_cache(maxsize=16)
def _load_scorers(folder: Path, locator_hash: str, filter_hash: str) -> tuple[Locator, AcceptanceFilter]:
    """Kept by folder and hashes: a version's folder never changes.

    Raises:
        Refused: `tampered`, when a file is not the one that the registry's manifest names.
    """
    if not folder.is_dir():
        raise UserError(
            f"expected the promoted adapter in {folder}, got no such folder; restore it or roll back with "
            "POST /operator/installations/ID/rollback"
        )
    for name, wanted in zip(_SCORERS, (locator_hash, filter_hash), strict=True):
        check_file(folder / name, wanted)
    return load_locator(folder / _SCORERS[0]), load_acceptance(folder / _SCORERS[1])


def check_file(path: Path, wanted: str) -> None:
    """Raises:
    Refused: `tampered`, when the file's sha256 is not the wanted one.
    UserError: when there is no such file.
    """
    if not path.is_file():
        raise UserError(f"expected {path.name} of the promoted adapter in {path.parent}; restore it or roll back")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wanted:
        raise Refused("tampered", f"{path} has sha256 {found}, but the registry says {wanted}; it was changed")
