"""How many connections a SQLite file may have, and what would happen if they ran out."""

import threading
import time
from pathlib import Path

import sqlalchemy as sa

from app.store.database import open_engine, open_journal_engine, writing

#: More than one process ever had at once when the limit was thirty.
_WAITING = 40


def test_who_has_the_file_can_look_into_the_journal_though_forty_wait_for_the_file(tmp_path: Path) -> None:
    """As the job engine does within each of our transactions."""
    ours = open_engine(f"sqlite:///{tmp_path / 'understudy.db'}")
    journal = open_journal_engine(ours)
    assert journal is not None
    with writing(ours) as session:
        session.connection().execute(sa.text("CREATE TABLE counted (number INTEGER)"))
        session.connection().execute(sa.text("INSERT INTO counted VALUES (0)"))
    add = sa.text("UPDATE counted SET number = number + 1")

    def wait() -> None:
        with journal.begin() as connection:
            connection.execute(add)

    with writing(ours) as session:
        session.connection().execute(add)
        threads = [threading.Thread(target=wait) for _ in range(_WAITING)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        began = time.monotonic()
        with journal.connect() as connection:
            assert connection.execute(sa.text("SELECT number FROM counted")).scalar_one() == 0
        assert time.monotonic() - began < 10, "a pool that is empty gives up after 30 s"
    for thread in threads:
        thread.join(60)
    with journal.connect() as connection:
        assert connection.execute(sa.text("SELECT number FROM counted")).scalar_one() == _WAITING + 1
