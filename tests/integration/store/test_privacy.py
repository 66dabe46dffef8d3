"""What people wrote is their own: whatever is made for it is made for its owner alone, whatever the umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.keeping.backup import back_up
from app.keeping.restore import restore
from app.store.database import open_engine
from app.store.migrate import migrate
from app.workflows import engine
from tests.integration.intake.conftest import running, settings_for


@pytest.fixture(autouse=True)
def _wide_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}


def test_a_service_makes_its_data_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(settings_for(f"sqlite:///{data}/understudy.db", tmp_path)):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        found = _modes(data)
        assert {"understudy.db", "understudy.db-wal", "understudy.db-shm"} <= found.keys()
        assert set(found.values()) == {0o600}


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    """As a volume that a cluster gives to a group."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o2770)
    (data / "understudy.db").touch(mode=0o660)
    (data / "understudy.db").chmod(0o660)
    with running(settings_for(f"sqlite:///{data}/understudy.db", tmp_path)):
        assert stat.S_IMODE(data.stat().st_mode) == 0o2770
        found = _modes(data)
        assert found["understudy.db"] == found["understudy.db-wal"] == found["understudy.db-shm"] == 0o660


def test_a_restored_service_is_its_owners_alone(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    url = f"sqlite:///{old}/understudy.db"
    engine.boot(url, scheduled=False)
    engine.shutdown()
    back_up(url, old, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", f"sqlite:///{new}/understudy.db", new, ())
    assert stat.S_IMODE(new.stat().st_mode) == 0o700
    assert set(_modes(new).values()) == {0o600}


def test_what_can_not_be_made_is_said_by_the_database(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unable to open database file"):
        migrate(f"sqlite:///{tmp_path}")


def test_a_database_is_not_made_before_it_is_asked_for(tmp_path: Path) -> None:
    open_engine(f"sqlite:///{tmp_path}/understudy.db").dispose()
    assert not list(tmp_path.iterdir())
