"""`python -m training …`: bases, adapters, evaluations and the gate, from files to files."""

import typer

from training.commands.bases import add_base_commands
from training.commands.learning import add_learning_commands
from training.commands.measuring import add_measuring_commands
from training.process.environment import prepare_process
from training.release.commands import add_commands

prepare_process()
cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
add_base_commands(cli)
add_learning_commands(cli)
add_measuring_commands(cli)
add_commands(cli)

if __name__ == "__main__":
    cli()
