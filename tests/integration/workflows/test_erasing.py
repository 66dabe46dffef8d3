"""Nothing of what was erased is found again: by bytes in every file, and in every row of every table."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.curation.decision import APPROVE_LABEL
from app.dataset.building import build_snapshot
from app.dataset.tracing import trace
from app.domain.adapters import AdapterState
from app.domain.errors import UserError
from app.domain.findings import Finding, finding_fingerprint
from app.domain.pinned import PINNED
from app.domain.written import WrittenExample, WrittenKind, author_key
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.deliveries import save_deliveries, save_installation
from app.store.learning import append_audit, save_written, select_approved_examples, select_examples
from app.store.reviews import load_review, save_findings, save_posted_comments, save_review
from app.store.rounds import (
    load_pointer,
    move_pointer,
    save_adapter_version,
    save_snapshot,
    save_training_run,
    select_adapter_versions,
)
from app.store.sessions import save_session
from app.store.tables import (
    AdapterVersionRow,
    AuditRow,
    DeliveryRow,
    InstallationRow,
    ReviewRow,
    SnapshotRow,
    TrainingRunRow,
)
from app.store.web_tables import SessionRow
from app.workflows import backfilling, engine, erasure_requests, retraining
from app.workflows.runs import State
from tests.integration.team import REPO, SERVICE, Team, assembled_team
from tests.waiting import eventually

CHANGED = SERVICE.replace("    total = 0\n", "    total = 0\n    canarycode(order)\n")
MARKED = CHANGED.split("\n").index("    canarycode(order)") + 1
#: What is planted: the reviewer's login and words, their git name, and the code that was commented on.
LOGIN, WORDS, CODE, GIT_NAME = "canary-login", "canarywords", "canarycode", "canarygitname"


@dataclass
class Planted:
    team: Team
    database_url: str
    number: int
    comment_id: int
    adapter: str
    snapshot: Path

    @property
    def data(self) -> Path:
        return self.team.services.data

    def found(self, *needles: str) -> list[str]:
        """Every place that holds one of the strings: files under the data folder, and the database."""
        return sorted({place for needle in needles for place in self._places(needle)})

    def _places(self, needle: str) -> Iterator[str]:
        folders = [self.data] if self.database_url.startswith("postgres") else [self.data, self.data.parent]
        for folder in folders:
            files = folder.rglob("*") if folder == self.data else folder.glob("understudy.db*")
            yield from (
                f"{file}: {needle}" for file in files if file.is_file() and needle.encode() in file.read_bytes()
            )
        with reading(self.team.services.database) as session:
            connection = session.connection()
            inspector = sa.inspect(connection)
            schemas = [None] if connection.dialect.name == "sqlite" else ["public", "dbos"]
            for schema in schemas:
                for name in inspector.get_table_names(schema=schema):
                    table = sa.table(name, schema=schema)
                    rows = connection.execute(sa.select(sa.text("*")).select_from(table)).all()
                    if any(needle in _show(row) for row in rows):
                        yield f"table {name}: {needle}"


def _show(row: Any) -> str:
    return " ".join(
        bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value) for value in row
    )


@pytest.fixture
def planted(empty_database_url: str, tmp_path: Path) -> Iterator[Planted]:
    """A team that learned from two pull requests; the canaries' one, and one of somebody else."""
    with assembled_team(tmp_path, empty_database_url) as team:
        team.standin.add_collaborator(REPO, LOGIN, "write")
        _save(team, InstallationRow(id=team.installation_id, host="github.test", account="acme"))
        number, comment_id = _merge(team, CHANGED, LOGIN, f"{WORDS}: never call this here", day=0)
        _merge(
            team,
            SERVICE.replace("return total", "return -total"),
            "mara",
            "Never negate the sum here, callers subtract it.",
            day=1,
        )
        engine.wait(backfilling.start_backfill(team.installation_id), timeout_seconds=60)
        eventually(lambda: not engine.list_runs((State.ENQUEUED, State.PENDING)), timeout_seconds=90)
        folder, adapter = _learn(team)
        made = Planted(team, empty_database_url, number, comment_id, adapter, folder)
        _remember(made)
        yield made


