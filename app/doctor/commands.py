"""`python -m app doctor`."""

import json as json_module
from typing import Annotated

import typer


def doctor(
    *,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Find what is wrong with this installation and say the cure. Changes nothing; a running service goes on."""
    import asyncio

    from rich.console import Console

    from app.doctor.checked import decide_status
    from app.doctor.examining import examine
    from app.doctor.table import render_table

    found = asyncio.run(examine())
    if json:
        typer.echo(json_module.dumps([one.model_dump(mode="json") for one in found], indent=1, ensure_ascii=False))
    else:
        Console().print(render_table(found))
    raise typer.Exit(decide_status(found))
