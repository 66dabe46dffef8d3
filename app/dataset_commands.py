"""`python -m app dataset …`: report, export, import. Heavy parts are imported when they run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.dataset.formats import Format
from app.domain.errors import UserError
from app.screening.secrets import find_secret

dataset = typer.Typer(no_args_is_help=True, help="Look at what is learned from, and carry it elsewhere and back.")


@dataset.command()
def report(
    *,
    snapshot: Annotated[Path | None, typer.Option(help="A snapshot's folder.")] = None,
    installation: Annotated[int | None, typer.Option(help="Or an installation of UNDERSTUDY_DATABASE_URL.")] = None,
    out: Annotated[Path | None, typer.Option(help="The HTML page to write.")] = None,
    json: Annotated[Path | None, typer.Option(help="The same figures as JSON.")] = None,
    evaluation: Annotated[
        Path | None, typer.Option(help="An evaluation report of the base, for what it already answers.")
    ] = None,
) -> None:
    """One page of what the rows are, what was refused and why, and whether to train on them."""
    from app.dataset.report import render_figures
    from app.dataset.report_page import render_page
    from app.dataset.reporting import load_snapshot_material, load_store_material

    if (snapshot is None) == (installation is None):
        raise UserError("expected either --snapshot DIR or --installation ID, got both or neither")
    if out is None and json is None:
        raise UserError("expected --out FILE.html, --json FILE or both, got neither")
    now = datetime.now(UTC)
    if snapshot is not None:
        material = load_snapshot_material(snapshot, evaluation=evaluation, now=now)
    else:
        from app.settings import load_settings

        material = load_store_material(load_settings().database_url, installation or 0, evaluation=evaluation, now=now)
    figures = render_figures(material)
    if out is not None:
        _save(out, render_page(figures))
    if json is not None:
        _save(json, figures.model_dump_json(indent=2) + "\n")
    typer.echo(f"{figures.rows} rows, {figures.good} of them comments to learn from: {figures.advice.sentence}")


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "backslashreplace"))


@dataset.command("export")
def export_rows(
    *,
    snapshot: Annotated[Path, typer.Option(help="The snapshot's folder.")],
    form: Annotated[Format, typer.Option("--format", help="Whose format.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
) -> None:
    """Write a snapshot for another trainer, with a dataset card; nothing that holds a secret leaves."""
    from app.dataset.exporting import export_snapshot

    refusal = export_snapshot(snapshot, form, out, find_secret)
    typer.echo(f"{refusal.held.manifest.id} in {out}")
    for name, rows in refusal.held.manifest.counts.items():
        typer.echo(f"{rows:7} rows  {name}")
    _tell_refused(refusal.refused)


@dataset.command("import")
def import_exported(
    source: Annotated[Path, typer.Argument(help="An exported folder, or one file of rows in the same format.")],
    *,
    form: Annotated[Format, typer.Option("--format", help="Its format.")],
    snapshot: Annotated[Path, typer.Option(help="The snapshot folder to make.")],
    installation: Annotated[str, typer.Option(help="Whose rows these are; a whole export keeps its own.")] = "imported",
) -> None:
    """Make a snapshot of an export, the very same where it is whole, or of rows from elsewhere."""
    from app.dataset.restoring import FOREIGN_PROMPTS, import_rows

    refusal = import_rows(source, form, snapshot, find_secret, installation=installation, created_at=datetime.now(UTC))
    manifest = refusal.held.manifest
    typer.echo(f"{manifest.id} in {snapshot}")
    for name, rows in manifest.counts.items():
        typer.echo(f"{rows:7} rows  {name}")
    for reason, rows in manifest.left_out.items():
        typer.echo(f"{rows:7} left out: {reason}")
    if manifest.prompt_version == FOREIGN_PROMPTS:
        typer.echo("These prompts are not those that the service sends: the report reads them, training refuses them.")
    _tell_refused(refusal.refused)


def _tell_refused(refused: dict[str, int]) -> None:
    for what, rows in sorted(refused.items()):
        typer.echo(f"{rows:7} refused, they hold a secret: {what}")
