"""What came back is believed only when all of it agrees."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import Refused, UserError
from app.domain.snapshots import SnapshotManifest
from app.runners.returned import verify_returned, verify_run
from tests.made_run import BASE, write_base, write_run
from tests.unit.dataset.exported import a_snapshot


@pytest.fixture
def snapshot(tmp_path: Path) -> SnapshotManifest:
    return a_snapshot(tmp_path / "snapshot")


def test_a_whole_run_is_believed(tmp_path: Path, snapshot: SnapshotManifest) -> None:
    name = write_run(tmp_path / "run", snapshot)
    found = verify_returned(tmp_path / "run", tmp_path / "snapshot", write_base(tmp_path / "base"))
    assert found.manifest.name == name
    assert found.decision.verdict == "hold"


@pytest.mark.parametrize("missing", ["run.json", "decision.json", "version/manifest.json"])
def test_a_run_that_is_not_whole_is_no_run(tmp_path: Path, snapshot: SnapshotManifest, missing: str) -> None:
    write_run(tmp_path / "run", snapshot)
    (tmp_path / "run" / missing).unlink()
    with pytest.raises(UserError, match="not whole"):
        verify_run(tmp_path / "run", snapshot=snapshot, base=BASE)


def _change(name: str) -> Callable[[Path], object]:
    return lambda out: (out / name).write_bytes(b"other weights")


def _link(out: Path) -> None:
    (out / "version" / "probes.json").unlink()
    (out / "version" / "probes.json").symlink_to("/etc/hostname")


def _lay_link(name: str) -> Callable[[Path], object]:
    def act(out: Path) -> None:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).symlink_to(out.parent / "elsewhere")

    return act


def _rename(out: Path, name: str) -> None:
    path = out / "version" / "manifest.json"
    told = json.loads(path.read_text())
    told["files"][name] = "0" * 64
    path.write_text(json.dumps(told))


@pytest.mark.parametrize(
    "harm",
    [
        _change("version/adapter/adapter_model.safetensors"),
        _change("version/locator.skops"),
        lambda out: (out / "version" / "probes.json").unlink(),
        lambda out: (out / "version" / "more.pkl").write_bytes(b"x"),
        _link,
        _lay_link("confirm.log"),
        _lay_link(".served.json.writing"),
        _lay_link("served"),
        _lay_link("checkpoints/last"),
        lambda out: os.mkfifo(out / "trainer.lock"),
        lambda out: _rename(out, "../../../escape"),
        lambda out: _rename(out, "/etc/passwd"),
    ],
)
def test_a_changed_file_is_named(tmp_path: Path, snapshot: SnapshotManifest, harm: Callable[[Path], object]) -> None:
    write_run(tmp_path / "run", snapshot)
    harm(tmp_path / "run")
    with pytest.raises(Refused) as refused:
        verify_run(tmp_path / "run", snapshot=snapshot, base=BASE)
    assert refused.value.reason == "changed_file"


def test_a_run_of_something_else_is_refused(tmp_path: Path, snapshot: SnapshotManifest) -> None:
    write_run(tmp_path / "run", snapshot)
    with pytest.raises(Refused, match="revision r1, but r2"):
        verify_run(tmp_path / "run", snapshot=snapshot, base=BASE.model_copy(update={"revision": "r2"}))
    for change in ({"installation": "8"}, {"source": "elsewhere"}):
        with pytest.raises(Refused) as refused:
            verify_run(tmp_path / "run", snapshot=snapshot.model_copy(update=change), base=BASE)
        assert refused.value.reason == "other_run"


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("decision.json", {"adapter": "42--000000000000"}, "other_adapter"),
        ("run.json", {"adapter": "42--000000000000"}, "other_adapter"),
        ("run.json", {"verdict": "promote"}, "other_run"),
        ("run.json", {"snapshot": "ds1:other"}, "other_run"),
    ],
)
def test_a_verdict_about_another_adapter_is_refused(
    tmp_path: Path, snapshot: SnapshotManifest, file: str, change: dict[str, str], reason: str
) -> None:
    write_run(tmp_path / "run", snapshot)
    path = tmp_path / "run" / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(Refused) as refused:
        verify_run(tmp_path / "run", snapshot=snapshot, base=BASE)
    assert refused.value.reason == reason
