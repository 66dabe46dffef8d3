"""Options that several commands share, and what they open."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import UserError
from app.domain.evals import GatePolicy

if TYPE_CHECKING:
    from training.evaluation.judging.settings import JudgeSettings
    from training.evaluation.served import Served

Out = Annotated[Path, typer.Option(help="Where the result goes.")]
SnapshotFolder = Annotated[Path, typer.Option("--snapshot", help="A DatasetSnapshot folder.")]
BaseFolder = Annotated[Path | None, typer.Option("--base", help="A base folder; made in .work/base if not given.")]
ConfigChoice = Annotated[str | None, typer.Option("--config", help="A YAML file, or: default, demo, smoke.")]
Minutes = Annotated[float | None, typer.Option("--max-minutes", min=0.01, help="Stop well within this time.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="A GatePolicy as JSON.")]
JudgeFile = Annotated[Path | None, typer.Option("--judge", help="A judge's settings (YAML); without it nobody judges.")]
PinnedFile = Annotated[
    Path | None, typer.Option("--pinned", help="The installation's regression set; made there if absent, then kept.")
]
MaxRank = Annotated[int, typer.Option("--max-rank", help="Largest rank the servers hold.")]
PricePerHour = Annotated[str | None, typer.Option("--price-per-hour", help="Of the device: '2.50 EUR'.")]
Despite = Annotated[bool, typer.Option("--despite-advice", help="Train even where the advisor says not to.")]
DEFAULT_BASE = Path(".work/base")


def open_base(folder: Path | None) -> tuple[Path, BaseCheckpoint]:
    """The base given, or the embedded one, which is made once."""
    from training.base.making import ensure_base, load_base

    return (DEFAULT_BASE, ensure_base(DEFAULT_BASE)) if folder is None else (folder, load_base(folder))


def open_judge(path: Path | None) -> "JudgeSettings | None":
    from training.evaluation.judging.settings import load_judge

    return None if path is None else load_judge(path)


def open_served(url: str | None, key_file: Path | None, name: str | None, adapter: Path | None) -> "Served | None":
    """The server to ask; None where weights of our own are measured.

    Raises:
        UserError: when one of address and key is given without the other.
    """
    from training.evaluation.served import open_served as open_front

    if url is None:
        if key_file is not None or name is not None:
            raise UserError("expected --endpoint URL with --key-file and --served-name, got them without it")
        return None
    if key_file is None:
        raise UserError(
            "expected --key-file FILE with --endpoint; `.venv/bin/python -m serving run` writes read.key in its state"
        )
    return open_front(url, key_file, name, adapter)


def open_policy(path: Path | None) -> GatePolicy:
    from training.process.files import load_record

    return GatePolicy() if path is None else load_record(path, GatePolicy, what="a gate policy")


def read_budget(minutes: float | None) -> float | None:
    """Seconds."""
    return None if minutes is None else 60 * minutes
