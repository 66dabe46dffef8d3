"""The recipes on the tiny base: 4 bits, early stop, other rows, preferences, the pilot."""

import hashlib
import json
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, TrainerControl, TrainerState

from app.domain.errors import Refused, UserError
from training.base.making import load_base
from training.base.tokens import load_tokenizer
from training.config import TrainingConfig, resolve_config
from training.evaluation.scoring import Scorer
from training.process.progress import Progress
from training.recipes.adapter_files import check_servable
from training.recipes.clock import Clock
from training.recipes.kto import train_preferences
from training.recipes.pilot import PilotRecord, check_pilot, run_pilot
from training.recipes.sft import train_adapter
from training.recipes.task import Task
from training.rows.preferences import pair_outcomes
from training.rows.snapshot import load_snapshot

Make = Callable[..., Task]


@pytest.fixture
def make(tiny_base: Path, small_snapshot: Path, tmp_path: Path) -> Make:
    def task(**changes: object) -> Task:
        config = resolve_config("smoke").config.model_copy(update={"threads": 1, "newest_rows": 24, **changes})
        return Task(
            load_snapshot(small_snapshot),
            tiny_base,
            load_base(tiny_base),
            TrainingConfig.model_validate(config.model_dump()),
            tmp_path / "run",
            None,
        )

    return task


def _hash(adapter: Path) -> str:
    return hashlib.sha256((adapter / "adapter_model.safetensors").read_bytes()).hexdigest()


def _preference(task: Task, adapter: Path) -> float:
    """How much likelier (nats per token) comments that were acted on are than those that were rejected."""
    tokenizer = load_tokenizer(task.base)
    snapshot = task.snapshot
    found = pair_outcomes(snapshot.outcomes("train"), snapshot.comments("train"), [], tokenizer, task.config.max_length)
    scores = Scorer(task.base, adapter, tokenizer).logprobs([one.row for one in found])
    kinds = [
        [score for one, score in zip(found, scores, strict=True) if one.accepted == kind] for kind in (True, False)
    ]
    return statistics.fmean(kinds[0]) - statistics.fmean(kinds[1])


def test_four_bits_train_save_and_load_on_the_whole_base(
    make: Make, tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = make(method="qlora", newest_rows=8, weight_precision="bfloat16")
    record = train_adapter(task, Progress(None))
    assert record.method == "qlora"
    assert record.judged_precision == "bfloat16"
    assert "gate judge bfloat16" in capsys.readouterr().out
    assert record.last_loss < record.first_loss
    check_servable(task.out / "adapter")
    whole = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        bare = whole(input_ids=ids).logits
        adapted = PeftModel.from_pretrained(whole, task.out / "adapter")(input_ids=ids).logits
    assert not torch.allclose(bare, adapted, atol=1e-3)


def test_rows_set_aside_end_a_training_that_only_learns_by_heart(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    # a rate far too high: the first passes learn the words, the later ones only these rows
    task = make(
        newest_rows=48, validation_share=0.3, epochs=40, learning_rate=2.0e-2, patience=1, checkpoint_every_steps=4
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.rows.mixture._LEAST_VALIDATION", 8)
        record = train_adapter(task, Progress(task.out / "progress.jsonl"))
    assert record.stopped == "overfit"
    assert record.steps < record.planned_steps
    best = min(record.validations, key=lambda one: one.loss)
    assert record.kept_step == best.step < record.steps
    assert record.validations[-1].trained_loss < best.trained_loss
    assert record.rows + record.validation_rows == 48
    lines = [json.loads(line) for line in (task.out / "progress.jsonl").read_text().splitlines()]
    said = [line["loss"] for line in lines if line["stage"] == "validation"]
    assert said == [round(one.loss, 4) for one in record.validations]


def test_general_rows_are_recorded_and_keep_to_their_share(make: Make) -> None:
    record = train_adapter(make(general_share=0.2), Progress(None))
    assert record.general is not None
    assert record.general.source.startswith("functions and documentation of the standard library of Python 3")
    assert 0 < record.general.tokens / record.tokens <= 0.2
    assert record.passes == record.rows + record.general.rows


def test_other_rows_than_the_folder_was_begun_with_are_refused(make: Make) -> None:
    task = make()
    task.out.mkdir()
    (task.out / "plan.json").write_text(json.dumps({"hash": "other"}))
    with pytest.raises(UserError, match="begun with other rows"):
        train_adapter(task, Progress(None))


def test_preferences_go_on_from_the_adapter_and_only_it_is_saved(make: Make) -> None:
    task = make(preference="kto", preference_rate=1.0e-3)
    train_adapter(task, Progress(None))
    before = _hash(task.out / "adapter")
    record = train_preferences(task, Progress(task.out / "progress.jsonl"))
    assert record.accepted + record.rejected == 48
    assert 1 <= record.accepted * record.accepted_weight / (record.rejected * record.rejected_weight) <= 4 / 3 + 1e-9
    assert record.first_loss == pytest.approx(0.5, abs=0.05)
    preferred = task.out / "preferred" / "adapter"
    check_servable(preferred)
    assert _preference(task, preferred) > _preference(task, task.out / "adapter") + 0.01
    assert _hash(task.out / "adapter") == before != _hash(preferred)
    assert (
        load_file(preferred / "adapter_model.safetensors").keys()
        == load_file(task.out / "adapter" / "adapter_model.safetensors").keys()
    )
    assert {path.name for path in preferred.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert train_preferences(task, Progress(None)) == record
    stages = {json.loads(line)["stage"] for line in (task.out / "progress.jsonl").read_text().splitlines()}
    assert stages == {"kto"}


def test_a_pilot_tells_its_figures_and_a_loss_that_does_not_fall_ends_the_round(make: Make) -> None:
    task = make(pilot_rows=12)
    record = run_pilot(task, Progress(None))
    assert record is not None
    assert record.rows == 12
    assert record.last_loss < record.first_loss
    assert run_pilot(make(pilot_rows=0), Progress(None)) is None
    assert run_pilot(make(pilot_rows=40), Progress(None)) is None  # of 48 rows
    for last in (record.first_loss + 0.1, float("nan")):
        with pytest.raises(Refused, match="nothing was learned"):
            check_pilot(PilotRecord(**{**record.model_dump(), "last_loss": last}))


def test_a_loss_that_is_no_number_ends_the_training_at_once(tmp_path: Path) -> None:
    clock = Clock("sft", [10, 10], tmp_path, None, Progress(None))
    state, control = TrainerState(global_step=1), TrainerControl()
    clock.on_log(None, state, control, logs={"loss": 2.0})
    with pytest.raises(Refused, match="learning_rate"):
        clock.on_log(None, state, control, logs={"loss": float("nan")})