def _merge(team: Team, text: str, reviewer: str, body: str, *, day: int) -> tuple[int, int]:
    number, sha = team.open({"service.py": text}, day=day)
    line = next(n for n, (a, b) in enumerate(zip(text.split("\n"), SERVICE.split("\n"), strict=False), 1) if a != b)
    comment_id = team.say(number, sha, line, body, author=reviewer)
    team.fix(number, {"service.py": SERVICE})
    team.standin.merge(REPO, number, by="mara")
    team.standin.label(REPO, number, APPROVE_LABEL, by="mara")
    return number, comment_id


def _learn(team: Team) -> tuple[Path, str]:
    """A snapshot, a run that left texts behind, and a promoted adapter: what a learning round leaves."""
    installation_id, data, name = team.installation_id, team.services.data, f"{team.installation_id}--0123456789ab"
    with reading(team.services.database) as session:
        rows = select_approved_examples(session, installation_id)
    folder, manifest = build_snapshot(rows, installation_id, data / "snapshots")
    run = data / "runs" / f"{installation_id}-{manifest.id.replace(':', '-')}"
    (run / "reports").mkdir(parents=True)
    (run / "reports" / "candidate.json").write_text(json.dumps({"answers": [f"{WORDS} {LOGIN}"]}))
    (run / "run.log").write_text(f"{CODE}\n")
    (data / PINNED).mkdir()
    (data / PINNED / f"{installation_id}.json").write_text(json.dumps({"prompts": [f"{WORDS} {LOGIN} {CODE}"]}))
    (data / "adapters" / name).mkdir(parents=True)
    (data / "adapters" / name / "manifest.json").write_text("{}")
    shown = manifest.model_dump(mode="json")
    with writing(team.services.database) as session:
        path = str(folder)
        save_snapshot(session, SnapshotRow(id=manifest.id, installation_id=installation_id, path=path, manifest=shown))
        save_training_run(
            session,
            TrainingRunRow(
                id="run", installation_id=installation_id, snapshot_id=manifest.id, state="succeeded", path=str(run)
            ),
        )
        save_adapter_version(
            session,
            AdapterVersionRow(
                name=name,
                installation_id=installation_id,
                snapshot_id=manifest.id,
                state=AdapterState.PROMOTED.value,
                path=str(data / "adapters" / name),
                manifest={},
            ),
        )
        move_pointer(session, installation_id, name)
    return folder, name


def _remember(planted: Planted) -> None:
    """The rest of what names somebody: a delivery, a finding, an audit row, an export, a log, a commit message."""
    team, data = planted.team, planted.data
    with writing(team.services.database) as session:
        save_deliveries(session, [_delivery(planted)])
        review = ReviewRow(
            id="github.test:1:1:abc",
            installation_id=team.installation_id,
            repository=REPO,
            pull_request=planted.number,
            head_sha="abc",
            state="posted",
            adapter=planted.adapter,
        )
        save_review(session, review)
        finding = _finding(planted)
        save_findings(session, review.id, [finding], posted=True)
        save_posted_comments(session, review.id, {finding.fingerprint: 99})
        append_audit(
            session,
            installation_id=team.installation_id,
            actor=LOGIN,
            action="curation.refused",
            subject=f"{REPO}#{planted.number}",
            idempotency_key="a",
            detail={"detail": f"{LOGIN} set the label"},
        )
        save_written(session, team.installation_id, [_commit(planted)], "history")
        for login in (LOGIN, "mara"):
            save_session(session, _signed_in(login, team.installation_id))
    (data / "exports").mkdir()
    (data / "exports" / "chat.jsonl").write_text(f"{WORDS} {CODE} {LOGIN} {GIT_NAME}\n")
    (data / "service.log").write_text(f"kept\nabout {LOGIN} and {REPO}#{planted.number}\n")


