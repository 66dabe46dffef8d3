"""`python -m app dataset …` as a person runs it: over a folder, and over a real store."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app import dataset_commands
from app.__main__ import cli
from app.dataset.building import build_snapshot
from app.dataset.folder import verify_snapshot
from app.domain.errors import UserError
from app.domain.examples import Evidence, Rejection
from app.store.database import open_engine, reading, writing
from app.store.learning import (
    append_approval,
    save_examples,
    save_rejections,
    save_written,
    select_approved_examples,
    select_approved_written,
)
from app.store.migrate import migrate
from app.store.tables import ApprovalRow, InstallationRow
from tests.unit.dataset.exported import a_snapshot, examples
from tests.unit.dataset.test_written import a_written

INSTALLATION = 7_000_000_001


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["dataset", *arguments])


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with ten pull requests' examples, one of them rejected, and two commits, one approved."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    settings = {
        "WEBHOOK_SECRETS": "s" * 16,
        "OPERATOR_TOKEN": "t" * 16,
        "APP_ID": "1",
        "PRIVATE_KEY_FILE": str(tmp_path / "none.pem"),
        "DATABASE_URL": url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as session:
        session.add(InstallationRow(id=INSTALLATION, host="github.test", account="acme"))
        found, told = examples(), [a_written(1), a_written(2)]
        save_examples(session, INSTALLATION, found, "harvest")
        save_written(session, INSTALLATION, told, "history")
        save_rejections(session, INSTALLATION, [a_rejection("<b>praise</b>")])
        hashes = [one.hash for one in found]
        for each in [*hashes[:-2], told[0].hash]:
            append_approval(session, an_approval(each, "approve"))
        append_approval(session, an_approval(hashes[-2], "reject"))
    engine.dispose()
    return url


def an_approval(example_hash: str, decision: str) -> ApprovalRow:
    return ApprovalRow(
        example_hash=example_hash,
        installation_id=INSTALLATION,
        repository="acme/store",
        pull_request=1,
        decision=decision,
        actor="mara",
        actor_role="write",
        source="label",
        content_hash=example_hash,
        idempotency_key=f"{decision}:{example_hash}",
    )


def a_rejection(detail: str) -> Rejection:
    return Rejection(
        host="github.test",
        repository_id=1,
        repository="acme/store",
        pull_request=3,
        comment_id=99,
        path="f.py",
        line=2,
        side="RIGHT",
        evidence=Evidence.UNKNOWN,
        reason="praise",
        detail=detail,
    )


def test_a_report_of_the_store(store: str, tmp_path: Path) -> None:
    page, figures = tmp_path / "out" / "r.html", tmp_path / "out" / "r.json"

    result = run("report", "--installation", str(INSTALLATION), "--out", str(page), "--json", str(figures))

    assert result.exit_code == 0, result.output
    told = json.loads(figures.read_text())
    assert told["rows"] == 20 - 1 + 2
    decisions = next(chart for chart in told["charts"] if chart["key"] == "decision")
    assert {bar["name"]: bar["count"] for bar in decisions["bars"]} == {"approve": 18 + 1, "none": 2}
    assert told["refused"][0]["shown"][0]["detail"] == "<b>praise</b>"
    assert "&lt;b&gt;praise&lt;/b&gt;" in page.read_text()
    assert "Dataset report of acme" in page.read_text()
    assert told["advice"]["sentence"] in result.output


def test_only_approved_written_ones_enter_the_snapshot(store: str, tmp_path: Path) -> None:
    engine = open_engine(store)
    with reading(engine) as session:
        written = select_approved_written(session, INSTALLATION)
        rows = select_approved_examples(session, INSTALLATION)
        assert select_approved_written(session, INSTALLATION + 1) == []
    engine.dispose()
    assert [row.hash for row in written] == [a_written(1).hash]
    folder, manifest = build_snapshot(
        rows, INSTALLATION, tmp_path / "snapshots", written=written, now=datetime(2026, 2, 1, tzinfo=UTC)
    )
    counts = {name: count for name, count in manifest.counts.items() if name.startswith("written")}
    assert counts == {"written.train.jsonl": 1, "written.heldout.jsonl": 0}
    assert verify_snapshot(folder) == manifest


Complaint = tuple[Callable[[Path], list[str]], str]
COMPLAINTS: list[Complaint] = [
    (lambda _: ["report", "--out", "x.html"], "either --snapshot DIR or --installation ID"),
    (lambda _: ["report", "--snapshot", "s"], "expected --out FILE.html"),
    (lambda root: ["report", "--installation", "5", "--out", str(root / "x.html")], "expected the id of an install"),
    (lambda root: ["report", "--snapshot", str(root / "none"), "--out", str(root / "x")], "expected a snapshot folder"),
]


@pytest.mark.parametrize(("arguments", "told"), COMPLAINTS)
def test_what_is_asked_wrongly_is_told(
    store: str, tmp_path: Path, arguments: Callable[[Path], list[str]], told: str
) -> None:
    result = run(*arguments(tmp_path))
    assert isinstance(result.exception, UserError)
    assert told in str(result.exception)


def test_a_database_without_tables_is_told(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    result = run("report", "--installation", "5", "--out", str(tmp_path / "x.html"))
    assert "expected Understudy's database" in str(result.exception)


def test_out_and_back_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = a_snapshot(tmp_path / "s")
    monkeypatch.setattr(dataset_commands, "find_secret", lambda text: "word" if "print 3" in text else None)

    out = run("export", "--snapshot", str(tmp_path / "s"), "--format", "unsloth", "--out", str(tmp_path / "out"))
    assert "1 refused, they hold a secret: comments.train:word" in out.output
    back = run("import", str(tmp_path / "out"), "--format", "unsloth", "--snapshot", str(tmp_path / "back"))

    assert back.exit_code == 0, back.output
    assert verify_snapshot(tmp_path / "back").id in back.output
    assert verify_snapshot(tmp_path / "back").id in out.output
    assert manifest.id not in back.output
