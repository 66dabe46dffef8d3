"""`python -m training report | spot-check | verify`: what people read, say and check of a finished run."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.domain.errors import UserError
from training.process.spoken import spoken_errors

RunOption = Annotated[Path, typer.Option("--run", help="A finished run folder.")]
SigningKey = Annotated[
    Path | None, typer.Option("--signing-key", help="Ed25519 key to sign the release with; made if it is not there.")
]


def add_commands(cli: typer.Typer) -> None:
    cli.command("report")(report)
    cli.command("spot-check")(spot_check)
    cli.command("verify")(verify)


def report(*, run: RunOption, signing_key: SigningKey = None) -> None:
    """Write report.html, card.md and release.json of a finished run anew."""
    with spoken_errors():
        from training.release.publishing import PAGE, seal_run

        seal_run(run, signing_key)
        _say(f"{run / PAGE}")


def spot_check(
    *,
    run: RunOption,
    answers: Annotated[Path | None, typer.Option(help="What the page gave back.")] = None,
    by: Annotated[str | None, typer.Option(help="Who answered.")] = None,
    signing_key: SigningKey = None,
) -> None:
    """Make the blind page, or with --answers take its verdict in and decide again under the policy of the run."""
    with spoken_errors():
        from training.gate.deciding import describe_decision
        from training.release.spotting import make_sheet, take_answers

        if answers is None:
            _say(f"open {make_sheet(run)} in a browser")
            return
        if by is None:
            raise UserError("expected --by NAME with --answers: a verdict is somebody's")
        _say(describe_decision(take_answers(run, answers, by=by, at=datetime.now(UTC), key=signing_key)))


def verify(
    folder: Annotated[Path, typer.Argument(help="A sealed run, or a version folder.")],
    *,
    public_key: Annotated[str | None, typer.Option(help="Whose signature it must be, in hex.")] = None,
) -> None:
    """Derive every hash, the name, the signature and the verdict again."""
    with spoken_errors():
        from training.release.verifying import verify as prove

        for sentence in prove(folder, public_key=public_key):
            _say(sentence)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
