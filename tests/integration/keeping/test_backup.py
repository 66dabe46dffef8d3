"""A backup of a running service: one state of it, whole or none, without secrets, and restored where nothing is."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from app.domain.errors import UserError
from app.keeping.archive import MANIFEST
from app.keeping.backup import back_up
from app.keeping.restore import restore
from app.store.database import open_engine, parse_database_url, reading, writing
from app.store.migrate import migrate
from app.store.tables import AdapterVersionRow, AuditRow, DeliveryRow
from app.workflows import engine
from tests.integration.store.old_rows import fill
from tests.integration.store.test_upgrades import read_all
from tests.integration.workflows import samples
from tests.integration.workflows.conftest import Start, program
from tests.postgres import PostgresServer
from tests.waiting import eventually

assert program  # a fixture
_CHECKOUT = Path(__file__).parents[3]


class Place:
    """A service's data and database, filled, and a way to another one of the same kind."""

    def __init__(self, url: str, folder: Path, postgres: PostgresServer) -> None:
        self.url, self.data, self._postgres, self._folder = url, folder / "data", postgres, folder
        self.key = folder / "key.pem"
        self.key.write_text("canary: a private key")
        for name, text in (
            ("snapshots/ds1-1/rows.jsonl", '{"text": "by mara"}\n'),
            ("runs/r1/report.json", "{}"),
            ("adapters/abc/adapter.safetensors", "weights\x00\x01"),
            ("pinned/7.json", "[]"),
            ("mirrors/github.com/5.git/HEAD", "ref: refs/heads/main"),
            ("keys/release.pem", "canary: a signing key"),
            ("serving/front.json", "canary: a front's key"),
            ("exports/x/rows.jsonl", "{}"),
        ):
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.data / "snapshots/link").symlink_to(self.key)

    def empty(self, name: str) -> str:
        """The URL of a database that is not there, or is empty."""
        if self.url.startswith("sqlite"):
            return f"sqlite:///{self._folder / name / 'understudy.db'}"
        return self._postgres.create_database()


@pytest.fixture
def place(empty_database_url: str, tmp_path: Path, postgres_server: PostgresServer) -> Place:
    """With rows in every table, and what the job engine keeps."""
    samples.in_folder(tmp_path)
    engine.boot(empty_database_url, polling_seconds=0.05, scheduled=False)
    engine.shutdown()
    database = open_engine(empty_database_url)
    with database.begin() as connection:
        connection.execute(sa.text("delete from us_executor"))
        fill(connection)
    made = Place(empty_database_url, tmp_path, postgres_server)
    with writing(database) as session:
        row = session.exec(select(AdapterVersionRow)).one()
        row.path = str(made.data / "adapters/abc")
        session.add(row)
    database.dispose()
    return made


def _count(url: str) -> dict[str, int]:
    database = open_engine(url)
    with reading(database) as session:
        found = read_all(session)
    database.dispose()
    # Who was signed in is not restored: they may not be welcome any more.
    return {name: count for name, count in found.items() if name not in ("us_session", "us_sign_in")}


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_what_is_restored_is_what_was_backed_up(place: Place, tmp_path: Path, name: str) -> None:
    kept = back_up(place.url, place.data, tmp_path / name)
    assert kept.files >= 5
    target = place.empty("new")
    done = restore(tmp_path / name, target, tmp_path / "new" / "data", ())
    assert done.files == kept.files
    assert _count(target) == _count(place.url)
    found = _files(tmp_path / "new" / "data")
    assert found == {
        known: content
        for known, content in _files(place.data).items()
        if known.split("/")[0] in ("snapshots", "runs", "adapters", "pinned") and not known.endswith("link")
    }
    database = open_engine(target)
    with Session(database) as session:
        adapter = session.exec(select(AdapterVersionRow)).one()
        assert adapter.path == str(tmp_path / "new/data/adapters/abc")
        session.add(AuditRow(actor="mara", action="x", subject="s", idempotency_key="new"))
        session.commit()  # numbers go on
    database.dispose()


