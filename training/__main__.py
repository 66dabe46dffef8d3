"""`python -m training …`: bases, adapters, evaluations and the gate, from files to files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import UnderstudyError, UserError
from app.domain.evals import EvalReport, GatePolicy
from training.process.environment import prepare_process

prepare_process()
cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Out = Annotated[Path, typer.Option(help="Where the result goes.")]
SnapshotFolder = Annotated[Path, typer.Option("--snapshot", help="A DatasetSnapshot folder.")]
BaseFolder = Annotated[Path | None, typer.Option("--base", help="A base folder; made in .work/base if not given.")]
ConfigChoice = Annotated[str | None, typer.Option("--config", help="A YAML file, or: default, demo, smoke.")]
Minutes = Annotated[float | None, typer.Option("--max-minutes", min=0.01, help="Stop well within this time.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="A GatePolicy as JSON.")]
DEFAULT_BASE = Path(".work/base")


@contextmanager
def _spoken_errors() -> Iterator[None]:
    """Errors made for people are shown without a traceback; anything else is a bug and keeps its own."""
    try:
        yield
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


@cli.command()
def base(
    *,
    out: Out = DEFAULT_BASE,
    source: Annotated[Path | None, typer.Option("--from", help="A Hugging Face folder to take as the base.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; else as its folder. With --from.")] = None,
) -> None:
    """Make a base: a checkpoint of your own, or the embedded one, dequantised once to safetensors."""
    with _spoken_errors():
        from training.base.adoption import adopt_base
        from training.base.making import ensure_base

        if source is None and name is not None:
            raise UserError("expected --from DIR with --name, got no --from; the embedded base has its own name")
        made = ensure_base(out) if source is None else adopt_base(source, out, name=name)
        print(made.model_dump_json(indent=1))


@cli.command()
def tiny(out: Out) -> None:
    """Make a random two-layer base with the real tokenizer, for fast tests."""
    from training.base.making import ensure_tiny

    with _spoken_errors():
        print(ensure_tiny(out).model_dump_json(indent=1))


@cli.command()
def sft(
    *,
    snapshot: SnapshotFolder,
    out: Out,
    base: BaseFolder = None,
    config: ConfigChoice = None,
    max_minutes: Minutes = None,
) -> None:
    """Train an adapter on a snapshot's comments. Run again after a crash, it goes on."""
    with _spoken_errors():
        from training.config import resolve_config
        from training.process.lock import hold_folder
        from training.process.progress import Progress
        from training.process.runkey import claim_folder, make_key
        from training.recipes.sft import is_first_process, train_adapter
        from training.recipes.task import Task
        from training.rows.snapshot import load_snapshot

        resolved, opened = resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = _open_base(base)
        budget = None if max_minutes is None else 60 * max_minutes
        task = Task(opened, folder, checkpoint, resolved.config, out, budget)
        if not is_first_process():  # `accelerate launch` started several; the first one holds and writes the folder
            train_adapter(task, Progress(None))
            return
        print("\n".join(resolved.lines()))
        with hold_folder(out):
            claim_folder(out, make_key(opened, checkpoint, resolved.config))
            print(train_adapter(task, Progress(out / "progress.jsonl")).model_dump_json(indent=1))


@cli.command()
def evaluate(
    *,
    snapshot: SnapshotFolder,
    out: Out,
    adapter: Annotated[Path | None, typer.Option(help="An adapter folder; without it the base is measured.")] = None,
    base: BaseFolder = None,
    config: ConfigChoice = None,
) -> None:
    """Measure the base, or an adapter and its controls, on the held-out part."""
    with _spoken_errors():
        from training.config import resolve_config
        from training.evaluation.examining import Examination
        from training.evaluation.examining import evaluate as examine
        from training.process.files import check_file_place, save_record
        from training.process.progress import Progress
        from training.rows.snapshot import load_snapshot

        check_file_place(out)
        opened, resolved = load_snapshot(snapshot), resolve_config(config)
        folder, checkpoint = _open_base(base)
        report = examine(Examination(opened, folder, checkpoint, resolved.config, adapter), Progress(None))
        save_record(out, report)
        print(report.model_dump_json(indent=1, include={"suite", "arms", "seconds", "notes"}))


@cli.command()
def gate(
    candidate: Annotated[Path, typer.Option(help="The report of the adapter.")],
    baseline: Annotated[list[Path], typer.Option(help="Reports of what it must beat; may be given several times.")],
    out: Out,
    policy: PolicyFile = None,
) -> None:
    """Decide: promote, hold or reject, with every reason."""
    with _spoken_errors():
        from training.gate import decide_promotion, describe_decision
        from training.process.files import load_record, save_record

        what = "an evaluation report"
        decision = decide_promotion(
            load_record(candidate, EvalReport, what=what),
            [load_record(path, EvalReport, what=what) for path in baseline],
            _open_policy(policy),
        )
        save_record(out, decision)
        print(describe_decision(decision))


@cli.command()
def run(
    *,
    snapshot: SnapshotFolder,
    out: Out,
    base: BaseFolder = None,
    config: ConfigChoice = None,
    current: Annotated[Path | None, typer.Option(help="The adapter version in use, to be compared with.")] = None,
    max_minutes: Minutes = None,
    policy: PolicyFile = None,
) -> None:
    """A whole learning round: Locator, AcceptanceFilter, adapter, evaluation and gate."""
    with _spoken_errors():
        from training.config import resolve_config
        from training.process.lock import hold_folder
        from training.process.progress import Progress
        from training.rows.snapshot import load_snapshot
        from training.run import Round, run_round

        resolved, opened = resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = _open_base(base)
        print("\n".join(resolved.lines()))
        with hold_folder(out):
            learning = Round(
                snapshot=opened,
                base=folder,
                checkpoint=checkpoint,
                resolved=resolved,
                out=out,
                current=current,
                policy=_open_policy(policy),
                budget_seconds=None if max_minutes is None else 60 * max_minutes,
            )
            run_round(learning, Progress(out / "progress.jsonl"))


def _open_base(folder: Path | None) -> tuple[Path, BaseCheckpoint]:
    from training.base.making import ensure_base, load_base

    return (DEFAULT_BASE, ensure_base(DEFAULT_BASE)) if folder is None else (folder, load_base(folder))


def _open_policy(path: Path | None) -> GatePolicy:
    from training.process.files import load_record

    return GatePolicy() if path is None else load_record(path, GatePolicy, what="a gate policy")


if __name__ == "__main__":
    cli()
