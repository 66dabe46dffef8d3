"""What joins a finished run's reports is heard by its gate, and nothing else that lies there is."""

from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.domain.evals import Arm
from tests.unit.training.release.conftest import make_report
from training.process.files import save_record
from training.release.deciding import check_key, decide_again
from training.release.folder import open_run, read_baselines
from training.release.publishing import seal_run
from training.release.verifying import verify


def _add(folder: Path, name: str, nll: float) -> None:
    losses = {name: nll}
    save_record(folder / "reports" / f"{name}.json", make_report(f"7--{name}", {name: Arm()}, {}, **losses))


def test_a_control_that_is_as_good_takes_the_promotion_back(run_folder: Path) -> None:
    _add(run_folder, "shuffled", 0.5)
    decision = decide_again(run_folder, None)
    assert decision.verdict == "reject"
    assert [item.check for item in decision.reasons if not item.passed and not item.advisory] == ["beats_shuffled"]
    assert verify(run_folder)[-1].endswith("the verdict again: reject")


def test_the_round_holds_a_candidate_against_what_verifying_does(run_folder: Path) -> None:
    for name, nll in (("shuffled", 1.5), ("current", 0.5), ("mine", 0.1)):
        _add(run_folder, name, nll)
    found = read_baselines(run_folder)
    assert [next(iter(report.paired)) for report in found] == ["base", "current", "shuffled"]
    assert open_run(run_folder).baselines == found


def test_a_signed_run_is_signed_again_or_left_alone(run_folder: Path, tmp_path: Path) -> None:
    seal_run(run_folder, tmp_path / "key.pem")
    with pytest.raises(UserError, match="expected --signing-key"):
        check_key(run_folder, None)
    check_key(run_folder, tmp_path / "key.pem")
