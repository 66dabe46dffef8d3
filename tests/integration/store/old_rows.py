"""Rows as earlier versions wrote them, for a database at any schema: plain values, made by no code of today.

`ROWS` tells, for each table, whole rows with every column that any version ever had; `fill` inserts what the tables
that are there can hold. A migration that takes a column away or a table needs its rows changed here on purpose.
"""

from typing import Any

import sqlalchemy as sa

MOMENT = "2026-01-02 03:04:05.678901"
#: Their rows got their numbers from the database.
_NUMBERED = ("us_approval", "us_audit")
_BIG = 7_000_000_001
_EXAMPLE = {
    "kind": "review_comment",
    "host": "github.com",
    "repository_id": 5_000_000_000,
    "repository": "o/r",
    "pull_request": 3,
    "pull_request_created_at": "2026-01-01T00:00:00Z",
    "commit_sha": "a" * 40,
    "path": "x.py",
    "hunk": {"header": "@@ -0,0 +1 @@", "lines": [{"kind": "added", "old": None, "new": 1, "text": "x = 1  # é"}]},
    "commented_lines": [],
    "comment_id": 1,
    "reviewer": None,
    "line": 1,
    "start_line": None,
    "side": "RIGHT",
    "body": "say why",
    "evidence": "line",
    "fix": None,
}
_REJECTION = {
    "host": "github.com",
    "repository_id": 5,
    "repository": "o/r",
    "pull_request": 3,
    "comment_id": 9,
    "path": "x.py",
    "line": None,
    "side": "RIGHT",
    "evidence": "unchanged",
    "reason": "praise",
    "detail": "only praise",
    "fix": None,
}
_FINDING = {
    "repository": "o/r",
    "pull_request": 3,
    "path": "x.py",
    "line": 1,
    "body": "Log it.",
    "severity": "minor",
    "fingerprint": "fp1:1",
    "locator_score": 0.9,
    "acceptance_score": 0.8,
    "adapter": f"{_BIG}--abc",
}
_PULL: dict[str, Any] = {"installation_id": _BIG, "repository": "o/r", "pull_request": 3}

