"""An operator takes a promotion back: the pointer moves, the audit says so, and without a way back nothing moves."""

from pathlib import Path

from app.domain.adapters import AdapterState
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.learning import select_audit
from app.store.rounds import load_adapter_version, load_pointer, move_pointer, save_adapter_version
from app.store.tables import AdapterVersionRow
from app.workflows import engine
from tests.integration.intake.conftest import Service

OURS, OLD, NEW = 11, "11--00000000000a", "11--00000000000b"
ROLL_BACK = f"/installations/{OURS}/rollback"


def _promote(name: str, folder: Path) -> None:
    state = AdapterState.PROMOTED.value
    version = AdapterVersionRow(
        name=name, installation_id=OURS, snapshot_id="ds1:a", state=state, path=str(folder), manifest={}
    )
    with writing(engine.database()) as session:
        save_adapter_version(session, version)
        move_pointer(session, OURS, name)


def _serving() -> str | None:
    with reading(engine.database()) as session:
        pointer = load_pointer(session, OURS)
        return pointer.adapter_name if pointer else None


def _state(name: str) -> str | None:
    with reading(engine.database()) as session:
        version = load_adapter_version(session, OURS, name)
        return version.state if version else None


def test_a_rollback_moves_the_pointer_back_and_is_audited(service: Service, tmp_path: Path) -> None:
    assert service.operator("POST", ROLL_BACK).status_code == 409
    (tmp_path / "old").mkdir()
    _promote(OLD, tmp_path / "old")
    refused = service.operator("POST", ROLL_BACK)
    assert (refused.status_code, _serving()) == (409, OLD)
    assert "nothing to roll back to" in refused.json()["detail"]
    _promote(NEW, tmp_path / "new")
    assert service.operator("POST", ROLL_BACK, token="guessed-token-0123456789").status_code == 401
    answer = service.operator("POST", ROLL_BACK)
    assert (answer.status_code, answer.json()) == (200, {"adapter": OLD})
    assert (_serving(), _state(OLD), _state(NEW)) == (OLD, AdapterState.PROMOTED.value, AdapterState.RETIRED.value)
    with reading(engine.database()) as session:
        (audit,) = select_audit(session, action="adapter.rollback")
        assert (audit.actor, audit.subject, audit.detail["left"]) == ("operator", OLD, NEW)


def test_an_adapter_that_learned_from_what_was_erased_does_not_come_back(service: Service, tmp_path: Path) -> None:
    for name in (OLD, NEW):
        (tmp_path / name).mkdir()
        _promote(name, tmp_path / name)
    with writing(engine.database()) as session:
        version = load_adapter_version(session, OURS, OLD)
        assert version is not None
        version.stale_at = utc_now()
        session.add(version)
    refused = service.operator("POST", ROLL_BACK)
    assert (refused.status_code, _serving()) == (409, NEW)
    assert "learned from what was erased" in refused.json()["detail"]


def test_an_adapter_whose_files_are_gone_is_not_restored(service: Service, tmp_path: Path) -> None:
    for name in (OLD, NEW):
        _promote(name, tmp_path / name)
    refused = service.operator("POST", ROLL_BACK)
    assert (refused.status_code, _serving()) == (409, NEW)
    assert f"expected the files of {OLD}" in refused.json()["detail"]
