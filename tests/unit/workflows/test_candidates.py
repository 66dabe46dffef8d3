"""A version that a person took out of use comes back by a person's word only."""

from pathlib import Path

from app.store.database import open_engine, writing
from app.store.learning import append_audit
from app.store.migrate import migrate
from app.workflows.candidates import ROLLBACK, was_rolled_back


def test_the_newest_rollback_of_the_installation_is_what_counts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'u.db'}"
    migrate(url)
    database = open_engine(url)

    def roll_back(installation: int, left: str, key: str) -> None:
        with writing(database) as session:
            append_audit(
                session,
                installation_id=installation,
                actor="operator",
                action=ROLLBACK,
                subject="restored",
                idempotency_key=key,
                detail={"installation_id": installation, "left": left},
            )

    def taken_out(installation: int, name: str) -> bool:
        with writing(database) as session:
            return was_rolled_back(session, installation, name)

    assert not taken_out(1, "1--b")
    roll_back(1, "1--b", "first")
    roll_back(2, "2--x", "another installation's")
    assert taken_out(1, "1--b")
    assert not taken_out(1, "1--a")
    roll_back(1, "1--a", "and back to b")
    assert not taken_out(1, "1--b")
    assert taken_out(1, "1--a")
    database.dispose()