def _signed_in(login: str, installation_id: int) -> SessionRow:
    until = utc_now() + timedelta(hours=8)
    return SessionRow(key=f"hash of {login[:2]}", login=login, installations=[installation_id], expires_at=until)


def _delivery(planted: Planted) -> DeliveryRow:
    body = {
        "comment": {"body": WORDS, "user": {"login": LOGIN}},
        "repository": {"full_name": REPO},
        "pull_request": {"number": planted.number},
    }
    return DeliveryRow(
        guid="github.test:g",
        event="pull_request_review_comment",
        body=json.dumps(body).encode(),
        installation_id=planted.team.installation_id,
        handled_at=utc_now(),
        outcome="done",
    )


def _finding(planted: Planted) -> Finding:
    return Finding(
        repository=REPO,
        pull_request=planted.number,
        path="service.py",
        line=3,
        body=f"as @{LOGIN} said: {WORDS}",
        severity="minor",
        fingerprint=finding_fingerprint("service.py", CODE, WORDS),
        locator_score=0.9,
        acceptance_score=0.9,
        adapter=planted.adapter,
    )


def _commit(planted: Planted) -> WrittenExample:
    return WrittenExample(
        kind=WrittenKind.COMMIT,
        host="github.test",
        repository_id=1,
        repository=REPO,
        pull_request=planted.number,
        commit_sha="c" * 40,
        written_at=utc_now(),
        author=GIT_NAME,
        author_key=author_key("canary@example.org"),
        context=f"+{CODE}",
        text=f"{WORDS}\n\nSigned-off-by: {GIT_NAME}\nCo-authored-by: x <{LOGIN}@users.noreply.invalid>",
    )


def _save(team: Team, row: InstallationRow) -> None:
    with writing(team.services.database) as session:
        save_installation(session, row)


def _erase(kind: str, name: str) -> dict[str, Any]:
    (workflow_id,) = erasure_requests.start_erasure(kind, name)
    report = engine.wait(workflow_id, timeout_seconds=120)
    assert isinstance(report, dict)
    return report


def test_a_person_is_forgotten_and_not_learned_again(planted: Planted) -> None:
    assert planted.found(LOGIN)
    preview = erasure_requests.preview_erasure("author", LOGIN)["found"][str(planted.team.installation_id)]

    report = _erase("author", f"@{LOGIN}")

    assert planted.found(LOGIN) == []
    assert {name: report[name] for name in preview} == preview
    assert preview["examples"] == 2  # the comment and the commit message
    assert report["adapters"] == [planted.adapter]
    assert not planted.snapshot.exists()
    assert (planted.data / "service.log").read_text() == "kept\n"
    with reading(planted.team.services.database) as session:
        (version,) = select_adapter_versions(session, planted.team.installation_id)
        (left,) = [row for row in select_examples(session, planted.team.installation_id) if row.comment_id]
        assert (version.stale_at is not None, left.payload["reviewer"]) == (True, "mara")
        assert load_review(session, planted.team.installation_id, "github.test:1:1:abc") is not None
        (refused,) = session.exec(select(AuditRow).where(AuditRow.action == "curation.refused"))
        assert refused.actor == author_key(LOGIN)
        assert [row.login for row in session.exec(select(SessionRow))] == ["mara"]

    planted.team.run("harvest", planted.number)
    assert [found for found in planted.found(LOGIN, WORDS) if "us_" in found] == []


def test_a_git_authors_name_and_address_are_covered(planted: Planted) -> None:
    assert _erase("author", GIT_NAME)["examples"] == 1
    assert planted.found(GIT_NAME) == []


def test_an_address_finds_what_carries_only_its_key(planted: Planted) -> None:
    assert _erase("author", "canary@example.org")["examples"] == 1


def test_a_pull_request_is_forgotten(planted: Planted) -> None:
    report = _erase("pull_request", f"{REPO}#{planted.number}")

    assert planted.found(WORDS, CODE) == []
    assert report["adapters"] == [planted.adapter]
    with reading(planted.team.services.database) as session:
        assert {row.pull_request for row in select_examples(session, planted.team.installation_id)} == {2}
    planted.team.run("harvest", planted.number)
    assert [found for found in planted.found(WORDS, CODE) if "us_" in found] == []


