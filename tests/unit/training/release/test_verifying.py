"""A sealed run proves itself from its bytes; every change is named."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.errors import Refused, UserError
from app.domain.releases import ReleaseManifest, Signature
from training.process.files import hash_file, save_record, save_text
from training.release.publishing import RELEASE, SIGNATURE, seal_run
from training.release.signing import ensure_key, sign
from training.release.verifying import verify


def _key_of(folder: Path) -> str:
    return Signature.model_validate_json((folder / SIGNATURE).read_text()).public_key


def test_a_signed_run_proves_hashes_name_signature_and_verdict(run_folder: Path, tmp_path: Path) -> None:
    seal_run(run_folder, tmp_path / "key.pem")
    proven = "\n".join(verify(run_folder, public_key=_key_of(run_folder)))
    for told in ("signed by the key you named", "have the hashes", "whose hash is its name", "verdict again: promote"):
        assert told in proven


def test_an_unsigned_run_says_so_and_does_not_pass_for_a_signed_one(run_folder: Path) -> None:
    seal_run(run_folder, None)
    assert verify(run_folder)[0].startswith("unsigned")
    with pytest.raises(Refused, match="expected a signature"):
        verify(run_folder, public_key="00" * 32)


def _edit(name: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        content = (folder / name).read_text()
        (folder / name).write_text(content + " ")

    return act


def _remove(folder: Path) -> None:
    (folder / "version/locator.skops").unlink()


def _add(folder: Path) -> None:
    (folder / "version/adapter/training_args.bin").write_text("a pickle")


def _other_signer(folder: Path) -> None:
    other = ensure_key(folder.parent / "other.pem")
    save_record(folder / SIGNATURE, sign(other, (folder / RELEASE).read_bytes()))


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (_edit("reports/candidate.json"), "changed_file"),
        (_edit("version/adapter/adapter_model.safetensors"), "changed_file"),
        (_edit("decision.json"), "changed_file"),
        (_edit("report.html"), "changed_file"),
        (_edit(RELEASE), "bad_signature"),
        (_remove, "missing_file"),
        (_add, "extra_files"),
        (_other_signer, "other_key"),
    ],
)
def test_every_change_is_named(act: Callable[[Path], None], code: str, run_folder: Path, tmp_path: Path) -> None:
    seal_run(run_folder, tmp_path / "key.pem")
    key = _key_of(run_folder)
    act(run_folder)
    with pytest.raises(Refused) as refusal:
        verify(run_folder, public_key=key)
    assert refusal.value.reason == code


def _reseal(folder: Path, **changes: object) -> None:
    release = ReleaseManifest.model_validate_json((folder / RELEASE).read_text())
    save_record(folder / RELEASE, release.model_copy(update=changes))


def test_a_verdict_that_the_reports_do_not_give_is_refused(run_folder: Path) -> None:
    """Somebody who edits the decision and seals it anew still can't make the reports say it."""
    decision = json.loads((run_folder / "decision.json").read_text())
    save_text(run_folder / "decision.json", json.dumps(decision | {"verdict": "reject"}))
    seal_run(run_folder, None)
    with pytest.raises(Refused, match="the reports and the policy give promote"):
        verify(run_folder)


def _decided_under_others(folder: Path) -> None:
    decision = json.loads((folder / "decision.json").read_text())
    decision["policy"]["nll_lift"] = -99.0
    save_text(folder / "decision.json", json.dumps(decision))


def _without_a_reason(folder: Path) -> None:
    decision = json.loads((folder / "decision.json").read_text())
    decision["reasons"] = [item for item in decision["reasons"] if item["check"] != "false_alarm"]
    save_text(folder / "decision.json", json.dumps(decision))


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda folder: (folder / "policy.json").unlink(), "expected the thresholds of the run"),
        (_decided_under_others, "decision.json holds other thresholds: nll_lift is -99.0 and not 0.15"),
        (_without_a_reason, "other reasons for false_alarm"),
    ],
)
def test_thresholds_and_reasons_are_proven_as_the_verdict_is(
    act: Callable[[Path], None], told: str, run_folder: Path
) -> None:
    """Sealed anew, so that every hash holds."""
    act(run_folder)
    seal_run(run_folder, None)
    with pytest.raises((Refused, UserError), match=told):
        verify(run_folder)


@pytest.mark.parametrize("name", ["reports/shuffled.json", "served/candidate.json", "spot-check.json"])
def test_what_joined_after_the_seal_is_named(name: str, run_folder: Path) -> None:
    seal_run(run_folder, None)
    save_text(run_folder / name, (run_folder / "reports/baseline.json").read_text())
    with pytest.raises(Refused, match=f"holds files that release.json does not name: {name}"):
        verify(run_folder)


def test_a_manifest_can_name_nothing_outside_its_folder(run_folder: Path, tmp_path: Path) -> None:
    seal_run(run_folder, None)
    outside = tmp_path / "outside"
    outside.write_text("x")
    _reseal(run_folder, files={"../outside": hash_file(outside)})
    with pytest.raises(Refused, match="which is outside"):
        verify(run_folder)


def test_a_version_alone_is_proven_too_and_nothing_else_is(run_folder: Path, tmp_path: Path) -> None:
    assert "exactly the 2 files" in verify(run_folder / "version")[0]
    with pytest.raises(UserError, match="found neither"):
        verify(tmp_path)


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys/release.pem"
    first = ensure_key(path).public_key().public_bytes_raw()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_key(path).public_key().public_bytes_raw() == first
    path.write_text("no key")
    with pytest.raises(UserError, match="expected an Ed25519 private key"):
        ensure_key(path)
