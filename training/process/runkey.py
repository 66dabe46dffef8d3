"""What a run folder belongs to, so that a restart continues its own work and never somebody else's."""

from pathlib import Path

from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record
from app.domain.errors import UserError
from app.domain.prompt import PROMPT_VERSION
from training.config import TrainingConfig
from training.process.files import load_record, save_record
from training.rows.snapshot import Snapshot

FILE = "key.json"


class RunKey(Record):
    """One snapshot, base, prompt version and configuration: the same key gives the same adapter."""

    snapshot: str
    base: BaseCheckpoint
    prompt_version: str
    config: TrainingConfig


def make_key(snapshot: Snapshot, base: BaseCheckpoint, config: TrainingConfig) -> RunKey:
    return RunKey(snapshot=snapshot.id, base=base, prompt_version=PROMPT_VERSION, config=config)


def claim_folder(out: Path, key: RunKey) -> None:
    """Bind the folder to the key.

    Raises:
        UserError: when it is bound to another; the first field that differs is named.
    """
    found = read_key(out)
    if found is None:
        save_record(out / FILE, key)
        return
    for field in RunKey.model_fields:
        if getattr(found, field) != getattr(key, field):
            raise UserError(
                f"{out} belongs to another training: its {field} differs from the one asked for now; name a new folder "
                "or delete this one"
            )


def read_key(out: Path) -> RunKey | None:
    """The folder's key, None where it has none."""
    return load_record(out / FILE, RunKey, what="a run's key") if (out / FILE).is_file() else None
