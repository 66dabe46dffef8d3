"""The command that reads a history for a person: `history`."""

from pathlib import Path
from typing import Annotated

import typer


def history(
    *,
    mirror: Annotated[Path, typer.Option(help="A bare mirror, or the .git folder of a checkout.")],
    repository: Annotated[str, typer.Option(help="OWNER/NAME, as the examples will say it.")],
    out: Annotated[Path, typer.Option(help="The examples, one JSON object a line.")],
    since: Annotated[str | None, typer.Option(help="Only commits that this one does not have behind it.")] = None,
    host: Annotated[str, typer.Option(help="Where the repository lives.")] = "github.com",
    repository_id: Annotated[int, typer.Option(help="GitHub's number of the repository, 0 if unknown.")] = 0,
) -> None:
    """Commit messages with their diff and docstrings with their function, from a repository's history."""
    from app.domain.errors import UserError
    from app.history.deciding import Origin
    from app.history.record import write_history

    if repository.count("/") != 1 or not all(repository.split("/")):
        raise UserError(f"expected --repository as OWNER/NAME, got {repository!r}; name it as GitHub does")
    if not out.absolute().parent.is_dir():
        raise UserError(f"expected --out in a folder that exists, got {out}; make the folder or choose another")
    origin = Origin(host=host, repository_id=repository_id, repository=repository)
    record = write_history(mirror, origin, out, since=since, progress=_show_progress)
    typer.echo(f"{record.saved} examples of {record.commits} commits in {out}", err=True)
    for name, number in record.counts.items():
        kind, _, reason = name.partition(":")
        typer.echo(f"{number:7}  {kind}{f' left out: {reason}' if reason else ''}", err=True)
    typer.echo(f"go on with --since {record.head}", err=True)


def _show_progress(done: int, whole: int) -> None:
    typer.echo(f"{done} of {whole} commits", err=True)
