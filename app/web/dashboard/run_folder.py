"""Reading what a training left in its run folder. A file that is no such record counts as not there."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from app.domain.base import Record
from app.domain.evals import EvalReport
from app.runners.progress import FILE, TrainingProgress
from app.web.dashboard.charts import Point

#: Bytes of a curve that are read, its end: a line has about 200.
_LONGEST_CURVE = 2_000_000
_LONGEST_RECORD = 64 * 1024 * 1024
Kind = TypeVar("Kind", bound=Record)


def read_points(folder: Path) -> list[Point]:
    """The losses that the trainer told, in order."""
    try:
        with (folder / FILE).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LONGEST_CURVE))
            lines = file.read(_LONGEST_CURVE).split(b"\n")
    except OSError:
        return []
    found = (_parse(line) for line in lines if line)
    return [Point(one.stage, one.step, one.loss) for one in found if one is not None and one.loss is not None]


def _parse(line: bytes) -> TrainingProgress | None:
    try:
        return TrainingProgress.model_validate_json(line)
    except ValidationError:
        return None


def read_report(folder: Path, name: str = "candidate") -> EvalReport | None:
    return _read_record(folder / "reports" / f"{name}.json", EvalReport)


def read_adapter_name(folder: Path) -> str | None:
    """The version that the run made."""
    try:
        found: Any = json.loads((folder / "run.json").read_bytes())
    except (OSError, ValueError):
        return None
    name = found.get("adapter") if isinstance(found, dict) else None
    return name if isinstance(name, str) else None


def _read_record(path: Path, kind: type[Kind]) -> Kind | None:
    try:
        if path.is_symlink() or path.stat().st_size > _LONGEST_RECORD:
            return None
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
