"""Approved Examples of an installation, for tests of what is learned from them."""

from typing import Any

import sqlalchemy as sa

from app.store.database import writing
from app.store.learning import append_approval, save_examples
from app.store.tables import ApprovalRow, InstallationRow
from tests.made_run import MOMENT
from tests.unit.dataset.exported import examples


def approve_examples(database: sa.Engine, installation: int, count: int) -> None:
    found = examples([f"Never print {n}." for n in range(count)])
    with writing(database) as session:
        session.add(InstallationRow(id=installation, host="github.test", account="acme"))
        save_examples(session, installation, found, "harvest")
        for one in found:
            told: dict[str, Any] = {"repository": one.repository, "pull_request": one.pull_request}
            row = ApprovalRow(
                example_hash=one.hash,
                installation_id=installation,
                decision="approve",
                actor="mara",
                actor_role="write",
                source="test",
                content_hash=one.hash,
                idempotency_key=one.hash,
                created_at=MOMENT,
                **told,
            )
            append_approval(session, row)
