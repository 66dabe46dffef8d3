"""A backup put where nothing is. The database comes last and whole; until then a second attempt begins anew.

What was erased since the backup was made is erased again: its keys and the work are part of the database before it is
there.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, select

from app.domain.base import Record
from app.domain.errors import UserError, spoken_place
from app.domain.tombstones import Tombstone
from app.keeping.archive import Manifest, copy_file, opened
from app.keeping.backup import DATA, FOLDERS, KEYS, MIRRORS, PRIVATE_KEY, SQLITE_FILE, TABLES
from app.keeping.forgetting import Reapplied, reapply
from app.keeping.moving import FORMS
from app.store.copying import reflect_tables, refuse_filled
from app.store.database import open_engine, parse_database_url, writing
from app.store.dumping import load_postgresql
from app.store.migrate import hold_boots, is_known_version, migrate, upgrade_to
from app.store.tables import AdapterVersionRow, SnapshotRow, TrainingRunRow
from app.store.web_tables import SessionRow, SignInRow
from app.workflows.engine import JOURNAL_SCHEMA, hand_over, journal_version, prepare_journal
from app.workflows.locks import FileLock

_MARK = ".restoring"


class Restored(Record):
    files: int
    made_at: str
    reapplied: Reapplied


def restore(source: Path, database_url: str, data: Path, tombstones: Iterable[Tombstone]) -> Restored:
    """Fill the data folder and the database.

    Raises:
        UserError: when the backup is not whole or of a newer version, or when anything is there already.
    """
    with opened(source, scratch=data) as (folder, manifest):
        _refuse_newer(manifest)
        _refuse_other_backend(manifest, database_url)
        with spoken_place(data):
            _clear(data, database_url)
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            (data / _MARK).touch()
            _copy_files(folder, manifest, data)
        fill = _fill_sqlite if manifest.backend == "sqlite" else _fill_postgresql
        reapplied = fill(folder, manifest, database_url, data, tombstones)
        (data / _MARK).unlink()
    return Restored(files=len(manifest.files), made_at=manifest.made_at.isoformat(), reapplied=reapplied)


def _refuse_newer(manifest: Manifest) -> None:
    known = journal_version(sqlite=manifest.backend == "sqlite")
    if not is_known_version(manifest.schema_version) or manifest.journal > known:
        raise UserError(
            f"expected a backup of this Understudy or an older one, got schema version {manifest.schema_version} with "
            f"journal {manifest.journal}; restore it with the version that made it"
        )


def _refuse_other_backend(manifest: Manifest, database_url: str) -> None:
    backend = parse_database_url(database_url).get_backend_name()
    if backend != manifest.backend:
        raise UserError(
            f"expected a backup of {backend}, as UNDERSTUDY_DATABASE_URL names, got one of {manifest.backend}; "
            "restore it where it came from, and then use `.venv/bin/python -m app move`"
        )


def _clear(data: Path, database_url: str) -> None:
    """What an attempt that was cut off left behind goes; anything else is refused."""
    filled = [name for name in (*FOLDERS, MIRRORS, KEYS, PRIVATE_KEY) if _is_filled(data / name)]
    if filled and not (data / _MARK).exists():
        raise UserError(f"expected an empty place, got {data / filled[0]}; restore into another UNDERSTUDY_DATA")
    url = parse_database_url(database_url)
    if url.get_backend_name() == "sqlite" and Path(str(url.database)).exists():
        raise UserError(f"expected no database at {url.database} yet, found one; nothing was restored")
    for name in filled:
        path = data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_filled(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _copy_files(folder: Path, manifest: Manifest, data: Path) -> None:
    for name in manifest.files:
        if name.startswith(f"{DATA}/"):
            copy_file(folder / name, data / name.removeprefix(f"{DATA}/"))
        elif name == PRIVATE_KEY:
            copy_file(folder / name, data / PRIVATE_KEY)


def _fill_sqlite(
    folder: Path, manifest: Manifest, database_url: str, data: Path, tombstones: Iterable[Tombstone]
) -> Reapplied:
    target = Path(str(parse_database_url(database_url).database))
    partial = Path(f"{target}{_MARK}")
    lock = FileLock(Path(f"{target}.lock"))  # the service's own, so that none starts meanwhile
    try:
        for ending in ("", "-wal", "-shm"):
            Path(f"{partial}{ending}").unlink(missing_ok=True)
        copy_file(folder / SQLITE_FILE, partial)
        reapplied = _settle_sqlite(f"sqlite:///{partial}", manifest, data, tombstones)
        partial.rename(target)
    finally:
        lock.release()
    return reapplied


def _settle_sqlite(url: str, manifest: Manifest, data: Path, tombstones: Iterable[Tombstone]) -> Reapplied:
    migrate(url)
    engine = open_engine(url)
    try:
        with writing(engine) as session:
            return _settle(session, manifest, data, tombstones)
    finally:
        engine.dispose()  # the last connection takes the log into the file


def _fill_postgresql(
    folder: Path, manifest: Manifest, database_url: str, data: Path, tombstones: Iterable[Tombstone]
) -> Reapplied:
    prepare_journal(database_url)
    engine = open_engine(database_url)
    try:
        with engine.begin() as connection:
            hold_boots(connection)
            refuse_filled(connection, reflect_tables(connection, JOURNAL_SCHEMA, FORMS))
            upgrade_to(connection, manifest.schema_version)
            load_postgresql(connection, folder / TABLES, manifest.columns, journal_schema=JOURNAL_SCHEMA)
            upgrade_to(connection, "head")
            with Session(connection, join_transaction_mode="rollback_only") as session:
                reapplied = _settle(session, manifest, data, tombstones)
                hand_over(session, schema=JOURNAL_SCHEMA)
                session.flush()
        return reapplied
    finally:
        engine.dispose()


def _settle(session: Session, manifest: Manifest, data: Path, tombstones: Iterable[Tombstone]) -> Reapplied:
    for table in (SnapshotRow, TrainingRunRow, AdapterVersionRow):
        _relocate(session, table, Path(manifest.data), data.absolute())
    for kept in (SessionRow, SignInRow):  # who was signed in then need not be welcome now
        session.connection().execute(sa.delete(kept))
    return reapply(session, tombstones, data)


def _relocate(session: Session, table: type[SQLModel], old: Path, new: Path) -> None:
    """Rows name their folders in full; the data folder may be another one now."""
    path = sa.inspect(table).columns["path"]
    for row in session.exec(select(table)):
        found = Path(str(vars(row)[path.name]))
        if found.is_relative_to(old):
            setattr(row, path.name, str(new / found.relative_to(old)))
            session.add(row)
    session.flush()
