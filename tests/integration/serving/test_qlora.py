"""Trained on four bits, served on the whole base: what the probe was measured on is what answers."""

from pathlib import Path

import pytest

from app.inference.adapter_control import AdapterControl
from app.inference.completions import CompletionClient
from tests.serving_fixture import ServingProcess
from tests.training_data import write_snapshot
from training.base.goldens import make_goldens
from training.base.making import load_base
from training.base.tokens import load_tokenizer
from training.config import TrainingConfig, resolve_config
from training.process.progress import Progress
from training.process.runkey import make_key
from training.recipes.sft import ADAPTER, train_adapter
from training.recipes.task import Task
from training.recipes.version import assemble_version, measure_probes
from training.rows.snapshot import load_snapshot

pytestmark = pytest.mark.slow


async def test_an_adapter_of_a_four_bit_training_is_proven_and_answers(serving: ServingProcess, tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshot", train_pulls=4, heldout_pulls=2)
    snapshot, checkpoint = load_snapshot(tmp_path / "snapshot"), load_base(serving.base)
    changes = {"method": "qlora", "weight_precision": "bfloat16", "threads": 1, "learning_rate": 1e-2, "epochs": 4.0}
    config = TrainingConfig.model_validate(resolve_config("smoke").config.model_dump() | changes)
    record = train_adapter(Task(snapshot, serving.base, checkpoint, config, tmp_path / "run", None), Progress(None))
    assert record.method == "qlora"
    scores = [tmp_path / name for name in ("locator.skops", "filter.skops")]
    for score in scores:
        score.write_bytes(b"not read by the server")
    adapter = tmp_path / "run" / ADAPTER
    manifest = assemble_version(
        tmp_path / "version",
        key=make_key(snapshot, checkpoint, config),
        adapter=adapter,
        scores=scores,
        probes=measure_probes(snapshot, serving.base, adapter),
        goldens=make_goldens(load_tokenizer(serving.base)),
        installation="7",
    )
    prompt = snapshot.comments("heldout")[0].prompt
    async with AdapterControl(serving.url, serving.control_key) as control:
        proof = await control.load(manifest.name, tmp_path / "version")
        assert max(proof.parity) < proof.tolerance
        assert max(proof.effect) > proof.least_effect
        async with CompletionClient(serving.url, serving.read_key) as client:
            said = [
                (await client.complete(model=name, messages=prompt, max_tokens=24, cache_salt="7")).text
                for name in (manifest.name, "base")
            ]
        await control.unload(manifest.name)
    assert said[0] != said[1]