def test_nobody_else_can_read_it_and_no_secret_is_in_it_unless_asked_for(place: Place, tmp_path: Path) -> None:
    back_up(place.url, place.data, tmp_path / "backup")
    back_up(place.url, place.data, tmp_path / "backup.tar")
    back_up(place.url, place.data, tmp_path / "whole", mirrors=True, private_key=place.key)
    assert (tmp_path / "backup.tar").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
    found = _files(tmp_path / "backup")
    assert all((tmp_path / "backup" / name).stat().st_mode & 0o777 == 0o600 for name in found)
    assert not [name for name, content in found.items() if b"canary" in content]
    assert b"canary" not in (tmp_path / "backup.tar").read_bytes()
    whole = _files(tmp_path / "whole")
    assert {"private-key.pem", "data/keys/release.pem", "data/mirrors/github.com/5.git/HEAD"} <= whole.keys()
    with pytest.raises(UserError, match="expected nothing at"):
        back_up(place.url, place.data, tmp_path / "backup")


def test_it_holds_one_state_of_a_database_that_others_write(place: Place, tmp_path: Path) -> None:
    """Each transaction writes to two tables; both or neither are in the backup, which holds up none of them."""
    stop = threading.Event()
    wrote: list[str] = []

    def write() -> None:
        database = open_engine(place.url)
        while not stop.is_set():
            key = f"pair-{len(wrote)}"
            with writing(database) as session:
                session.add(DeliveryRow(guid=key, event="x", body=b"x" * 2_000))
                session.flush()
                session.add(AuditRow(actor="a", action="pair", subject=key, idempotency_key=key))
            wrote.append(key)
        database.dispose()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(3):
            seen = len(wrote)
            eventually(lambda seen=seen: len(wrote) > seen + 5)  # type: ignore[misc]
            back_up(place.url, place.data, tmp_path / f"backup-{number}")
    finally:
        stop.set()
        thread.join()
    target = place.empty("new")
    restore(tmp_path / "backup-2", target, tmp_path / "new" / "data", ())
    database = open_engine(target)
    with reading(database) as session:
        deliveries = set(session.exec(select(DeliveryRow.guid).where(DeliveryRow.event == "x")))
        audits = set(session.exec(select(AuditRow.subject).where(AuditRow.action == "pair")))
    database.dispose()
    assert deliveries == audits
    assert 15 < len(deliveries) <= len(wrote)


def test_work_under_way_goes_on_from_a_backup(
    empty_database_url: str, tmp_path: Path, postgres_server: PostgresServer, program: Start
) -> None:
    keys, held = [f"k{number}" for number in range(6)], samples.hold(tmp_path)
    running = program(empty_database_url, tmp_path, *keys).wait_ready()
    eventually(lambda: sum(line.startswith("slow") for line in samples.effects(tmp_path)) >= 2)
    back_up(empty_database_url, tmp_path / "data", tmp_path / "backup")
    running.kill()
    held.unlink()
    sqlite = empty_database_url.startswith("sqlite")
    target = f"sqlite:///{tmp_path / 'new.db'}" if sqlite else postgres_server.create_database()
    restore(tmp_path / "backup", target, tmp_path / "new", ())
    program(target, tmp_path).wait_ready()
    database = open_engine(target)

    def saved() -> set[str]:
        with reading(database) as session:
            return set(session.exec(select(DeliveryRow.guid)))

    eventually(lambda: saved() >= set(keys), 60)
    database.dispose()


