"""Snapshot rows as Parquet, with every column's type said and none inferred: an empty file has the same columns."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from app.dataset.reading import RowT, explain_row, parse_lines
from app.domain.errors import UserError

_TEXT, _WHOLE = pa.string(), pa.int64()
_MESSAGES = pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))
_LINE = pa.struct([("kind", _TEXT), ("old", _WHOLE), ("new", _WHOLE), ("text", _TEXT)])
_HUNK = pa.struct([("header", _TEXT), ("lines", pa.list_(_LINE))])
#: Moments stay the text they are in the snapshot, so that an offset survives.
_COLUMNS: dict[str, Any] = {
    "example": _TEXT,
    "examples": pa.list_(_TEXT),
    "kind": _TEXT,
    "repository": _TEXT,
    "pull_request": _WHOLE,
    "created_at": _TEXT,
    "commit_sha": _TEXT,
    "path": _TEXT,
    "line": _WHOLE,
    "line_text": _TEXT,
    "reviewer": _TEXT,
    "author": _TEXT,
    "weight": pa.float64(),
    "evidence": _TEXT,
    "prompt": _MESSAGES,
    "completion": _MESSAGES,
    "hunk": _HUNK,
    "labels": pa.list_(_WHOLE),
    "body": _TEXT,
    "accepted": pa.bool_(),
}


def schema_of(kind: type[BaseModel]) -> pa.Schema:
    """The columns of a row type, in its own order."""
    return pa.schema([(name, _COLUMNS[name]) for name in kind.model_fields])


def render_parquet(name: str, content: bytes, kind: type[BaseModel]) -> bytes:
    """A snapshot's file of lines as Parquet.

    Raises:
        UserError: naming a row that is none.
    """
    rows = [row.model_dump(mode="json") for row in parse_lines(name, content, kind)]
    out = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema_of(kind)), out, compression="zstd")
    return out.getvalue()


def load_parquet(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file as plain values.

    Raises:
        UserError: when it is no Parquet file, or a text in it is no UTF-8; the row is named.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: expected a Parquet file, got something else: {str(error)[:120]}") from error
    try:
        rows: list[dict[str, Any]] = table.to_pylist()
    except UnicodeDecodeError as error:
        raise _name_broken(path, table) from error
    return rows


def _name_broken(path: Path, table: pa.Table) -> UserError:
    for number in range(table.num_rows):
        for column in table.column_names:
            try:
                table[column][number].as_py()
            except UnicodeDecodeError:
                return UserError(f"{path}, row {number + 1}: expected {column} to be UTF-8, got bytes that are none")
    return UserError(f"{path}: expected UTF-8 texts, got bytes that are none")


def parse_rows(path: Path, rows: Sequence[dict[str, Any]], kind: type[RowT]) -> list[RowT]:
    """Plain values as records.

    Raises:
        UserError: naming file, row and field.
    """
    parsed: list[RowT] = []
    for number, row in enumerate(rows, 1):
        try:
            parsed.append(kind.model_validate(row))
        except ValidationError as error:
            raise explain_row(str(path), number, error) from error
    return parsed
