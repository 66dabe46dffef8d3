"""What people had erased after a backup was made does not come back with it, and the service reviews on."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from app.domain.erasure import ErasureKind, Forgotten, Subject, subject_key
from app.domain.errors import UserError
from app.domain.tombstones import Tombstone
from app.domain.written import author_key
from app.keeping.backup import back_up
from app.keeping.forgetting import export_erasures, read_erasures
from app.keeping.restore import restore
from app.store.database import open_engine, reading, writing
from app.store.erasures import load_forgotten
from app.store.named import name_subjects
from app.store.rounds import load_pointer, move_pointer
from app.store.tables import AuditRow, DeliveryRow, ErasureRow, ExampleRow, InstallationRow, ReviewRow
from app.workflows import context, engine, erasure_requests
from tests.integration.review.printing import PRINTING, install_reviewer, review, said
from tests.integration.store.old_rows import fill
from tests.integration.team import BEGINNING, REPO, Team, assembled_team


def a_tombstone(kind: ErasureKind, name: str, **more: object) -> Tombstone:
    now = datetime.now(UTC)
    values = {
        "id": f"{kind}-{name}",
        "installation_id": 7_000_000_001,
        "kind": kind,
        "subject_key": subject_key(kind, name),
        "reason": "operator",
        "requested_at": now,
        "finished_at": now,
        "lifted_at": None,
    }
    return Tombstone.model_validate(values | more)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    database = open_engine(database_url)
    with database.begin() as connection:
        fill(connection)
    with Session(database) as session:
        yield session
    database.dispose()


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        (ErasureKind.AUTHOR, "Mara", "mara"),
        (ErasureKind.PULL_REQUEST, "O/R#3", "o/r#3"),
        (ErasureKind.REPOSITORY, "o/r", "o/r"),
        (ErasureKind.INSTALLATION, "7000000001", "7000000001"),
    ],
)
def test_a_key_is_told_by_what_came_back(session: Session, kind: ErasureKind, name: str, told: str) -> None:
    assert name_subjects(session, 7_000_000_001, [a_tombstone(kind, name)], []) == [Subject(kind=kind, name=told)]


def test_a_key_that_nothing_is_about_is_nobody(session: Session) -> None:
    for kind, name in (
        (ErasureKind.AUTHOR, "stranger"),
        (ErasureKind.PULL_REQUEST, "o/r#4"),
        (ErasureKind.REPOSITORY, "o/other"),
    ):
        assert name_subjects(session, 7_000_000_001, [a_tombstone(kind, name)], []) == []
    assert name_subjects(session, 8, [a_tombstone(ErasureKind.AUTHOR, "stranger")], []) == []


def test_a_person_is_found_in_snapshots_and_by_pull_requests_alone(session: Session) -> None:
    in_snapshots = a_tombstone(ErasureKind.AUTHOR, "ann@example.org")
    found = name_subjects(session, 7_000_000_001, [in_snapshots], ["Signed-off-by: Ann <ann@example.org>"])
    assert [subject.name for subject in found] == ["ann@example.org"]
    nameless = a_tombstone(ErasureKind.AUTHOR, "x", subject_key="au1:1")  # who opened o/r#3, by its key
    assert [subject.name for subject in name_subjects(session, 7_000_000_001, [nameless], [])] == ["o/r#3"]


def test_only_keys_are_exported(session: Session, tmp_path: Path) -> None:
    session.add(
        ErasureRow(
            id="e2",
            installation_id=7,
            kind="author",
            subject="a-name-in-clear",
            subject_key=author_key("a-name-in-clear"),
            reason="operator",
        )
    )
    session.commit()
    bind = session.get_bind()
    assert isinstance(bind, sa.Engine)
    url = bind.url.render_as_string(hide_password=False)
    text = export_erasures(url).model_dump_json()
    assert "a-name-in-clear" not in text
    (tmp_path / "erasures.json").write_text(text)
    assert [one.id for one in read_erasures(str(tmp_path / "erasures.json"))] == ["e1", "e2"]
    assert read_erasures(str(tmp_path / "erasures.json")) == read_erasures(url)
    (tmp_path / "no.json").write_text("{}")
    for wrong in (str(tmp_path / "no.json"), str(tmp_path / "none.json"), f"sqlite:///{tmp_path / 'none.db'}"):
        with pytest.raises(UserError, match="expected"):
            read_erasures(wrong)


@pytest.fixture
def team(empty_database_url: str, tmp_path: Path) -> Iterator[Team]:
    with assembled_team(tmp_path, empty_database_url) as made:
        yield made


def _boot_restored(team: Team, url: str, data: Path) -> None:
    services = context.services()
    context.install(None)
    engine.shutdown()

    def prepare(database: sa.Engine) -> None:
        team.services = replace(services, database=database, data=data)
        context.install(team.services)

    engine.boot(url, prepare=prepare, polling_seconds=0.05, scheduled=False)


def _other(url: str, team: Team, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'restored.db'}"
    return str(request.getfixturevalue("postgres_server").create_database())


def test_the_erased_stays_erased_and_reviews_go_on(
    team: Team,
    empty_database_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install_reviewer(monkeypatch)
    number, sha = team.open({"service.py": PRINTING})
    team.say(number, sha, 10, "Use the logger here, as everywhere.")
    team.fix(number, {"service.py": PRINTING.replace("print(order)", "log(order)")})
    team.standin.merge(REPO, number, by="max")
    team.run("harvest", number)
    before, _ = team.open({"service.py": PRINTING})
    assert review(team, before) == "posted"
    with writing(team.services.database) as session:
        session.add(InstallationRow(id=team.installation_id, host="github.test", account="acme"))
        move_pointer(session, team.installation_id, "7--v1")
        mine: dict[str, Any] = {"installation_id": team.installation_id, "handled_at": BEGINNING}
        session.add(DeliveryRow(guid="g", event="x", body=b'{"by": "mara"}', **mine))
    assert team.examples(number)

    back_up(empty_database_url, team.services.data, tmp_path / "backup")  # while the service runs

    for workflow_id in erasure_requests.start_erasure("author", "mara"):
        engine.wait(workflow_id, 60)
    assert not team.examples(number)
    exported = tmp_path / "erasures.json"
    exported.write_text(export_erasures(empty_database_url).model_dump_json())

    target, data = _other(empty_database_url, team, tmp_path, request), tmp_path / "restored"
    done = restore(tmp_path / "backup", target, data, read_erasures(str(exported)))
    assert (done.reapplied.tombstones, done.reapplied.erasures) == (1, 1)
    _boot_restored(team, target, data)
    with reading(team.services.database) as session:
        assert load_forgotten(session, team.installation_id) == Forgotten(keys=frozenset({author_key("mara")}))
        (again,) = session.exec(select(ErasureRow).where(ErasureRow.reason == "restored")).all()
    engine.wait(f"erase:{team.installation_id}:{again.id}", 60)
    _check_nothing_of(team, "mara")
    with reading(team.services.database) as session:
        pointer = load_pointer(session, team.installation_id)
        assert pointer is not None
        assert pointer.adapter_name == "7--v1"
        assert len(session.exec(select(ReviewRow)).all()) == 1
    after, _ = team.open({"service.py": PRINTING})
    assert review(team, after) == "posted"
    assert review(team, before) == "posted"
    assert said(team, after) == said(team, before) == [("service.py", 10)]


def _check_nothing_of(team: Team, name: str) -> None:
    with reading(team.services.database) as session:
        assert session.exec(select(ExampleRow)).all() == []
        delivery = session.get(DeliveryRow, "g")
        assert delivery is not None
        assert delivery.body == b""
        told = [json.dumps([row.actor, row.detail]) for row in session.exec(select(AuditRow))]
    assert not [text for text in told if name in text]


def test_without_the_erasures_it_would_come_back(team: Team, empty_database_url: str, tmp_path: Path) -> None:
    """So that the test above tests something."""
    if not empty_database_url.startswith("sqlite"):
        pytest.skip("one database is enough to show what the other test is about")
    number, sha = team.open({"service.py": PRINTING})
    team.say(number, sha, 10, "Use the logger here, as everywhere.")
    team.fix(number, {"service.py": PRINTING.replace("print(order)", "log(order)")})
    team.standin.merge(REPO, number, by="max")
    team.run("harvest", number)
    back_up(empty_database_url, team.services.data, tmp_path / "backup")
    restore(tmp_path / "backup", f"sqlite:///{tmp_path / 'restored.db'}", tmp_path / "restored", ())
    database = open_engine(f"sqlite:///{tmp_path / 'restored.db'}")
    with reading(database) as session:
        assert session.exec(select(ExampleRow)).all() != []
    database.dispose()
