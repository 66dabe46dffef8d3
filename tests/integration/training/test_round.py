"""A learning round as the service runs it: a child process that may be killed, restarted, and asked for the wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.domain.adapters import AdapterManifest, Probe
from app.domain.evals import EvalReport, GateDecision
from app.domain.pinned import PinnedSet
from app.inference.acceptance import load_acceptance
from app.inference.locator import load_locator
from tests.integration.training.conftest import kill_training, run_training
from training.evaluation.regression import diff_regressions
from training.process.files import hash_file
from training.recipes.version import PROBES
from training.release.verifying import verify

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(
    tiny_base: Path, small_snapshot: Path, quick_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out: Path = tmp_path_factory.mktemp("round") / "run"
    code, said = run_training(
        *("run", "--snapshot", small_snapshot, "--base", tiny_base, "--out", out, "--config", quick_config),
        *("--pinned", out.with_name("pinned.json")),
    )
    assert code == 0, said
    return out


def test_the_version_is_complete_and_proven(finished: Path) -> None:
    version = finished / "version"
    manifest = AdapterManifest.model_validate_json((version / "manifest.json").read_text())
    found = {str(path.relative_to(version)) for path in version.rglob("*") if path.is_file()} - {"manifest.json"}
    assert found == set(manifest.files)
    assert found == {
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "locator.skops",
        "filter.skops",
        "goldens.json",
        "probes.json",
    }
    assert all(hash_file(version / name) == wanted for name, wanted in manifest.files.items())
    probes = [Probe.model_validate(item) for item in json.loads((version / "probes.json").read_text())]
    assert len(probes) == PROBES
    assert all(probe.adapter_logprob != probe.base_logprob for probe in probes)
    assert not load_locator(version / "locator.skops").abstains
    assert load_acceptance(version / "filter.skops").score("x = 1", "words") >= 0


def test_no_path_of_this_machine_is_published(finished: Path) -> None:
    for path in (finished / "version").rglob("*.json"):
        assert str(finished.parent) not in path.read_text()
        assert "/tmp" not in path.read_text()  # noqa: S108 - looked for, not used


def test_figures_and_decision_are_there(finished: Path) -> None:
    baseline = EvalReport.model_validate_json((finished / "reports/baseline.json").read_text())
    candidate = EvalReport.model_validate_json((finished / "reports/candidate.json").read_text())
    decision = GateDecision.model_validate_json((finished / "decision.json").read_text())
    assert set(baseline.arms) == {"base", "nearest", "few_shot", "retrieval"}
    assert set(candidate.arms) == {"candidate", "other_hunk", "chance", "whole"}
    assert {name: len(losses) for name, losses in baseline.paired.items()} == {
        "base": 16,
        "few_shot": 2,
        "retrieval": 2,
    }
    assert set(baseline.scored) == {"few_shot", "retrieval"}
    assert baseline.forgetting is not None
    assert baseline.forgetting.solutions_nll
    assert candidate.canaries is not None
    assert len(candidate.samples) == len(candidate.answers["candidate"]) == 2
    assert baseline.arms["retrieval"].nll is not None
    assert baseline.arms["retrieval"].nll.n == 2
    assert baseline.engine.startswith("transformers 5")
    assert candidate.judge is None
    assert any(note.startswith("not judged") for note in candidate.notes)
    assert any("random_subset, inverted, shuffled" in note for note in candidate.notes)
    assert any(note.startswith("not measured: prompt") for note in baseline.notes)
    assert len(candidate.paired["candidate"]) == len(baseline.paired["base"]) == len(candidate.rows) == 16
    assert decision.verdict == "reject"  # random weights
    assert decision.adapter == candidate.adapter
    assert verify(finished)[-1] == "the reports and the policy give the verdict again: reject"


def test_the_regression_set_was_made_and_asked(finished: Path) -> None:
    pinned = PinnedSet.model_validate_json(finished.with_name("pinned.json").read_text())
    candidate = EvalReport.model_validate_json((finished / "reports/candidate.json").read_text())
    assert candidate.regression is not None
    assert candidate.regression.set_id == pinned.id
    assert candidate.regression.prompts == tuple(row.example for row in pinned.prompts)
    assert not any(candidate.regression.passed)  # random weights
    assert diff_regressions(candidate.regression, candidate.regression) == ()
    baseline = EvalReport.model_validate_json((finished / "reports/baseline.json").read_text())
    assert baseline.regression is None


def test_a_control_is_trained_and_compares(
    finished: Path, tiny_base: Path, small_snapshot: Path, quick_config: Path
) -> None:
    """Both controls that can be had are one recipe; one shows that it goes through, with another's refusal beside."""
    arguments = ("controls", "--snapshot", small_snapshot, "--base", tiny_base, "--out", finished)
    code, said = run_training(*arguments, "--config", quick_config, "--only", "shuffled", "--only", "inverted")
    assert code == 0, said
    candidate = EvalReport.model_validate_json((finished / "reports/candidate.json").read_text())
    control = EvalReport.model_validate_json((finished / "reports/shuffled.json").read_text())
    assert set(control.paired) == set(control.arms) == {"shuffled"}
    assert (control.suite, control.rows) == (candidate.suite, candidate.rows)
    assert "not measured: inverted needs at least 12 comments" in said
    assert not (finished / "reports/inverted.json").exists()
    decision = GateDecision.model_validate_json((finished / "decision.json").read_text())
    assert "beats_shuffled" in {reason.check for reason in decision.reasons}
    assert verify(finished)[-1].startswith("the reports and the policy give")


