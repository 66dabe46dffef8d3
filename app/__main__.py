"""`python -m app …`: each command reads its arguments, calls one function, and shows a UserError as a sentence."""

import logging
import sys
from typing import Annotated

import typer

from app.commands import erase, feedback, lora_adapters, policy, trace
from app.dataset_commands import dataset
from app.doctor.commands import doctor
from app.domain.errors import UnderstudyError
from app.domain.log_lines import set_up_logging
from app.history.commands import history
from app.keeping import commands as keeping
from app.rehearsal import commands
from app.setup.commands import setup
from app.version import read_version

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(read_version())
        raise typer.Exit


@cli.callback()
def main(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Which one this is."),
    ] = False,
) -> None:
    """Understudy learns to review code the way your team does."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


@cli.command()
def serve() -> None:
    """Receive webhooks and do the work they ask for. Settings come from UNDERSTUDY_* variables."""
    from app.main import boot, create_app, shutdown
    from app.settings import load_settings
    from app.web.listening import answer, reserve_address

    settings = load_settings()
    set_up_logging(settings.log_format)
    # Both before the server: a taken port or a wrong setting is a sentence here and a traceback there.
    with reserve_address(settings.host, settings.port) as address:
        boot(settings)
        try:
            answered = answer(create_app(settings, booted=True), address, connections=settings.connections)
        finally:
            shutdown()
    if not answered:
        raise typer.Exit(1)


cli.command()(setup)
cli.command()(doctor)
cli.command()(erase)
cli.command()(trace)
cli.command()(feedback)
cli.command()(policy)
cli.command("lora-adapters")(lora_adapters)
cli.command()(keeping.move)
cli.command()(keeping.backup)
cli.command()(keeping.restore)
cli.command()(keeping.erasures)
cli.command()(commands.demo)
cli.command()(commands.rehearse)
cli.command("import-comments")(commands.import_comments)
cli.add_typer(dataset, name="dataset")
cli.command()(history)


def run() -> None:
    """The program: what is raised for a person is told in a sentence and ends it with status 2."""
    try:
        cli()
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    run()
