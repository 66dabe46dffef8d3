"""From the approved Examples of the store to a DatasetSnapshot under the data folder."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.dataset.folder import write_folder
from app.dataset.snapshot import assemble
from app.dataset.split import decide_split
from app.domain.examples import Example
from app.domain.snapshots import OutcomeRow, SnapshotManifest
from app.domain.written import WrittenExample
from app.store.tables import ExampleRow


def build_snapshot(
    rows: Sequence[ExampleRow],
    installation_id: int,
    root: Path,
    *,
    written: Sequence[ExampleRow] = (),
    outcomes: Sequence[OutcomeRow] = (),
    now: datetime | None = None,
) -> tuple[Path, SnapshotManifest]:
    """The folder under `root`, named after the snapshot's id. The same Examples give the same folder and bytes.

    `rows` are approved Examples in force: `app.store.learning.select_approved_examples`; `written` the same of what
    else the team wrote: `select_approved_written`; `outcomes` what became of our own Findings:
    `app.dataset.findings.render_finding_outcomes`.

    Raises:
        UserError: when no Example gives a row.
    """
    examples = [Example.model_validate(row.payload) for row in rows]
    pulls = ((example.pull_request_created_at, (example.repository, example.pull_request)) for example in examples)
    assembled = assemble(
        examples,
        decide_split(pulls),
        installation=str(installation_id),
        source="approved",
        created_at=now or datetime.now(UTC),
        outcomes=outcomes,
        written=[WrittenExample.model_validate(row.payload) for row in written],
    )
    folder = root / assembled.manifest.id.replace(":", "-")
    return folder, write_folder(assembled, folder)
