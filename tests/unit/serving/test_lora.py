"""What vLLM computes as PEFT does, and what it must never be given."""

from typing import Any

import pytest

from app.domain.errors import Refused
from serving.lora import check_config, check_tensors, round_rank

GOOD: dict[str, Any] = {
    "peft_type": "LORA",
    "bias": "none",
    "init_lora_weights": True,
    "r": 8,
    "lora_alpha": 16,
    "target_modules": ["model.layers.0.self_attn.q_proj", "down_proj"],
    "rank_pattern": {},
}
MODULE = "base_model.model.model.layers.0.self_attn.q_proj"


def test_takes_what_a_training_writes() -> None:
    check_config(GOOD, max_rank=8)
    check_tensors({f"{MODULE}.lora_A.weight": (8, 64), f"{MODULE}.lora_B.weight": (64, 8)}, max_rank=8)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"peft_type": "VERA"}, "unservable"),
        ({"bias": "lora_only"}, "unservable"),
        ({"init_lora_weights": "pissa"}, "unservable"),
        ({"init_lora_weights": "loftq"}, "unservable"),
        ({"modules_to_save": ["lm_head"]}, "unservable"),
        ({"use_dora": True}, "unservable"),
        ({"lora_bias": True}, "unservable"),
        ({"layer_replication": [[0, 1]]}, "unservable"),
        ({"alora_invocation_tokens": [1]}, "unservable"),
        ({"use_qalora": True}, "unservable"),
        ({"target_modules": ["lm_head"]}, "unservable"),
        ({"target_modules": "all-linear"}, "unservable"),
        ({"lora_alpha": float("nan")}, "unservable"),
        ({"r": 16}, "rank"),
        ({"r": "8"}, "rank"),
        ({"r": 0}, "rank"),
        ({"rank_pattern": {"q_proj": 64}}, "rank"),
    ],
)
def test_refuses_what_would_be_served_as_something_else(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        check_config(GOOD | change, max_rank=8)
    assert refused.value.reason == reason
    (field,) = change
    named = {"r": "rank", "rank_pattern": "rank", "target_modules": "target"}.get(field, field)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {f"{MODULE}.lora_A.weight": (8, 64)},
        {f"{MODULE}.lora_A.weight": (8, 64), f"{MODULE}.lora_B.weight": (64, 4)},
        {f"{MODULE}.lora_magnitude_vector": (64,)},
        {"model.embed_tokens.weight": (10, 64)},
        {f"{MODULE}.lora_A.weight": (8, 64, 1), f"{MODULE}.lora_B.weight": (64, 8)},
        {"base_model.model.lm_head.lora_A.weight": (8, 64), "base_model.model.lm_head.lora_B.weight": (64, 8)},
        {f"{MODULE}.lora_A.weight": (16, 64), f"{MODULE}.lora_B.weight": (64, 16)},
    ],
)
def test_refuses_tensors_that_are_no_pair_of_a_linear_layer(shapes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(Refused):
        check_tensors(shapes, max_rank=8)


def test_rounds_a_rank_up_to_a_slot() -> None:
    assert [round_rank(rank) for rank in (1, 2, 8, 9, 300, 512)] == [1, 8, 8, 16, 320, 512]
    for rank in (0, 513):
        with pytest.raises(Refused):
            round_rank(rank)
