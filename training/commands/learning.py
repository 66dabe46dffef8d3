"""`python -m training preflight | sft | run`: what makes adapters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.domain.adapters import BaseCheckpoint
from training.commands.options import (
    BaseFolder,
    ConfigChoice,
    Despite,
    JudgeFile,
    MaxRank,
    Minutes,
    Out,
    PinnedFile,
    PolicyFile,
    PricePerHour,
    SnapshotFolder,
    open_base,
    open_judge,
    open_policy,
    read_budget,
)
from training.process.spoken import spoken_errors
from training.release.commands import SigningKey

if TYPE_CHECKING:
    from training.config import TrainingConfig
    from training.rows.snapshot import Snapshot


def add_learning_commands(cli: typer.Typer) -> None:
    cli.command()(preflight)
    cli.command()(sft)
    cli.command()(run)


def preflight(
    *,
    snapshot: SnapshotFolder,
    base: BaseFolder = None,
    config: ConfigChoice = None,
    max_rank: MaxRank = 16,
    price: PricePerHour = None,
    despite: Despite = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON document.")] = False,
) -> None:
    """Whether to train, how, and what it will take; exit code 2 where a check refuses."""
    with spoken_errors():
        from training.config import resolve_config
        from training.rows.snapshot import load_snapshot

        resolved, opened = resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = open_base(base)

        from training.preflight.device import parse_price
        from training.preflight.flight import Flight, render_report, require_sound, run_preflight

        report = run_preflight(
            Flight(opened, folder, checkpoint, resolved.config, max_rank, despite, parse_price(price))
        )
        typer.echo(report.model_dump_json(indent=1) if as_json else "\n".join(render_report(report)))
        require_sound(report)


def sft(
    *,
    snapshot: SnapshotFolder,
    out: Out,
    base: BaseFolder = None,
    config: ConfigChoice = None,
    max_minutes: Minutes = None,
    max_rank: MaxRank = 16,
    price: PricePerHour = None,
    despite: Despite = False,
) -> None:
    """Train an adapter on a snapshot's comments. Run again after a crash, it goes on."""
    with spoken_errors():
        from training.config import resolve_config
        from training.process.lock import hold_folder
        from training.process.progress import Progress
        from training.process.runkey import claim_folder, make_key
        from training.process.workers import is_first_process
        from training.recipes.task import Task
        from training.rows.snapshot import load_snapshot

        resolved, opened = resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = open_base(base)
        task = Task(opened, folder, checkpoint, resolved.config, out, read_budget(max_minutes))
        if not is_first_process():  # `accelerate launch` started several; the first one holds and writes the folder
            from training.recipes.sft import train_adapter

            train_adapter(task, Progress(None))
            return
        typer.echo("\n".join(resolved.lines()))
        with hold_folder(out):
            claim_folder(out, make_key(opened, checkpoint, resolved.config))

            from training.preflight.comparing import compare_estimate
            from training.recipes.sft import train_adapter

            _fly(opened, folder, checkpoint, resolved.config, out=out, max_rank=max_rank, price=price, despite=despite)
            progress = Progress(out / "progress.jsonl")
            with compare_estimate(out, progress) as comparison:
                record = train_adapter(task, progress)
                comparison.complete = record.stopped == "complete"
            typer.echo(record.model_dump_json(indent=1))


def run(
    *,
    snapshot: SnapshotFolder,
    out: Out,
    base: BaseFolder = None,
    config: ConfigChoice = None,
    current: Annotated[Path | None, typer.Option(help="The adapter version in use, to be compared with.")] = None,
    max_minutes: Minutes = None,
    policy: PolicyFile = None,
    signing_key: SigningKey = None,
    judge: JudgeFile = None,
    pinned: PinnedFile = None,
    max_rank: MaxRank = 16,
    price: PricePerHour = None,
    despite: Despite = False,
) -> None:
    """A whole learning round: Locator, AcceptanceFilter, adapter, evaluation and gate."""
    with spoken_errors():
        from training.config import resolve_config
        from training.process.lock import hold_folder
        from training.process.progress import Progress
        from training.process.runkey import claim_folder, make_key
        from training.rows.snapshot import load_snapshot

        resolved, opened = resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = open_base(base)
        thresholds, judging = open_policy(policy), open_judge(judge)
        typer.echo("\n".join(resolved.lines()))
        with hold_folder(out):
            claim_folder(out, make_key(opened, checkpoint, resolved.config))

            from training.run import Round, run_round

            _fly(opened, folder, checkpoint, resolved.config, out=out, max_rank=max_rank, price=price, despite=despite)
            learning = Round(
                snapshot=opened,
                base=folder,
                checkpoint=checkpoint,
                resolved=resolved,
                out=out,
                current=current,
                policy=thresholds,
                budget_seconds=read_budget(max_minutes),
                signing_key=signing_key,
                judge=judging,
                pinned=pinned,
            )
            run_round(learning, Progress(out / "progress.jsonl"))


def _fly(
    snapshot: "Snapshot",
    base: Path,
    checkpoint: BaseCheckpoint,
    config: "TrainingConfig",
    *,
    out: Path,
    max_rank: int,
    price: str | None,
    despite: bool,
) -> None:
    """The pre-flight of a run folder, said and held."""
    from training.preflight.device import parse_price
    from training.preflight.flight import Flight, ensure_preflight, render_report, require_sound

    flight = Flight(snapshot, base, checkpoint, config, max_rank, despite, parse_price(price))
    report = ensure_preflight(flight, out)
    typer.echo("\n".join(render_report(report)))
    require_sound(report)
