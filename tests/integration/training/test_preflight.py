"""`python -m training preflight`, and what `sft` does with it."""

import json
import shlex
from pathlib import Path

import pytest

from app.domain.estimates import EstimateRecord
from app.domain.preflight import PreflightReport
from docs.website.blocks import read_blocks
from tests.integration.training.conftest import run_training
from tests.training_data import write_snapshot


def test_a_report_for_people_and_programs(tiny_base: Path, small_snapshot: Path, quick_config: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "cost.md").read_text(encoding="utf-8")
    (block,) = [block for block in read_blocks(page) if block.by == "preflight"]
    (line,) = block.commands
    given: dict[str, str | Path] = {"SNAPSHOT": small_snapshot, "BASE": tiny_base, "2.50 EUR": "3.60 EUR"}
    words = [given.get(word, word) for word in shlex.split(line)[3:]]
    code, said = run_training(*words, "--config", quick_config, "--json")
    assert code == 0, said
    report = PreflightReport.model_validate_json(said)
    assert report.estimate is not None
    assert report.estimate.basis == "measured"
    assert report.estimate.money == pytest.approx((report.estimate.seconds or 0) * 3.6 / 3600)
    assert report.histogram.rows == 48
    assert report.method.fired[0].rule == "processor"
    assert report.refusals == ()


def test_few_rows_are_refused_before_any_work(tiny_base: Path, quick_config: Path, tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshot", train_pulls=4, heldout_pulls=1)
    arguments = ("sft", "--snapshot", tmp_path / "snapshot", "--base", tiny_base, "--config", quick_config)
    code, said = run_training(*arguments, "--out", tmp_path / "out", "--max-rank", "1")
    assert code == 2, said
    assert "the pre-flight refuses to train" in said
    assert "advice: Do not train yet" in said
    assert "rank 8 is above 1" in said
    found = PreflightReport.model_validate_json((tmp_path / "out/preflight.json").read_bytes())
    assert {finding.check for finding in found.refusals} == {"advice", "rank"}
    assert not (tmp_path / "out/adapter").exists()


def test_estimate_and_actual_are_kept(
    tiny_base: Path, small_snapshot: Path, quick_config: Path, tmp_path: Path
) -> None:
    arguments = ("sft", "--snapshot", small_snapshot, "--base", tiny_base, "--config", quick_config)
    code, said = run_training(*arguments, "--out", tmp_path / "out")
    assert code == 0, said
    record = EstimateRecord.model_validate(json.loads((tmp_path / "out/estimate.json").read_bytes()))
    assert record.actual.seconds > 0
    assert abs(record.memory_error) < 0.6
    assert "estimated and actual: memory" in said