def test_a_killed_round_goes_on_and_ends_the_same(
    finished: Path, tiny_base: Path, small_snapshot: Path, quick_config: Path, tmp_path: Path
) -> None:
    arguments: list[str | Path] = [
        "run",
        "--snapshot",
        small_snapshot,
        "--base",
        tiny_base,
        "--out",
        tmp_path,
        "--config",
        quick_config,
    ]
    kill_training(0.5, *arguments)
    assert not (tmp_path / "adapter").exists()
    half = tmp_path / "checkpoints" / "checkpoint-99"
    shutil.copytree(next((tmp_path / "checkpoints").glob("checkpoint-*")), half)
    (half / "trainer_state.json").write_text('{"epoch": 0.')
    code, said = run_training(*arguments)
    assert code == 0, said
    assert "locator:" not in said  # a finished stage is not done again
    steps = [row["step"] for row in _progress(tmp_path) if row["stage"] == "sft"]
    assert steps.count(1) == 1
    weights = "adapter/adapter_model.safetensors"
    assert hash_file(tmp_path / weights) == hash_file(finished / weights)


def test_a_finished_round_answers_at_once_and_alike(
    finished: Path, tiny_base: Path, small_snapshot: Path, quick_config: Path
) -> None:
    before = hash_file(finished / "version/manifest.json")
    code, said = run_training(
        "run", "--snapshot", small_snapshot, "--base", tiny_base, "--out", finished, "--config", quick_config
    )
    assert code == 0
    assert "sft 1/" not in said
    assert hash_file(finished / "version/manifest.json") == before


def test_a_folder_of_another_training_is_refused(finished: Path, tiny_base: Path, small_snapshot: Path) -> None:
    code, said = run_training(
        "run", "--snapshot", small_snapshot, "--base", tiny_base, "--out", finished, "--config", "smoke"
    )
    assert code == 2
    assert "its config differs" in said
    assert "Traceback" not in said


def test_an_adapter_for_another_base_is_refused_before_loading(
    finished: Path, tiny_base: Path, small_snapshot: Path, quick_config: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny_base, other)
    stated = json.loads((other / "base.json").read_text())
    (other / "base.json").write_text(json.dumps(stated | {"revision": "000000000000"}))
    code, said = run_training(
        "evaluate",
        *("--snapshot", small_snapshot, "--adapter", finished / "version", "--base", other),
        *("--config", quick_config, "--out", tmp_path / "report.json"),
    )
    assert code == 2
    assert "was trained on a base with revision" in said
    assert not (tmp_path / "report.json").exists()


def _progress(out: Path) -> list[dict[str, Any]]:
    lines = (out / "progress.jsonl").read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]
