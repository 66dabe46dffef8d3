"""`python -m training base | tiny`: what adapters are trained on."""

from pathlib import Path
from typing import Annotated

import typer

from app.domain.errors import UserError
from training.commands.options import DEFAULT_BASE, Out
from training.process.spoken import spoken_errors


def add_base_commands(cli: typer.Typer) -> None:
    cli.command()(base)
    cli.command()(tiny)


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
        typer.echo(made.model_dump_json(indent=1))


def tiny(out: Out) -> None:
    """Make a random two-layer base with the real tokenizer, for fast tests."""
    with spoken_errors():
        from training.base.making import ensure_tiny

        typer.echo(ensure_tiny(out).model_dump_json(indent=1))
