"""`python -m app move | backup | restore | erasures`."""

import sys
from typing import Annotated

import typer

from app.settings import load_settings


def move(
    to: Annotated[str, typer.Option("--to", help="postgresql://USER@HOST/NAME, a database without rows.")],
) -> None:
    """Copy everything from the SQLite file to PostgreSQL, work under way included. Stop the service first."""
    from app.keeping.moving import move as act

    moved = act(load_settings().database_url, to, lambda table, rows: _tell(f"{table}: {rows} rows"))
    typer.echo(
        f"moved {moved.rows} rows of {moved.tables} tables, the same on both sides; {moved.under_way} workflows go on "
        "there. Set UNDERSTUDY_DATABASE_URL to it, start the service, and don't start it on the SQLite file again"
    )


def _tell(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201  progress, apart from the result
