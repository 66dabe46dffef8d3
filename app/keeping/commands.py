"""`python -m app move | backup | restore | erasures`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.domain.errors import UserError, spoken_place
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


def backup(
    target: Annotated[Path, typer.Argument(help="A folder, or a file whose name ends in .tar. Nothing may be there.")],
    *,
    mirrors: Annotated[bool, typer.Option("--mirrors", help="Also what can be fetched again from GitHub.")] = False,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Also the App's private key and the signing keys.")
    ] = False,
) -> None:
    """Write everything that cannot be made again into a backup, while the service runs."""
    from app.keeping.backup import back_up

    settings = load_settings()
    key = settings.private_key_file if secrets else None
    kept = back_up(settings.database_url, settings.data, target, mirrors=mirrors, private_key=key)
    typer.echo(f"{target}: {kept.files} files, {kept.size_bytes / 1e6:.1f} MB")


def restore(
    source: Annotated[Path, typer.Argument(help="What `.venv/bin/python -m app backup` wrote.")],
    *,
    erasures: Annotated[
        str | None, typer.Option(help="A file of `.venv/bin/python -m app erasures`, or the old database's URL.")
    ] = None,
    no_erasures: Annotated[
        bool, typer.Option("--no-erasures", help="Neither is left: what was erased since the backup comes back.")
    ] = False,
) -> None:
    """Put a backup where nothing is. What was erased after it was made is erased again."""
    from app.keeping.forgetting import read_erasures
    from app.keeping.restore import restore as act

    if (erasures is None) == (not no_erasures):
        raise UserError(
            "expected --erasures with a file of `.venv/bin/python -m app erasures` or the old database's URL, or "
            f"--no-erasures when neither is left, got {'both' if no_erasures else 'neither'}; give one of them: "
            "without the erasures, what people had erased since the backup comes back"
        )
    settings = load_settings()
    known = () if erasures is None else read_erasures(erasures)
    done = act(source, settings.database_url, settings.data, known)
    typer.echo(
        f"restored {done.files} files, as they were at {done.made_at}; {done.reapplied.tombstones} erasures are newer, "
        f"{done.reapplied.erasures} concern what came back and are carried out as soon as the service starts"
    )


def erasures(
    target: Annotated[Path, typer.Argument(help="The file to write; it holds keys and no names.")],
) -> None:
    """Write what was erased so far, so that a restored backup forgets it, too."""
    from app.keeping.forgetting import export_erasures

    found = export_erasures(load_settings().database_url)
    with spoken_place(target):
        target.write_text(found.model_dump_json(indent=1), encoding="utf-8")
    typer.echo(f"{target}: {len(found.erasures)} erasures")


def _tell(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201  progress, apart from the result
