"""A run that came back decides nothing by itself: thresholds are the caller's, and the verdict is derived here."""

from pathlib import Path

import pytest

from app.domain.errors import Refused
from app.domain.evals import GateDecision, GatePolicy
from tests.unit.dataset.exported import a_snapshot
from tests.unit.training.release.conftest import BASE
from training.config import resolve_config
from training.confirm import Confirmation, confirm_run
from training.process.files import load_record, save_record
from training.process.progress import Progress
from training.process.runkey import claim_folder, make_key
from training.release.deciding import derive_trained
from training.release.folder import open_run
from training.rows.snapshot import load_snapshot

_NOTHING = GatePolicy(nll_lift=-99, heldout_rows=0, must_beat=())


@pytest.fixture
def asked(run_folder: Path, tmp_path: Path) -> Confirmation:
    a_snapshot(tmp_path / "snapshot")
    snapshot = load_snapshot(tmp_path / "snapshot")
    claim_folder(run_folder, make_key(snapshot, BASE, resolve_config("smoke").config))
    (tmp_path / "read.key").write_text("k")
    return Confirmation(run_folder, snapshot, tmp_path / "base", BASE, "http://127.0.0.1:9", tmp_path / "read.key")


def _say(run: Path, *, policy: GatePolicy | None = None, **changes: object) -> None:
    decision = open_run(run).trained
    said = decision.model_copy(update=changes | ({} if policy is None else {"policy": policy}))
    save_record(run / "decision.json", said)
    if policy is not None:
        save_record(run / "policy.json", policy)


def test_a_run_that_brings_its_own_thresholds_is_refused(asked: Confirmation) -> None:
    """A spot machine's decision.json: promote, no reasons, thresholds that anything passes."""
    _say(asked.run, policy=_NOTHING, reasons=())
    with pytest.raises(Refused, match=r"nll_lift is -99.0 and not 0.15, .*heldout_rows is 0 and not 12") as refused:
        confirm_run(asked, Progress(None))
    assert refused.value.reason == "other_policy"
    assert not (asked.run / "served.json").exists()


def test_a_verdict_without_its_reasons_is_refused(asked: Confirmation) -> None:
    _say(asked.run, reasons=())
    with pytest.raises(Refused, match="other reasons for heldout_rows") as refused:
        confirm_run(asked, Progress(None))
    assert refused.value.reason == "other_verdict"


def test_a_verdict_that_the_reports_do_not_give_is_refused(asked: Confirmation) -> None:
    candidate = open_run(asked.run).candidate
    worse = {**candidate.paired, "candidate": candidate.paired["other_hunk"]}
    save_record(asked.run / "reports/candidate.json", candidate.model_copy(update={"paired": worse}))
    assert load_record(asked.run / "decision.json", GateDecision, what="a decision").verdict == "promote"
    with pytest.raises(Refused, match="says promote, but the reports and the policy give reject"):
        confirm_run(asked, Progress(None))


def test_an_honest_run_says_what_is_derived(asked: Confirmation) -> None:
    run = open_run(asked.run)
    assert derive_trained(run, asked.policy) == run.trained