ROWS: dict[str, list[dict[str, Any]]] = {
    "us_delivery": [
        {
            "guid": f"github.com:{number}",
            "event": "pull_request",
            "action": "opened",
            "installation_id": _BIG,
            "body": b'{"zen": "\xc3\xa9"}' if number else b"",
            "headers": {"x-github-event": "pull_request"},
            "received_at": MOMENT,
            "handled_at": MOMENT if number else None,
            "outcome": "ignored: ping" if number else None,
        }
        for number in range(3)
    ],
    "us_installation": [
        {
            "id": _BIG,
            "host": "github.com",
            "account": "o",
            "state": "active",
            "permissions": {"contents": "read"},
            "updated_at": MOMENT,
        }
    ],
    "us_repository": [
        {
            "installation_id": _BIG,
            "repository_id": 5_000_000_000,
            "full_name": "o/r",
            "watched_since": MOMENT,
            "swept_at": None,
            "etag": 'W/"1"',
            "backfill": "run",
            "total": 9,
            "listed": 8,
            "done_before": 1,
            "backfill_began_at": MOMENT,
            "backfill_listed_at": None,
            "seen_head": "b" * 40,
            "history_head": None,
            "indexed_head": None,
        }
    ],
    "us_harvested": [
        {
            "installation_id": _BIG,
            "repository_id": 5_000_000_000,
            "pull_request": 3,
            "repository": "o/r",
            "head_sha": "a" * 40,
            "author": "au1:1",
            "merge_commit_sha": None,
            "harvested_at": MOMENT,
        }
    ],
    "us_erasure": [
        {
            "id": "e1",
            "installation_id": _BIG,
            "kind": "author",
            "subject": "",
            "subject_key": "au1:2",
            "reason": "operator",
            "requested_at": MOMENT,
            "finished_at": MOMENT,
            "lifted_at": None,
            "report": {"examples": 2},
        }
    ],
    "us_example": [
        {
            "hash": "ex1:33c00434f381d81fe87e620e01c742a12f531d63",
            **_PULL,
            "kind": "review_comment",
            "comment_id": 5_000_000_009,
            "evidence": "line",
            "weight": 0.9,
            "payload": _EXAMPLE,
            "signals": {},
            "created_at": MOMENT,
            "source": "harvest",
        }
    ],
    "us_rejection": [
        {"id": "github.com:5:9", **_PULL, "reason": "praise", "payload": _REJECTION, "created_at": MOMENT}
    ],
    "us_approval": [
        {
            "id": number,
            "example_hash": "ex1:33c00434f381d81fe87e620e01c742a12f531d63",
            **_PULL,
            "decision": decision,
            "actor": "mara",
            "actor_role": "write",
            "source": "label",
            "content_hash": "c",
            "idempotency_key": f"k{number}",
            "created_at": MOMENT,
        }
        for number, decision in enumerate(("approve", "void", "approve"), start=1)
    ],
    "us_audit": [
        {
            "id": 1,
            "at": MOMENT,
            "actor": "mara",
            "action": "approve",
            "subject": "o/r#3",
            "detail": {"label": "understudy:approve"},
            "idempotency_key": "a1",
        }
    ],
    "us_snapshot": [
        {
            "id": "ds1:1",
            "installation_id": _BIG,
            "path": "/data/snapshots/ds1-1",
            "created_at": MOMENT,
            "manifest": {"rows": 1},
            "erased_at": None,
        }
    ],
    "us_training_run": [
        {
            "id": "r1",
            "installation_id": _BIG,
            "snapshot_id": "ds1:1",
            "state": "succeeded",
            "path": "/data/runs/r1",
            "started_at": MOMENT,
            "ended_at": MOMENT,
            "detail": {},
        }
    ],
    "us_adapter_version": [
        {
            "name": f"{_BIG}--abc",
            "installation_id": _BIG,
            "snapshot_id": "ds1:1",
            "state": "promoted",
            "path": "/data/adapters/abc",
            "manifest": {"name": "abc"},
            "decision": None,
            "created_at": MOMENT,
            "stale_at": None,
        }
    ],
    "us_adapter_pointer": [
        {"installation_id": _BIG, "adapter_name": f"{_BIG}--abc", "previous": None, "moved_at": MOMENT}
    ],
    "us_review": [
        {
            "id": "github.com:5:3:" + "a" * 40,
            **_PULL,
            "head_sha": "a" * 40,
            "state": "posted",
            "github_review_id": 5_000_000_010,
            "coverage": {"files": 1},
            "adapter": f"{_BIG}--abc",
            "full": False,
            "created_at": MOMENT,
            "finished_at": MOMENT,
        }
    ],
    "us_finding": [
        {
            "review_id": "github.com:5:3:" + "a" * 40,
            "fingerprint": "fp1:1",
            "path": "x.py",
            "line": 1,
            "body": "Log it.",
            "severity": "minor",
            "posted": True,
            "comment_id": 5_000_000_011,
            "payload": _FINDING,
        }
    ],
    "us_feedback": [
        {
            "review_id": "github.com:5:3:" + "a" * 40,
            "fingerprint": "fp1:1",
            **_PULL,
            "held_back": False,
            "verdict": "unknown",
            "signs": {},
            "head_sha": "a" * 40,
            "line_text": "x = 1",
            "pull_request_created_at": MOMENT,
            "consent": "evidence",
            "read_at": MOMENT,
            "settled_at": None,
        }
    ],
    "us_review_ask": [{"review_id": "github.com:5:3:" + "a" * 40, "installation_id": _BIG, "received_at": MOMENT}],
    "us_pause": [{**_PULL, "actor": "mara", "actor_role": "write", "paused_at": MOMENT}],
    "us_dismissal": [
        {
            **_PULL,
            "fingerprint": "fp1:1",
            "words": None,
            "reason": "no",
            "actor": "mara",
            "actor_role": "write",
            "comment_id": 5_000_000_012,
            "dismissed_at": MOMENT,
        }
    ],
    "us_reference_file": [
        {"installation_id": _BIG, "repository_id": 5, "repository": "o/r", "path": "README.md", "content": "md:1"}
    ],
    "us_reference": [
        {
            "installation_id": _BIG,
            "repository_id": 5,
            "repository": "o/r",
            "content": "md:1",
            "position": 0,
            "payload": {"text": "how"},
        }
    ],
    "us_vector": [{"installation_id": _BIG, "model": "static", "text_hash": "t1", "vector": b"\x00\xff\x01"}],
    "us_session": [
        {
            "key": "s1",
            "login": "mara",
            "user_id": 7,
            "is_operator": False,
            "installations": [_BIG],
            "created_at": MOMENT,
            "expires_at": MOMENT,
        }
    ],
    "us_sign_in": [{"key": "s2", "verifier": "v", "expires_at": MOMENT}],
    "us_example_search": [
        {
            "hash": "ex1:33c00434f381d81fe87e620e01c742a12f531d63",
            **_PULL,
            "kind": "review_comment",
            "evidence": "line",
            "decision": None,
            "created_at": MOMENT,
            "path": "x.py",
            "line": 1,
            "text": "x.py\nsay why",
        }
    ],
    "us_executor": [
        {"id": "old", "host": "h", "pid": 1, "started_at": MOMENT, "heartbeat_at": MOMENT, "ended_at": MOMENT}
    ],
    "us_progress": [{"workflow_id": "w1", "figures": {"done": 1}, "at": MOMENT}],
}


def fill(connection: sa.Connection) -> dict[str, int]:
    """Rows into every table of ours that is there; how many by table. Fails where a table has none in `ROWS`."""
    metadata = sa.MetaData()
    metadata.reflect(connection, only=lambda name, _: name.startswith("us_") and name != "us_schema_version")
    for table in metadata.sorted_tables:
        rows = [{name: row[name] for name in row if name in table.columns} for row in ROWS[table.name]]
        names = list(rows[0])
        marks = ", ".join(_mark(table.columns[name]) for name in names)
        quoted = ", ".join(f'"{name}"' for name in names)
        statement = sa.text(f'insert into "{table.name}" ({quoted}) values ({marks})')  # noqa: S608  our own names
        typed = [name for name in names if isinstance(table.columns[name].type, sa.JSON)]
        connection.execute(statement.bindparams(*(sa.bindparam(name, type_=sa.JSON()) for name in typed)), rows)
        if connection.dialect.name == "postgresql" and "id" in table.columns and table.name in _NUMBERED:
            number = f"setval(pg_get_serial_sequence('{table.name}', 'id'), {len(rows)})"
            connection.execute(sa.text(f"select {number}"))
    return {table.name: len(ROWS[table.name]) for table in metadata.sorted_tables}


def _mark(column: sa.Column[Any]) -> str:
    """SQLite keeps moments as this text; PostgreSQL is told that they are in UTC."""
    if getattr(column.type, "timezone", False):
        return f"cast(:{column.name} as timestamp) at time zone 'UTC'"
    return f":{column.name}"
