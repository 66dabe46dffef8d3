"""The commands that rehearse: `demo`, `rehearse`, `import-comments`. Heavy parts are imported when they run."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.domain.errors import UserError, spoken_place

WORK = Path(".work")
#: Rank, rate and length that suit three minutes on two cores.
DEMO_TRAINING = Path(__file__).parents[2] / "training" / "configs" / "demo.yaml"


class Until(StrEnum):
    HARVEST = "harvest"
    SNAPSHOT = "snapshot"
    TRAIN = "train"
    REVIEW = "review"


def demo(
    *,
    work: Annotated[Path, typer.Option(help="Where everything is put; logs too.")] = WORK / "demo",
    json: Annotated[Path | None, typer.Option(help="Write every stage's figures to this file.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start clean instead of keeping what was trained.")] = False,
    noise: Annotated[bool, typer.Option("--noise", help="Shuffle the comments: the gate must refuse.")] = False,
    training_config: Annotated[Path, typer.Option(help="A training configuration of your own.")] = DEMO_TRAINING,
    kill_at: Annotated[str, typer.Option(help="kill -9 the service there, e.g. harvest,training,review.")] = "",
) -> None:
    """The whole loop on this machine: harvest, curate, train, gate, serve, review.

    Ends with status 1 when a stage did not do its work, 2 when it was called wrongly.
    """
    from app.rehearsal.console import Narrator
    from app.rehearsal.demo.run import DemoOptions, run_demo

    options = DemoOptions(
        work=work,
        figures=json,
        fresh=fresh,
        noise=noise,
        training_config=training_config.absolute(),
        kill_at=tuple(point for point in kill_at.split(",") if point),
    )
    if not run_demo(options, Narrator()):
        raise typer.Exit(1)


def rehearse(
    *,
    out: Annotated[Path, typer.Option(help="Where examples, findings, requests and the report are written.")],
    archive: Annotated[Path | None, typer.Option(help="Recorded pull requests, one JSON object a line.")] = None,
    mirror: Annotated[
        Path | None, typer.Option(help="A bare mirror of that repository, with refs/pull/*/head.")
    ] = None,
    live: Annotated[str, typer.Option(help="OWNER/NAME on GitHub, instead of an archive: read, never written.")] = "",
    newest: Annotated[int, typer.Option(min=1, help="Merged pull requests to read of a live repository.")] = 200,
    until: Annotated[Until, typer.Option(help="How far to go.")] = Until.REVIEW,
    base: Annotated[Path, typer.Option(help="The base checkpoint's folder; made when it is not there.")] = WORK
    / "base",
    training_config: Annotated[Path | None, typer.Option(help="A training configuration of your own.")] = None,
) -> None:
    """A real project through the real loop, recorded or live. Nothing is posted anywhere."""
    from app.rehearsal.console import Narrator
    from app.rehearsal.live import record
    from app.rehearsal.rehearse import rehearse as play

    story, host = Narrator(), ""
    if live and (archive is None and mirror is None):
        host, (archive, mirror) = record(live, out / "recorded", newest, story)
    elif live or archive is None or mirror is None:
        raise UserError("expected either --archive and --mirror, or --live OWNER/NAME; give one of the two")
    config = None if training_config is None else training_config.absolute()  # its reader stands in the checkout
    play(archive, mirror, out, until=until, base=base.absolute(), training_config=config, story=story, host=host)


def import_comments(
    train: Annotated[Path, typer.Argument(help="Review comments with their hunk, one JSON object a line.")],
    snapshot: Annotated[Path, typer.Option(help="The folder to make.")],
    heldout: Annotated[Path | None, typer.Option(help="Newer ones to test on; else the newest fifth is kept.")] = None,
    installation: Annotated[str, typer.Option(help="What the adapter will be named after.")] = "imported",
) -> None:
    """Make a snapshot from review comments of your own. docs/import.md in the checkout says what a row holds."""
    from app.dataset.imports import import_comments as make_snapshot

    if snapshot.exists() and not snapshot.is_dir():
        raise UserError(f"expected --snapshot to name a folder to make, got {snapshot}, which is a file; name another")
    with spoken_place(snapshot):
        manifest = make_snapshot(train, heldout, snapshot, installation=installation, created_at=datetime.now(UTC))
    typer.echo(f"{manifest.id} in {snapshot}")
    for name, rows in manifest.counts.items():
        typer.echo(f"{rows:7} rows  {name}")
    for reason, rows in manifest.left_out.items():
        typer.echo(f"{rows:7} left out: {reason}")
