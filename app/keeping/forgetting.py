"""What was erased after a backup was made is erased again from what it brings back."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from sqlmodel import Session

from app.domain.base import Record
from app.domain.erasure import Subject, walk_texts
from app.domain.errors import UserError
from app.domain.tombstones import Tombstone, Tombstones
from app.store.columns import utc_now
from app.store.database import open_existing, reading
from app.store.erasures import save_erasure, save_tombstone, select_tombstones
from app.store.named import name_subjects
from app.store.tables import ErasureRow
from app.workflows.engine import enqueue_for_later
from app.workflows.runs import Queue

_OPTION = "--erasures"


class Reapplied(Record):
    """`tombstones` were not known to the backup; `erasures` are begun by the first service that starts."""

    tombstones: int
    erasures: int


def export_erasures(database_url: str, *, named: str = "UNDERSTUDY_DATABASE_URL") -> Tombstones:
    """All that was erased, by keys. Names are not kept, so none are in it. `named`: the setting or the option that
    holds the URL."""
    database = open_existing(database_url, named=named)
    try:
        with reading(database) as session:
            return Tombstones(exported_at=datetime.now(UTC), erasures=tuple(select_tombstones(session)))
    finally:
        database.dispose()


def read_erasures(source: str) -> tuple[Tombstone, ...]:
    """From a file that `python -m app erasures` wrote, or from the database that the backup is older than.

    Raises:
        UserError: when it is neither.
    """
    if "://" in source:
        return export_erasures(source, named=_OPTION).erasures
    try:
        return Tombstones.model_validate_json(Path(source).read_bytes()).erasures
    except OSError as error:
        reason = f"{error.strerror or error} at {source}"
    except ValidationError:
        reason = f"something else in {source}"
    raise UserError(
        f"expected in {_OPTION} a file that `.venv/bin/python -m app erasures FILE` wrote, or the old database's URL, "
        f"got {reason}; name one, or give --no-erasures when neither is left"
    )


def reapply(session: Session, tombstones: Iterable[Tombstone], data: Path) -> Reapplied:
    """Remember what the backup does not know of, in the session's transaction, and enqueue its erasure."""
    new: dict[int, list[Tombstone]] = defaultdict(list)
    for tombstone in tombstones:
        if save_tombstone(session, tombstone):
            new[tombstone.installation_id].append(tombstone)
    begun = 0
    for installation_id, theirs in new.items():
        for subject in name_subjects(session, installation_id, theirs, _snapshot_texts(data)):
            _erase_again(session, installation_id, subject)
            begun += 1
    return Reapplied(tombstones=sum(map(len, new.values())), erasures=begun)


def _snapshot_texts(data: Path) -> Iterator[str]:
    for file in sorted((data / "snapshots").glob("*/*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield from walk_texts(json.loads(line))


def _erase_again(session: Session, installation_id: int, subject: Subject) -> None:
    erasure_id = uuid.uuid4().hex
    row = ErasureRow(
        id=erasure_id,
        installation_id=installation_id,
        kind=subject.kind.value,
        subject=subject.name,
        subject_key=subject.key,
        reason="restored",
        lifted_at=utc_now(),  # whether it may be learned again, the tombstone says
    )
    save_erasure(session, row)
    workflow_id = f"erase:{installation_id}:{erasure_id}"
    arguments = (installation_id, erasure_id)
    enqueue_for_later(session, "erase", workflow_id, *arguments, queue=Queue.GITHUB, partition=installation_id)
