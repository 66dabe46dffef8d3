"""Where the dataset report's material comes from: a snapshot folder, or the store."""

import json
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from pydantic import ValidationError

from app.dataset.reading import Held, load_held
from app.dataset.report import Material
from app.dataset.report_rows import (
    CONTRADICTIONS,
    find_contradictions,
    read_contradictions,
    read_example,
    read_snapshot,
    read_written,
)
from app.domain.errors import UserError
from app.domain.evals import EvalReport
from app.domain.examples import Example, Rejection
from app.domain.written import WrittenExample
from app.store.database import open_engine, reading
from app.store.learning import select_approvals_in_force, select_examples, select_rejections, select_written
from app.store.tables import ExampleRow, InstallationRow


def load_snapshot_material(folder: Path, *, evaluation: Path | None, now: datetime) -> Material:
    """
    Raises:
        UserError: when the folder is no snapshot, a file was changed, or a row in it is none.
    """
    held = load_held(folder)
    manifest = held.manifest
    return Material(
        title=f"Dataset report of installation {manifest.installation}",
        source=f"Snapshot {manifest.id}. Source: {manifest.source}. Split: {manifest.split}.",
        rows=read_snapshot(held),
        created_at=now,
        left_out=manifest.left_out,
        contradictions=read_contradictions(_pairs(held)),
        evaluation=_load_evaluation(evaluation),
    )


def _pairs(held: Held) -> list[dict[str, object]]:
    pairs: list[dict[str, object]] = []
    for number, line in enumerate(held.files.get(CONTRADICTIONS, b"").split(b"\n"), 1):
        if line.strip():
            try:
                pair = json.loads(line)
            except ValueError:
                pair = None
            if not isinstance(pair, dict) or not {"kept", "dropped", "prompt"} <= set(pair):
                raise UserError(f"{CONTRADICTIONS}, row {number}: expected kept, dropped and prompt, got {line[:60]!r}")
            pairs.append(pair)
    return pairs


def _load_evaluation(path: Path | None) -> EvalReport | None:
    if path is None:
        return None
    try:
        return EvalReport.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: expected an evaluation report, could not read it: {error}") from error
    except ValidationError as error:
        raise UserError(f"{path}: expected an evaluation report, got {error.errors()[0]['msg']}") from error


def load_store_material(database_url: str, installation_id: int, *, evaluation: Path | None, now: datetime) -> Material:
    """Every Example that no maintainer rejected, with the decision in force; and every Rejection.

    Raises:
        UserError: when the database holds no such installation.
    """
    engine = open_engine(database_url)
    try:
        if not sa.inspect(engine).has_table(str(InstallationRow.__tablename__)):
            raise UserError(
                f"{engine.url.render_as_string(hide_password=True)}: expected Understudy's database, got one without "
                "its tables; correct UNDERSTUDY_DATABASE_URL, or run `.venv/bin/python -m app serve` once"
            )
        return _read_store(engine, installation_id, _load_evaluation(evaluation), now)
    finally:
        engine.dispose()


def _read_store(engine: sa.Engine, installation_id: int, evaluation: EvalReport | None, now: datetime) -> Material:
    with reading(engine) as session:
        installation = session.get(InstallationRow, installation_id)
        if installation is None:
            raise UserError(f"expected the id of an installation of this database, got {installation_id}")
        approvals = select_approvals_in_force(session, installation_id)

        def decision(row: ExampleRow) -> str | None:
            approval = approvals.get(row.hash)
            return None if approval is None else approval.decision

        found = [row for row in select_examples(session, installation_id) if decision(row) != "reject"]
        told = [row for row in select_written(session, installation_id) if decision(row) != "reject"]
        rejections = select_rejections(session, installation_id)
        account = installation.account
    examples = [(Example.model_validate(row.payload), decision(row)) for row in found]
    written = [(WrittenExample.model_validate(row.payload), decision(row)) for row in told]
    return Material(
        title=f"Dataset report of {account}",
        source=f"Store, installation {installation_id}: every Example that no maintainer rejected.",
        rows=[*(read_example(*pair) for pair in examples), *(read_written(*pair) for pair in written)],
        created_at=now,
        rejections=[Rejection.model_validate(row.payload) for row in rejections],
        contradictions=find_contradictions([example for example, _ in examples]),
        contradictions_open=True,
        evaluation=evaluation,
    )
