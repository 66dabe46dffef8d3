"""`python -m training evaluate | controls | gate | confirm`: figures, and what is decided from them."""

from pathlib import Path
from typing import Annotated

import typer

from app.domain.evals import EvalReport, SpotCheck
from training.commands.options import (
    BaseFolder,
    ConfigChoice,
    JudgeFile,
    Out,
    PinnedFile,
    PolicyFile,
    SnapshotFolder,
    open_base,
    open_judge,
    open_policy,
    open_served,
)
from training.process.spoken import spoken_errors
from training.release.commands import SigningKey


def add_measuring_commands(cli: typer.Typer) -> None:
    cli.command()(evaluate)
    cli.command()(controls)
    cli.command()(gate)
    cli.command()(confirm)


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
        from training.evaluation.naming import name_adapter
        from training.process.files import check_file_place, save_record
        from training.process.progress import Progress
        from training.rows.snapshot import load_snapshot

        check_file_place(out)
        opened, resolved = load_snapshot(snapshot), resolve_config(config)
        folder, checkpoint = open_base(base)
        name_adapter(adapter, checkpoint)
        served, judging = open_served(endpoint, key_file, served_name, adapter), open_judge(judge)

        from training.evaluation.examining import Examination
        from training.evaluation.examining import evaluate as examine

        examination = Examination(
            snapshot=opened,
            base=folder,
            checkpoint=checkpoint,
            config=resolved.config,
            adapter=adapter,
            served=served,
            judge=judging,
            pinned=pinned,
        )
        report = examine(examination, Progress(None))
        save_record(out, report)
        typer.echo(report.model_dump_json(indent=1, include={"suite", "engine", "arms", "seconds", "notes"}))


def controls(
    *,
    snapshot: SnapshotFolder,
    out: Out,
    base: BaseFolder = None,
    config: ConfigChoice = None,
    only: Annotated[list[str] | None, typer.Option(help="One of them; may be given several times.")] = None,
    judge: JudgeFile = None,
    signing_key: SigningKey = None,
) -> None:
    """Train adapters that should teach nothing, by the same recipe, and measure each into OUT/reports/NAME.json.

    Where OUT is a finished run, the gate decides it again with them.
    """
    with spoken_errors():
        from training.config import resolve_config
        from training.evaluation.naming import parse_controls
        from training.process.lock import hold_folder
        from training.process.progress import Progress
        from training.rows.snapshot import load_snapshot

        names, resolved, opened = parse_controls(only or []), resolve_config(config), load_snapshot(snapshot)
        folder, checkpoint = open_base(base)
        judging = open_judge(judge)

        from training.release.deciding import check_key, decide_again

        check_key(out, signing_key)
        with hold_folder(out / "controls"):
            from training.evaluation.controls import Controls, run_controls
            from training.gate.deciding import describe_decision

            made = Controls(opened, folder, checkpoint, resolved.config, out, judging)
            run_controls(made, names, Progress(out / "controls" / "progress.jsonl"))
        if (out / "decision.json").is_file():
            with hold_folder(out):
                typer.echo(describe_decision(decide_again(out, signing_key)))


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
            open_policy(policy),
            None if spot is None else load_record(spot, SpotCheck, what="a spot check"),
        )
        save_record(out, decision)
        typer.echo(describe_decision(decision))


def confirm(
    *,
    run: Annotated[Path, typer.Option("--run", help="A finished run folder.")],
    snapshot: SnapshotFolder,
    endpoint: Annotated[str, typer.Option(help="The server that will answer, with the version loaded.")],
    key_file: Annotated[Path, typer.Option(help="Its read key.")],
    base: BaseFolder = None,
    signing_key: SigningKey = None,
    policy: PolicyFile = None,
) -> None:
    """Measure a finished run again as it is served, and decide whether its verdict stands.

    The thresholds are the standing ones, or those of --policy; a run that was decided under others is refused.
    """
    with spoken_errors():
        from training.confirm import Confirmation, confirm_run
        from training.gate.deciding import describe_decision
        from training.process.lock import hold_folder
        from training.process.progress import Progress
        from training.rows.snapshot import load_snapshot

        folder, checkpoint = open_base(base)
        thresholds = open_policy(policy)
        asked = Confirmation(
            run, load_snapshot(snapshot), folder, checkpoint, endpoint, key_file, signing_key, thresholds
        )
        with hold_folder(run):
            typer.echo(describe_decision(confirm_run(asked, Progress(run / "progress.jsonl"))))
