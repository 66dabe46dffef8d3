"""A task whose folders are there."""

from pathlib import Path

from app.runners.running import TrainingTask
from tests.made_run import write_base
from tests.unit.dataset.exported import a_snapshot


def a_task(data: Path, *, current: bool = True) -> TrainingTask:
    """Everything below `data`, as the service lays it out."""
    if not (data / "snapshots" / "s").exists():
        a_snapshot(data / "snapshots" / "s")
    write_base(data / "base")
    (data / "config.yaml").write_text("rank: 8\n")
    if current:
        (data / "adapters" / "42--0123456789ab").mkdir(parents=True, exist_ok=True)
    return TrainingTask(
        name="42-ds1-0123456789abcdef0123456789abcdef01234567-01234567",
        snapshot=data / "snapshots" / "s",
        base=data / "base",
        out=data / "runs" / "r",
        config=data / "config.yaml",
        current=data / "adapters" / "42--0123456789ab" if current else None,
    )
