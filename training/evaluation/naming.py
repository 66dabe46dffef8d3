"""Names of what is measured: arms, controls, and the adapter, after a look at whether it fits the base."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from app.domain.adapters import AdapterManifest, BaseCheckpoint, check_base
from app.domain.errors import Refused, UserError
from training.process.files import load_record
from training.process.runkey import read_key

#: Trainings whose only purpose is to be worse than the candidate.
ControlName = Literal["random_subset", "inverted", "shuffled"]
CONTROLS: tuple[ControlName, ...] = get_args(ControlName)
ArmName = Literal["candidate", "current", "random_subset", "inverted", "shuffled"]


def parse_controls(names: Sequence[str]) -> tuple[ControlName, ...]:
    """All controls for none.

    Raises:
        UserError: naming the one that is unknown.
    """
    unknown = [name for name in names if name not in CONTROLS]
    if unknown:
        raise UserError(f"expected controls among {', '.join(CONTROLS)}, got {unknown[0]}")
    return tuple(name for name in CONTROLS if not names or name in names)


def name_adapter(adapter: Path | None, checkpoint: BaseCheckpoint) -> str | None:
    """What is measured on this base; None for the base itself.

    Raises:
        Refused: when it was trained on another base.
    """
    if adapter is None:
        return None
    stated = adapter / "manifest.json"
    if stated.is_file():
        manifest = load_record(stated, AdapterManifest, what="an adapter's manifest")
        check_base(manifest, checkpoint)
        return manifest.name
    key = read_key(adapter)
    if key is not None and key.base != checkpoint:
        raise Refused(
            "other_base",
            f"the adapter in {adapter} was trained on base {_spell(key.base)}, the base given is "
            f"{_spell(checkpoint)}; name the one it was trained on",
        )
    return adapter.name


def _spell(base: BaseCheckpoint) -> str:
    return f"{base.name} {base.revision} (weights {base.weights_hash[:12]})"
