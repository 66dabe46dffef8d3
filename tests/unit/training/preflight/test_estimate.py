"""The formulas against counts of a real base, and what is estimated against what is measured."""

import json
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.domain.estimates import Actual, Device, Estimate, EstimateRecord, Price
from training.preflight.actual import measure_actual
from training.preflight.device import parse_price, read_device
from training.preflight.estimate import (
    BatchShape,
    ModelShape,
    Setting,
    Timing,
    activation_bytes,
    count_trainable,
    estimate_memory,
    estimate_seconds,
    read_shape,
    seconds_at,
)

SMOL = ModelShape(
    layers=30, hidden=576, intermediate=1536, heads=9, key_heads=3, head_width=64, vocabulary=49152, tied=True
)
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
LORA = Setting(method="lora", rank=8, targets=TARGETS, precision="bfloat16", attention="sdpa")
CPU = Device(name="two cores", kind="cpu", memory=16 << 30, free=8 << 30)


def test_parameters_are_those_of_the_checkpoint() -> None:
    assert SMOL.parameters == 134_515_008
    assert count_trainable(SMOL, LORA) == 2_442_240


def test_activations_are_those_that_torch_kept() -> None:
    """Counted with hooks on saved tensors: 27,080 bytes per token and layer fused, 41,294 and 55,118 plain."""
    fused = activation_bytes(SMOL, LORA, BatchShape(4, 1024, 0)) / 4096 / 30
    assert fused == pytest.approx(27_080, rel=0.01)
    plain = LORA.model_copy(update={"attention": "eager"})
    assert activation_bytes(SMOL, plain, BatchShape(8, 256, 0)) / 2048 / 30 == pytest.approx(41_294, rel=0.01)
    assert activation_bytes(SMOL, plain, BatchShape(4, 512, 0)) / 2048 / 30 == pytest.approx(55_118, rel=0.01)


def test_what_is_kept_once_or_computed_once_is_counted_once() -> None:
    batch = BatchShape(4, 200, 100)
    whole = activation_bytes(SMOL, LORA, batch)
    assert activation_bytes(SMOL, LORA.model_copy(update={"fused": True}), batch) < whole
    shared = batch._replace(shared=50)
    assert shared.positions == 4 * 150 + 50
    assert activation_bytes(SMOL, LORA, shared) == whole * 650 // 800


def test_four_bits_save_weights_and_nothing_else() -> None:
    batches = [BatchShape(2, 100, 40), BatchShape(4, 200, 100)]
    lora = estimate_memory(SMOL, LORA, batches, CPU, libraries=700)
    qlora = estimate_memory(SMOL, LORA.model_copy(update={"method": "qlora"}), batches, CPU, libraries=700)
    assert lora.weights == 2 * SMOL.parameters
    assert 0.4 < qlora.weights / lora.weights < 0.45
    assert lora.model_copy(update={"weights": 0}) == qlora.model_copy(update={"weights": 0})
    assert lora.activations == activation_bytes(SMOL, LORA, batches[1])
    assert lora.total == sum(lora.model_dump().values())


def test_the_embedded_base_is_described(tiny_base: Path) -> None:
    shape = read_shape(json.loads((tiny_base / "config.json").read_bytes()))
    assert shape is not None
    assert (shape.layers, shape.hidden, shape.vocabulary) == (2, 64, 49152)
    assert read_shape({"n_layer": 12}) is None


def test_time_goes_by_the_line_through_the_measured_steps() -> None:
    batches = [BatchShape(1, 100, 1), BatchShape(1, 300, 1)]
    assert estimate_seconds([Timing(100, 2.0), Timing(200, 3.0)], batches, setup=5) == pytest.approx(5 + 2 + 4)
    assert estimate_seconds([Timing(100, 2.0), Timing(101, 9.0)], batches, setup=0) == pytest.approx(11 / 201 * 400)
    assert estimate_seconds([Timing(100, 1.0), Timing(200, 4.0)], batches, setup=0) == pytest.approx(8)
    looked = estimate_seconds([Timing(100, 2.0), Timing(200, 4.0)], batches, setup=0, looked_at=1000)
    assert looked == pytest.approx(8 + 10)
    assert estimate_seconds([], batches, setup=5) is None
    assert seconds_at(batches, per_second=200) == 2


def test_both_are_kept_with_how_far_off_and_what_it_costs() -> None:
    memory = estimate_memory(SMOL, LORA, [BatchShape(2, 100, 40)], CPU, libraries=0)
    estimate = Estimate(
        method="lora",
        rank=8,
        device=CPU,
        memory=memory,
        steps=9,
        positions=900,
        seconds=1800,
        basis="measured",
        price=Price(per_hour=3, currency="EUR"),
    )
    record = EstimateRecord(estimate=estimate, actual=Actual(memory=2 * memory.total, seconds=1500))
    assert (record.memory_error, estimate.money) == (-0.5, 1.5)
    assert record.time_error == pytest.approx(0.2)
    assert "1500 s against 1800 s (+20%)" in record.sentence()
    assert estimate.model_copy(update={"price": None}).money is None


def test_the_peak_is_of_the_block_and_not_of_what_was_before() -> None:
    once = bytearray(256 << 20)
    del once
    with measure_actual() as measured:
        held = bytearray(64 << 20)
        held[:: 4 << 10] = b"x" * len(held[:: 4 << 10])
    with measure_actual() as after:
        del held
    assert measured.actual is not None
    assert after.actual is not None
    assert measured.actual.memory >= 64 << 20
    assert measured.actual.seconds >= 0


def test_this_machine_has_memory() -> None:
    device = read_device()
    assert 0 < device.free <= device.memory


def test_a_price_is_a_number_and_a_currency() -> None:
    assert parse_price("2.50 EUR") == Price(per_hour=2.5, currency="EUR")
    assert parse_price(None) is None
    for wrong in ("free", "2.5", "-1 EUR", "nan EUR"):
        with pytest.raises(UserError, match="expected a price"):
            parse_price(wrong)
