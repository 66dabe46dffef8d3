"""The order of training: weights become passes, and the order is the same in every run."""

from collections import Counter

from training.config import TrainingConfig, resolve_config
from training.rows.batches import hash_plan, plan_batches
from training.rows.tokenising import TokenRow


def _config(**changes: object) -> TrainingConfig:
    return resolve_config().config.model_copy(update={"epochs": 2.0, "batch_rows": 4, **changes})


def _rows(count: int) -> list[TokenRow]:
    return [TokenRow(f"ex1:{index}", (5,) * (10 + index % 7), 6) for index in range(count)]


def test_equal_weights_give_whole_passes_however_low_they_are() -> None:
    rows = _rows(20)
    plan = plan_batches(rows, {row.example: 0.43 for row in rows}, _config())
    assert set(Counter(row.example for row in plan).values()) == {2}


def test_a_lighter_row_is_passed_less_often() -> None:
    rows = _rows(400)
    weights = {row.example: 0.9 if index < 200 else 0.45 for index, row in enumerate(rows)}
    passes = Counter(row.example for row in plan_batches(rows, weights, _config()))
    heavy = sum(passes[row.example] for row in rows[:200])
    light = sum(passes[row.example] for row in rows[200:])
    assert heavy == 400
    assert light == 200


def test_the_seed_decides_the_order() -> None:
    rows = _rows(40)
    weights = {row.example: 0.9 for row in rows}
    assert plan_batches(rows, weights, _config()) == plan_batches(rows, weights, _config())
    assert plan_batches(rows, weights, _config()) != plan_batches(rows, weights, _config(seed=8))


def test_rows_of_like_length_share_a_batch() -> None:
    rows = _rows(56)
    plan = plan_batches(rows, {row.example: 1.0 for row in rows}, _config(epochs=1.0))
    batches = [plan[first : first + 4] for first in range(0, len(plan), 4)]
    padded = sum(4 * max(len(row.tokens) for row in batch) for batch in batches)
    assert sum(len(row.tokens) for row in plan) / padded > 0.94


def test_rows_that_were_asked_the_same_share_a_batch() -> None:
    rows = [TokenRow(f"ex1:{index}", (index % 2,) * 40 + (9,) * (index % 5), 40) for index in range(40)]
    plan = plan_batches(rows, {row.example: 1.0 for row in rows}, _config(epochs=1.0))
    batches = [plan[first : first + 4] for first in range(0, len(plan), 4)]
    assert all(len({row.tokens[0] for row in batch}) == 1 for batch in batches)


def test_what_fills_no_batch_waits_for_the_next_pass() -> None:
    rows = [TokenRow(f"ex1:{index}", (5,) * (10 * index + 10), 6) for index in range(6)]
    plan = plan_batches(rows, {row.example: 1.0 for row in rows}, _config(epochs=4.0))
    assert len(plan) == 24
    assert set(Counter(row.example for row in plan).values()) == {4}


def test_a_plan_is_told_by_its_hash() -> None:
    rows = _rows(8)
    assert hash_plan(rows) == hash_plan(_rows(8))
    assert hash_plan(rows) != hash_plan(rows[::-1])
    longer = [TokenRow(row.example, row.tokens, row.prompt_tokens - 1) for row in rows]
    assert hash_plan(rows) != hash_plan(longer)


def test_rows_that_open_each_in_their_own_way_are_spread_over_a_pass() -> None:
    """General rows do; without a batch of their own kind they must not all come at the end."""
    team = [TokenRow(f"ex1:{index}", (5,) * 40 + (9,) * (index % 5), 40) for index in range(96)]
    world = [TokenRow(f"general:{index}", (100 + index,) * 40, 4) for index in range(32)]
    rows = [*team, *world]
    plan = plan_batches(rows, {row.example: 1.0 for row in rows}, _config(epochs=1.0))
    thirds = [plan[first : first + 44] for first in range(0, 128, 44)]
    assert all(sum(row.example.startswith("general") for row in third) >= 4 for third in thirds)
