"""A backup of everything that cannot be fetched or made again, while the service runs.

Taken: the database in one state, snapshots, training runs, adapters, what the regression set is pinned to, the probes.
Left out: mirrors unless asked for, the base checkpoint, exports and reports, the model server's folder, and every
secret unless asked for: then the keys that sign releases and the App's private key.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from app.domain.base import Record
from app.domain.errors import UserError
from app.domain.pinned import PINNED
from app.keeping.archive import Entry, Manifest, copy_file, describe_file, making, write_manifest
from app.keeping.moving import FORMS
from app.store.database import open_existing, parse_database_url, reading
from app.store.dumping import dump_postgresql, dump_sqlite
from app.store.migrate import head_version
from app.workflows.engine import JOURNAL_SCHEMA

FOLDERS = ("snapshots", "runs", "adapters", PINNED, "probes")
MIRRORS = "mirrors"
KEYS = "keys"
SQLITE_FILE = "database.sqlite"
TABLES = "database"
#: Under `data/` in a backup lie the data folder's folders; the App's key has a name of its own.
DATA = "data"
PRIVATE_KEY = "private-key.pem"


class Kept(Record):
    files: int
    size_bytes: int


def back_up(
    database_url: str, data: Path, target: Path, *, mirrors: bool = False, private_key: Path | None = None
) -> Kept:
    """Write a backup to `target`. With a `private_key`, secrets are taken along.

    Raises:
        UserError: when something is at the target, or the database is not one of this version.
    """
    with making(target) as folder:
        # The database first: what a row speaks of was there before the row was.
        manifest = _dump(database_url, data, folder)
        files = {name: describe_file(folder / name) for name in _names(folder)}
        chosen = (*FOLDERS, *((MIRRORS,) if mirrors else ()), *((KEYS,) if private_key else ()))
        for name in chosen:
            files |= _take(data / name, folder, f"{DATA}/{name}")
        if private_key is not None:
            files[PRIVATE_KEY] = copy_file(private_key, folder / PRIVATE_KEY)
        write_manifest(folder, manifest.model_copy(update={"files": files}))
    return Kept(files=len(files), size_bytes=sum(entry.size_bytes for entry in files.values()))


def _dump(database_url: str, data: Path, folder: Path) -> Manifest:
    engine = open_existing(database_url)
    try:
        version, journal = _read_forms(engine)
        columns: dict[str, tuple[str, ...]] = {}
        if engine.dialect.name == "sqlite":
            dump_sqlite(Path(str(parse_database_url(database_url).database)), folder / SQLITE_FILE)
        else:
            columns = dump_postgresql(engine, folder / TABLES, journal_schema=JOURNAL_SCHEMA, skipped=FORMS)
    finally:
        engine.dispose()
    return Manifest(
        made_at=datetime.now(UTC),
        backend="postgresql" if columns else "sqlite",
        schema_version=version,
        journal=journal,
        data=str(data.absolute()),
        columns=columns,
        files={},
    )


def _read_forms(engine: sa.Engine) -> tuple[str, int]:
    schema = "" if engine.dialect.name == "sqlite" else f"{JOURNAL_SCHEMA}."
    try:
        with reading(engine) as session:
            version = session.connection().execute(sa.text("select version_num from us_schema_version")).scalar_one()
            journal = session.connection().execute(sa.text(f"select version from {schema}dbos_migrations")).scalar_one()  # noqa: S608
    except sa.exc.SQLAlchemyError as error:
        raise UserError(f"expected a database of Understudy, that ran once, to back up; got: {error}") from error
    if version != head_version():
        raise UserError(
            f"expected a database at schema version {head_version()}, got {version}; back up with the version of "
            "Understudy that runs on it"
        )
    return str(version), int(journal)


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _take(source: Path, folder: Path, name: str) -> dict[str, Entry]:
    return {f"{name}/{inner}": entry for inner, entry in _copy_all(source, folder / name)}


def _copy_all(source: Path, target: Path) -> Iterator[tuple[str, Entry]]:
    """Every file but links, and those that go while we look: an erasure may be under way."""
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        inner = path.relative_to(source)
        try:
            yield str(inner), copy_file(path, target / inner)
        except FileNotFoundError:
            (target / inner).unlink(missing_ok=True)
