"""Secrets and personal data drop a written example whole; which it was is said, never what."""

from datetime import UTC, datetime

from app.domain.written import WrittenExample
from app.history.changes import CommitChange, FileChange
from app.history.deciding import LeftOut, Origin, decide_commit
from tests.planted_secrets import plant

ORIGIN = Origin(host="github.test", repository_id=1, repository="acme/store")
CODE = "\n".join(f"+    total_{row} = order.lines[{row}].price" for row in range(14))


def a_commit(
    hunks: str, message: str = "Add up the lines of an order\n\nSo that the total can be shown early."
) -> object:
    file = FileChange(None, "orders.py", "b" * 40, None, 15, hunks, ())
    return decide_commit(
        CommitChange("a" * 40, "Mara", "mara@acme.test", datetime(2026, 1, 5, tzinfo=UTC), message, (file,)), ORIGIN
    )


def test_a_clean_commit_is_kept() -> None:
    assert isinstance(a_commit(f"@@ -0,0 +1,14 @@\n{CODE}"), WrittenExample)


def test_a_secret_in_the_diff_drops_the_commit() -> None:
    for kind, _, text in plant(15, seed=5):
        added = "\n".join(f"+{line}" for line in text.split("\n"))
        found = a_commit(f"@@ -0,0 +1,20 @@\n{CODE}\n{added}")
        assert isinstance(found, LeftOut), kind
        assert found.reason == "secret"


def test_personal_data_in_the_message_drops_the_commit() -> None:
    found = a_commit(
        f"@@ -0,0 +1,14 @@\n{CODE}", "Add up the lines\n\nAsk jo.doe@northwind-trading.com before changing it."
    )
    assert isinstance(found, LeftOut)
    assert found.reason == "personal_data"
