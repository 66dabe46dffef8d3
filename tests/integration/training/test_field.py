"""Real review comments, imported: one epoch on 400 short rows trains, evaluates and gates on the CPU."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.dataset.imports import import_comments
from app.domain.evals import GateDecision
from tests.integration.training.conftest import run_training

REVIEWS = Path(__file__).parents[4] / "shared/data/reviews/line__armeria"

pytestmark = [pytest.mark.field, pytest.mark.slow]


@pytest.mark.skipif(
    "UNDERSTUDY_FIELD" not in os.environ or not REVIEWS.is_dir(),
    reason="takes minutes: set UNDERSTUDY_FIELD=1 beside ../shared/data to run it",
)
def test_imported_comments_go_through_the_whole_round(tiny_base: Path, tmp_path: Path) -> None:
    snapshot, out = tmp_path / "snapshot", tmp_path / "run"
    import_comments(
        REVIEWS / "train.jsonl",
        REVIEWS / "heldout.jsonl",
        snapshot,
        installation="armeria",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    config = tmp_path / "field.yaml"
    config.write_text(
        "rank: 8\nepochs: 1\nmax_length: 400\nnewest_rows: 400\nheldout_rows: 16\ngenerated_rows: 2\n"
        "answer_tokens: 8\nthreads: 1\narms: []\nforgetting_problems: 4\nforgetting_passages: 2\ncanaries: 2\n"
    )
    code, said = run_training("run", "--snapshot", snapshot, "--base", tiny_base, "--out", out, "--config", config)
    assert code == 0, said
    assert "cut at the comment" in said  # these hunks end at the commented line: no Locator is learned from them
    decision = GateDecision.model_validate_json((out / "decision.json").read_text())
    assert decision.verdict == "reject"  # a random base learns nothing, and that is measured
    assert any(reason.check == "location_hit" and not reason.measured for reason in decision.reasons)
