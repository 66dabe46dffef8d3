"""The fused low-rank product and the shared opening give the losses and gradients of the plain forms."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from training.base.tokens import load_tokenizer
from training.recipes.lora_product import fuse_products
from training.recipes.shared_prefix import count_shared, share_prefixes
from training.rows.snapshot import load_snapshot
from training.rows.tokenising import TokenRow, encode_comment

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def _weights(base: Path, attention: str, dropout: float = 0.0) -> Any:
    torch.manual_seed(3)
    loaded = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation=attention)
    lora = LoraConfig(r=4, lora_alpha=8, lora_dropout=dropout, target_modules=TARGETS, task_type="CAUSAL_LM")
    weights = get_peft_model(loaded, lora)
    for name, item in weights.named_parameters():
        if "lora_B" in name:  # a fresh B is zero, and so would every gradient of A be
            torch.nn.init.normal_(item, std=0.05)
    return weights


def _step(weights: Any, rows: list[TokenRow]) -> tuple[float, torch.Tensor]:
    width = max(len(row.tokens) for row in rows)
    ids = torch.tensor([[*row.tokens, *[2] * (width - len(row.tokens))] for row in rows])
    seen = torch.tensor([[1] * len(row.tokens) + [0] * (width - len(row.tokens)) for row in rows])
    labels = torch.tensor([[*row.labels, *[-100] * (width - len(row.tokens))] for row in rows])
    weights.zero_grad()
    whole = weights.get_base_model()
    states = whole.base_model(input_ids=ids, attention_mask=seen, use_cache=False).last_hidden_state
    loss: Any = cross_entropy(whole.lm_head(states[:, :-1]).flatten(0, 1), labels[:, 1:].flatten())
    loss.backward()
    return loss.item(), torch.cat([item.grad.flatten() for item in weights.parameters() if item.requires_grad])


def _rows(base: Path, snapshot: Path) -> list[TokenRow]:
    tokenizer = load_tokenizer(base)
    return [encode_comment(tokenizer, row) for row in load_snapshot(snapshot).comments("train")][:6]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_losses_and_gradients_are_those_of_the_plain_forms(
    tiny_base: Path, small_snapshot: Path, attention: str
) -> None:
    rows = _rows(tiny_base, small_snapshot)
    weights = _weights(tiny_base, attention)
    plain, plain_slopes = _step(weights, rows)
    assert fuse_products(weights) == 2 * len(TARGETS)
    fused, fused_slopes = _step(weights, rows)
    assert share_prefixes(weights.get_base_model().base_model)
    shared, shared_slopes = _step(weights, rows)
    assert fused == pytest.approx(plain, abs=1e-5)
    assert shared == pytest.approx(plain, abs=1e-5)
    assert plain_slopes.abs().max() > 1e-4
    assert torch.allclose(fused_slopes, plain_slopes, atol=1e-6)
    assert torch.allclose(shared_slopes, plain_slopes, atol=1e-6)


def test_a_row_does_not_see_another_through_the_shared_opening(tiny_base: Path, small_snapshot: Path) -> None:
    rows = _rows(tiny_base, small_snapshot)
    weights = _weights(tiny_base, "sdpa")
    share_prefixes(weights.get_base_model().base_model)
    ids = [torch.tensor([row.tokens]) for row in rows[:2]]
    width = max(item.shape[1] for item in ids)
    both = torch.cat([torch.nn.functional.pad(item, (0, width - item.shape[1]), value=2) for item in ids])
    seen = torch.cat(
        [torch.nn.functional.pad(torch.ones_like(item), (0, width - item.shape[1]), value=0) for item in ids]
    )
    whole = weights.get_base_model()
    together = whole(input_ids=both, attention_mask=seen).logits
    for at, item in enumerate(ids):
        alone = whole(input_ids=item, attention_mask=torch.ones_like(item)).logits[0]
        assert torch.allclose(together[at, : item.shape[1]], alone, atol=1e-4)


def test_layers_with_dropout_stay_with_peft(tiny_base: Path) -> None:
    assert fuse_products(_weights(tiny_base, "sdpa", dropout=0.1)) == 0


def test_a_disabled_adapter_is_the_bare_base(tiny_base: Path, small_snapshot: Path) -> None:
    row = torch.tensor([_rows(tiny_base, small_snapshot)[0].tokens])
    weights = _weights(tiny_base, "sdpa")
    with torch.inference_mode(), weights.disable_adapter():
        plain = weights(input_ids=row).logits
    fuse_products(weights)
    with torch.inference_mode():
        with weights.disable_adapter():
            assert torch.equal(weights(input_ids=row).logits, plain)
        assert not torch.allclose(weights(input_ids=row).logits, plain, atol=1e-3)


def test_the_opening_ends_where_rows_differ_and_is_never_a_whole_row() -> None:
    assert count_shared(torch.tensor([[5, 6, 7, 8], [5, 6, 9, 8]])) == 2
    assert count_shared(torch.tensor([[5, 6, 7, 8], [5, 6, 7, 8]])) == 3
    assert count_shared(torch.tensor([[5, 6, 7, 8]])) == 0
    assert count_shared(torch.tensor([[5, 6], [4, 6]])) == 0
