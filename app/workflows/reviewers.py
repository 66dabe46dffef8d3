"""The promoted AdapterVersion of an installation, ready to review: Locator, adapter and AcceptanceFilter together."""

import asyncio
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.domain.errors import Refused, UserError
from app.domain.prompt import Message
from app.domain.serving import BASE_NAME
from app.inference.acceptance import AcceptanceFilter, load_acceptance
from app.inference.adapter_control import AdapterControl
from app.inference.completions import CompletionClient
from app.inference.front import Front, read_front
from app.inference.locator import Locator, load_locator
from app.review.drafting import Reviewer
from app.store.database import reading
from app.store.learning import load_adapter_version, load_pointer
from app.workflows.context import services

#: Tokens of one answer: above the longest comment that the schema lets through on this base.
_ANSWER_TOKENS = 220
_SCORERS = ("locator.skops", "filter.skops")


class AdapterWriter:
    """Asks the served adapter; loads it first when the server lost it in a restart."""

    def __init__(self, front: Front, installation_id: int, name: str, folder: Path) -> None:
        self._front = front
        self._installation_id = installation_id
        self._name = name
        self._folder = folder

    async def ensure_loaded(self) -> None:
        """Raises:
        RetryLater: while the server is away.
        Refused: when it will not serve this adapter any more.
        """
        async with AdapterControl(self._front.url, self._front.control_key) as control:
            served = {adapter.name for adapter in (await control.status()).adapters}
            if self._name not in served:
                await control.load(self._name, self._folder)

    async def write(self, messages: tuple[Message, ...]) -> str | None:
        """The answer, None when it was cut off before its end: half a sentence is no comment."""
        async with CompletionClient(self._front.url, self._front.read_key) as client:
            completion = await client.complete(
                model=self._name,
                messages=messages,
                max_tokens=_ANSWER_TOKENS,
                cache_salt=str(self._installation_id),
            )
        return completion.text if completion.finish_reason == "stop" else None


class BaseModel:
    """Asks the base itself, under a schema of the caller's."""

    def __init__(self, front: Front, installation_id: int) -> None:
        self._front = front
        self._installation_id = installation_id

    async def write(self, messages: tuple[Message, ...], schema: dict[str, Any]) -> str | None:
        """The answer, None when it was cut off before its end."""
        async with CompletionClient(self._front.url, self._front.read_key) as client:
            completion = await client.complete(
                model=BASE_NAME,
                messages=messages,
                max_tokens=_ANSWER_TOKENS,
                cache_salt=str(self._installation_id),
                schema=schema,
            )
        return completion.text if completion.finish_reason == "stop" else None


def load_base_writer(installation_id: int) -> BaseModel:
    """Raises:
    RetryLater: while the model server is away.
    """
    return BaseModel(read_front(services().serving), installation_id)


async def load_reviewer(installation_id: int) -> Reviewer | None:
    """None while no adapter passed the gate.

    Raises:
        RetryLater: while the model server is away.
        Refused: when the promoted adapter can't be served.
    """
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
    folder = Path(version.path)
    writer = AdapterWriter(read_front(services().serving), installation_id, version.name, folder)
    await writer.ensure_loaded()
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