_DYING = """
import os, signal, sys
from pathlib import Path
from app.keeping import archive, backup

moment, url, folder, target = sys.argv[1:]
left = [int(moment)]

def count(function):
    def run(*args, **kwargs):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return run

for module in (archive, backup):
    for name in ("copy_file", "describe_file", "dump_sqlite", "dump_postgresql", "write_manifest", "_pack", "_flush"):
        if hasattr(module, name):
            setattr(module, name, count(getattr(module, name)))
backup.back_up(url, Path(folder), Path(target))
print("done")
"""


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_backup_that_is_killed_is_none(tmp_path: Path, name: str) -> None:
    """At every of its acts."""
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    samples.in_folder(tmp_path)
    engine.boot(url, scheduled=False)
    engine.shutdown()
    (tmp_path / "data/snapshots/a").mkdir(parents=True)
    (tmp_path / "data/snapshots/a/rows.jsonl").write_text("{}")
    target = tmp_path / name
    for moment in range(20):
        command = [sys.executable, "-c", _DYING, str(moment), url, str(tmp_path / "data"), str(target)]
        done = subprocess.run(command, cwd=_CHECKOUT, env=os.environ, check=False, capture_output=True, text=True)
        if done.stdout == "done\n":
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        found = [path for path in tmp_path.iterdir() if path.name.startswith("backup")]
        if target in found:  # the last act is only to tell the disk of the new name
            restore(target, f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "r", ())
            break
        for left in found:
            with pytest.raises(UserError, match=r"expected a finished backup|expected a backup"):
                restore(left, f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other", ())
    assert moment >= 4
    assert target.exists()


def _spoil_content(folder: Path) -> None:
    path = folder / "data/snapshots/ds1-1/rows.jsonl"
    path.write_text(path.read_text().replace("mara", "tara"))


def _spoil_missing(folder: Path) -> None:
    (folder / "data/runs/r1/report.json").unlink()


def _spoil_more(folder: Path) -> None:
    (folder / "data/adapters/more").write_text("not of it")


def _spoil_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


@pytest.mark.parametrize("spoil", [_spoil_content, _spoil_missing, _spoil_more, _spoil_manifest])
def test_a_backup_that_was_changed_is_refused_before_anything_is_written(
    place: Place, tmp_path: Path, spoil: object
) -> None:
    back_up(place.url, place.data, tmp_path / "backup")
    assert callable(spoil)
    spoil(tmp_path / "backup")
    with pytest.raises(UserError, match=r"was changed, is missing or is not of it|expected a finished backup"):
        restore(tmp_path / "backup", place.empty("new"), tmp_path / "new" / "data", ())
    assert not (tmp_path / "new" / "data").exists()


def test_places_that_are_not_empty_and_versions_that_are_newer_are_refused(place: Place, tmp_path: Path) -> None:
    back_up(place.url, place.data, tmp_path / "backup")
    with pytest.raises(UserError, match="expected an empty place"):
        restore(tmp_path / "backup", place.empty("new"), place.data, ())
    with pytest.raises(UserError, match=r"expected no database|expected an empty database"):
        restore(tmp_path / "backup", place.url, tmp_path / "other", ())
    wrong = "postgresql://x@/y" if place.url.startswith("sqlite") else f"sqlite:///{tmp_path / 'x.db'}"
    with pytest.raises(UserError, match="restore it where it came from"):
        restore(tmp_path / "backup", wrong, tmp_path / "third", ())
    manifest = json.loads((tmp_path / "backup" / MANIFEST).read_text())
    for newer in ({"schema_version": "9999"}, {"journal": 10_000}):
        (tmp_path / "backup" / MANIFEST).write_text(json.dumps(manifest | newer))
        with pytest.raises(UserError, match="this Understudy or an older one"):
            restore(tmp_path / "backup", place.empty("new"), tmp_path / "new" / "data", ())
    with tarfile.open(tmp_path / "no.tar", "w"):
        pass
    with pytest.raises(UserError, match="expected a finished backup"):
        restore(tmp_path / "no.tar", place.empty("new"), tmp_path / "new" / "data", ())


def test_a_database_of_another_schema_is_not_backed_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    with pytest.raises(UserError, match="found none"):
        back_up(url, tmp_path / "data", tmp_path / "backup")
    migrate(url)
    with pytest.raises(UserError, match="that ran once"):
        back_up(url, tmp_path / "data", tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


_DYING_RESTORE = """
import os, signal, sys
from pathlib import Path
from app.keeping import restore

moment, source, url, data = sys.argv[1:]
left = [int(moment)]

def count(function):
    def run(*args, **kwargs):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return run

for name in ("copy_file", "reapply", "migrate", "load_postgresql", "prepare_journal", "hand_over"):
    setattr(restore, name, count(getattr(restore, name)))
restore.restore(Path(source), url, Path(data), ())
print("done")
"""


def test_a_restore_that_is_killed_is_begun_again(place: Place, tmp_path: Path) -> None:
    back_up(place.url, place.data, tmp_path / "backup")
    target, data = place.empty("new"), tmp_path / "new" / "data"
    for moment in (0, 2, 4, 5, 6, 7, 99):
        command = [sys.executable, "-c", _DYING_RESTORE, str(moment), str(tmp_path / "backup"), target, str(data)]
        done = subprocess.run(command, cwd=_CHECKOUT, env=os.environ, check=False, capture_output=True, text=True)
        if done.stdout == "done\n":
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        url = parse_database_url(target)
        if url.get_backend_name() == "sqlite":
            assert not Path(str(url.database)).exists()
    assert moment > 2
    assert _count(target) == _count(place.url)
