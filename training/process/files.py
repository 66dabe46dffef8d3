"""Files that are either whole or absent: hashes, atomic writes, JSON lines read with the row's number in errors."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.domain.errors import UserError, spoken_place
from app.domain.explaining import explain

#: A run's folder may have been a rented machine's: what lies there under the passing name is not followed.
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
RowT = TypeVar("RowT", bound=BaseModel)


def hash_file(path: Path) -> str:
    """sha256 of the file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def save_text(path: Path, text: str) -> None:
    """Write beside, then rename: a reader sees the old file or the new one, never half of one.

    Raises:
        UserError: when it can't be written there.
    """
    with spoken_place(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.writing")
        with os.fdopen(os.open(beside, _WRITING, 0o666), "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)


def check_file_place(path: Path) -> None:
    """Before minutes of work whose result goes there.

    Raises:
        UserError: when it is a folder, or can't be written.
    """
    with spoken_place(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder")


def save_record(path: Path, record: BaseModel) -> None:
    save_text(path, record.model_dump_json(indent=1) + "\n")


def load_record(path: Path, kind: type[RowT], *, what: str) -> RowT:
    """One JSON document as a record.

    Raises:
        UserError: when the file is absent or is no such record; `what` names it to the reader.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(f"expected {what} at {path}, found no such file") from error
    except ValidationError as error:
        raise UserError(f"expected {what} in {path}, got something else: {_first(error)}") from error


def load_rows(path: Path, kind: type[RowT]) -> list[RowT]:
    """One record per line.

    Raises:
        UserError: naming the file, the line's number and the field.
    """
    rows = []
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                rows.append(kind.model_validate_json(line))
            except ValidationError as error:
                raise UserError(f"{path} line {number} is no {kind.__name__}: {_first(error)}") from error
    return rows


def is_json(path: Path) -> bool:
    """Whether the file is there and whole; what a restart asks before it trusts a stage's output."""
    try:
        json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return True


def _first(error: ValidationError) -> str:
    wrong = explain(error, whole="the document")
    return f"{wrong.field}: {wrong.words}"
