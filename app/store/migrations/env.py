"""Alembic's entry: it runs on the connection that `app.store.migrate` opened and holds the lock on."""

from typing import Literal

from alembic import context
from sqlalchemy.sql.schema import SchemaItem
from sqlmodel import SQLModel

import app.store.reference_tables
import app.store.tables
import app.store.web_tables  # noqa: F401 - all three fill SQLModel.metadata


def _is_ours(
    _item: SchemaItem, name: str | None, kind: Literal["schema", "table", "column", "index"] | str, *_rest: object
) -> bool:
    """The job engine's tables share the database on SQLite and are none of our business."""
    return kind != "table" or bool(name and name.startswith("us_"))


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    include_object=_is_ours,
    version_table="us_schema_version",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