def test_a_repository_is_forgotten_with_its_mirror(planted: Planted) -> None:
    assert list((planted.data / "mirrors").rglob("*.git"))
    report = _erase("repository", REPO)
    assert planted.found(WORDS, CODE, LOGIN, REPO) == []
    assert list((planted.data / "mirrors").rglob("*.git")) == []
    assert (report["mirrors"], report["adapters"]) == (1, [planted.adapter])


def test_an_installation_is_forgotten_with_its_adapters(planted: Planted) -> None:
    installation_id = planted.team.installation_id
    report = _erase("installation", str(installation_id))
    assert planted.found(WORDS, CODE, LOGIN, REPO, "acme") == []
    assert not (planted.data / "adapters" / planted.adapter).exists()
    assert report["adapters_deleted"] == 1
    with reading(planted.team.services.database) as session:
        assert load_pointer(session, installation_id) is None
        assert session.get(InstallationRow, installation_id) is not None
    (shown,) = erasure_requests.read_erasures()
    assert shown["report"]["adapters"] == [planted.adapter]


def test_what_the_app_has_again_is_not_erased(planted: Planted) -> None:
    """The webhook of the loss came late: GitHub shows the repository still, or again."""
    from app.domain.erasure import ErasureKind, Subject

    for kind, name, reason in (("repository", REPO, "removed"), ("installation", "1", "uninstalled")):
        with writing(planted.team.services.database) as session:
            subject = Subject(kind=ErasureKind(kind), name=name)
            started = erasure_requests.request_erasure(session, planted.team.installation_id, subject, reason=reason)
        assert engine.wait(started, timeout_seconds=60) == {"dismissed": True}
    assert planted.found(WORDS)


def test_weights_that_learned_from_it_are_destroyed_when_nothing_replaces_them(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    _erase("author", LOGIN)
    assert asyncio.run(retraining.destroy_stale()) == 0
    monkeypatch.setattr(retraining, "STALE_DAYS", -1)
    assert asyncio.run(retraining.destroy_stale()) == 1
    assert asyncio.run(retraining.destroy_stale()) == 0
    assert not (planted.data / "adapters" / planted.adapter).exists()
    with reading(planted.team.services.database) as session:
        pointer = load_pointer(session, planted.team.installation_id)
        assert pointer is not None
        assert pointer.adapter_name is None


def test_a_comment_is_traced_to_what_was_learned_and_back(planted: Planted) -> None:
    with reading(planted.team.services.database) as session:
        (finding,) = trace(session, "99")["findings"]
        by_print = trace(session, finding["fingerprint"])["findings"]
        (example,) = trace(session, str(planted.comment_id))["examples"]
        back = trace(session, example["hash"])["examples"]
        both = trace(session, f"{REPO}#{planted.number}")
        with pytest.raises(UserError, match="it was never here, or it was erased"):
            trace(session, "ex1:nothing")
    adapter = finding["adapter"]
    assert by_print == [finding]
    assert adapter["name"] == planted.adapter
    assert f"{REPO}#{planted.number}" in [near["pull_request"] for near in adapter["nearest"]]
    assert "cannot be known" in adapter["learned_from"]
    assert back == [example]
    assert example["snapshots"][0]["adapters"][0]["findings"] == [finding["fingerprint"]]
    assert len(both["findings"]) == 1
    assert example in both["examples"]


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("author", "  ", "expected a login"),
        ("pull_request", "acme/store", "expected a pull request as owner/name#number"),
        ("repository", "store", "expected a repository as owner/name"),
        ("installation", "acme", "expected an installation's id, a number"),
        ("installation", "999", "expected a known installation, got 999"),
        ("planet", "earth", "expected one of author, pull_request, repository, installation"),
    ],
)
def test_what_cannot_be_erased_is_said(team: Team, kind: str, name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        erasure_requests.start_erasure(kind, name)
