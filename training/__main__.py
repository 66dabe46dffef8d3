"""`python -m training …`: bases, adapters, evaluations and the gate, from files to files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.domain.adapters import BaseCheckpoint
from app.domain.errors import UserError
from app.domain.evals import EvalReport, GatePolicy, SpotCheck
from training.process.environment import prepare_process
from training.process.spoken import spoken_errors
from training.release.commands import SigningKey, add_commands

if TYPE_CHECKING:
    from training.evaluation.judging.settings import JudgeSettings
    from training.evaluation.served import Served

if TYPE_CHECKING:
    from training.config import TrainingConfig
    from training.rows.snapshot import Snapshot

prepare_process()
cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

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
MaxRank = Annotated[
    int, typer.Option("--max-rank", envvar="UNDERSTUDY_MAX_RANK", help="Largest rank the servers hold.")
]
PricePerHour = Annotated[
    str | None, typer.Option("--price-per-hour", envvar="UNDERSTUDY_DEVICE_PRICE", help="Of the device: '2.50 EUR'.")
]
Despite = Annotated[bool, typer.Option("--despite-advice", help="Train even where the advisor says not to.")]
DEFAULT_BASE = Path(".work/base")


@cli.command()
def base(
    *,
    out: Out = DEFAULT_BASE,
    source: Annotated[Path | None, typer.Option("--from", help="A Hugging Face folder to take as the base.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; else as its folder. With --from.")] = None,
) -> None:
    """Make a base: a checkpoint of your own, or the embedded one, dequantised once to safetensors."""
    with spoken_errors():
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

    with spoken_errors():
        print(ensure_tiny(out).model_dump_json(indent=1))


@cli.command()
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
        from training.preflight.device import parse_price
        from training.preflight.flight import Flight, render_report, require_sound, run_preflight
        from training.rows.snapshot import load_snapshot

        resolved, opened = resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = _open_base(base)
        report = run_preflight(
            Flight(opened, folder, checkpoint, resolved.config, max_rank, despite, parse_price(price))
        )
        print(report.model_dump_json(indent=1) if as_json else "\n".join(render_report(report)))
        require_sound(report)


@cli.command()
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
        from training.preflight.comparing import compare_estimate
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
            _fly(opened, folder, checkpoint, resolved.config, out=out, max_rank=max_rank, price=price, despite=despite)
            progress = Progress(out / "progress.jsonl")
            with compare_estimate(out, progress) as comparison:
                record = train_adapter(task, progress)
                comparison.complete = record.stopped == "complete"
            print(record.model_dump_json(indent=1))


@cli.command()
def evaluate(
    *,
    snapshot: SnapshotFolder,
    out: Out,
    adapter: Annotated[Path | None, typer.Option(help="An adapter folder; without it the base is measured.")] = None,
    base: BaseFolder = None,
    config: ConfigChoice = None,
    judge: JudgeFile = None,
    pinned: PinnedFile = None,
    endpoint: Annotated[str | None, typer.Option(help="Measure what the server at this address serves.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="Its read key. With --endpoint.")] = None,
    served_name: Annotated[str | None, typer.Option(help="The name it must be served under.")] = None,
) -> None:
    """Measure the base, or an adapter and its controls, on the held-out part: here, or as it is served."""
    with spoken_errors():
        from training.config import resolve_config
        from training.evaluation.examining import Examination
        from training.evaluation.examining import evaluate as examine
        from training.process.files import check_file_place, save_record
        from training.process.progress import Progress
        from training.rows.snapshot import load_snapshot

        check_file_place(out)
        opened, resolved = load_snapshot(snapshot), resolve_config(config)
        folder, checkpoint = _open_base(base)
        examination = Examination(
            snapshot=opened,
            base=folder,
            checkpoint=checkpoint,
            config=resolved.config,
            adapter=adapter,
            served=_open_served(endpoint, key_file, served_name, adapter),
            judge=_open_judge(judge),
            pinned=pinned,
        )
        report = examine(examination, Progress(None))
        save_record(out, report)
        print(report.model_dump_json(indent=1, include={"suite", "engine", "arms", "seconds", "notes"}))


@cli.command()
def controls(
    *,
    snapshot: SnapshotFolder,
    out: Out,
    base: BaseFolder = None,
    config: ConfigChoice = None,
    only: Annotated[list[str] | None, typer.Option(help="One of them; may be given several times.")] = None,
    judge: JudgeFile = None,
) -> None:
    """Train adapters that should teach nothing, by the same recipe, and measure each into OUT/reports/NAME.json."""
    with spoken_errors():
        from training.config import resolve_config
        from training.evaluation.controls import Controls, parse_names, run_controls
        from training.process.lock import hold_folder
        from training.process.progress import Progress
        from training.rows.snapshot import load_snapshot

        names, resolved, opened = parse_names(only or []), resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = _open_base(base)
        with hold_folder(out / "controls"):
            made = Controls(opened, folder, checkpoint, resolved.config, out, _open_judge(judge))
            run_controls(made, names, Progress(out / "controls" / "progress.jsonl"))


@cli.command()
def gate(
    candidate: Annotated[Path, typer.Option(help="The report of the adapter.")],
    baseline: Annotated[list[Path], typer.Option(help="Reports of what it must beat; may be given several times.")],
    out: Out,
    policy: PolicyFile = None,
    spot: Annotated[Path | None, typer.Option(help="A person's spot check.")] = None,
) -> None:
    """Decide: promote, hold or reject, with every reason."""
    with spoken_errors():
        from training.gate.deciding import decide_promotion, describe_decision
        from training.process.files import load_record, save_record

        what = "an evaluation report"
        decision = decide_promotion(
            load_record(candidate, EvalReport, what=what),
            [load_record(path, EvalReport, what=what) for path in baseline],
            _open_policy(policy),
            None if spot is None else load_record(spot, SpotCheck, what="a spot check"),
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
        from training.run import Round, run_round

        resolved, opened = resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = _open_base(base)
        print("\n".join(resolved.lines()))
        with hold_folder(out):
            claim_folder(out, make_key(opened, checkpoint, resolved.config))
            _fly(opened, folder, checkpoint, resolved.config, out=out, max_rank=max_rank, price=price, despite=despite)
            learning = Round(
                snapshot=opened,
                base=folder,
                checkpoint=checkpoint,
                resolved=resolved,
                out=out,
                current=current,
                policy=_open_policy(policy),
                budget_seconds=None if max_minutes is None else 60 * max_minutes,
                signing_key=signing_key,
                judge=_open_judge(judge),
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
    print("\n".join(render_report(report)))
    require_sound(report)


def _open_base(folder: Path | None) -> tuple[Path, BaseCheckpoint]:
    from training.base.making import ensure_base, load_base

    return (DEFAULT_BASE, ensure_base(DEFAULT_BASE)) if folder is None else (folder, load_base(folder))


def _open_judge(path: Path | None) -> "JudgeSettings | None":
    from training.evaluation.judging.settings import load_judge

    return None if path is None else load_judge(path)


def _open_served(url: str | None, key_file: Path | None, name: str | None, adapter: Path | None) -> "Served | None":
    from training.evaluation.served import open_served

    if url is None:
        if key_file is not None or name is not None:
            raise UserError("expected --endpoint URL with --key-file and --served-name, got them without it")
        return None
    if key_file is None:
        raise UserError(
            "expected --key-file FILE with --endpoint; `python -m serving run` writes read.key in its state"
        )
    return open_served(url, key_file, name, adapter)


def _open_policy(path: Path | None) -> GatePolicy:
    from training.process.files import load_record

    return GatePolicy() if path is None else load_record(path, GatePolicy, what="a gate policy")


@cli.command()
def confirm(
    *,
    run: Annotated[Path, typer.Option("--run", help="A finished run folder.")],
    snapshot: SnapshotFolder,
    endpoint: Annotated[str, typer.Option(help="The server that will answer, with the version loaded.")],
    key_file: Annotated[Path, typer.Option(help="Its read key.")],
    base: BaseFolder = None,
    signing_key: SigningKey = None,
) -> None:
    """Measure a finished run again as it is served, and decide whether its verdict stands."""
    with spoken_errors():
        from training.confirm import Confirmation, confirm_run
        from training.gate.deciding import describe_decision
        from training.process.lock import hold_folder
        from training.process.progress import Progress
        from training.rows.snapshot import load_snapshot

        folder, checkpoint = _open_base(base)
        asked = Confirmation(run, load_snapshot(snapshot), folder, checkpoint, endpoint, key_file, signing_key)
        with hold_folder(run):
            print(describe_decision(confirm_run(asked, Progress(run / "progress.jsonl"))))


add_commands(cli)

if __name__ == "__main__":
    cli()
