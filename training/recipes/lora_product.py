"""The frozen matrix and its low-rank update as one step of the backward pass, without the copies between them.

PEFT adds `B(A(x)) * scale` to the frozen product in five steps, each of which reads and writes all activations, and
casts them to float32 and back where the base is in bfloat16. Here both matrices add into the product's own memory. The
formulas are those of LoRA (Hu et al., 2021, equation 3) and its derivatives;
`tests/integration/training/test_lora_product.py` holds losses and gradients against PEFT's.
"""

from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch.nn import functional


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, frozen: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
        """x (n, in) times the frozen (out, in) plus b (out, r) times a (r, in); all of one type."""
        narrow = x @ a.T
        ctx.save_for_backward(x, frozen, a, b, narrow)
        return functional.linear(x, frozen).addmm_(narrow, b.T)

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor | None, None, torch.Tensor, torch.Tensor]:  # noqa: ANN401
        x, frozen, a, b, narrow = ctx.saved_tensors
        back = slope @ b
        into_x = (slope @ frozen).addmm_(back, a) if ctx.needs_input_grad[0] else None
        # the wide matrix on the right: half the time of `slope.T @ narrow` on a processor
        return into_x, None, back.T @ x, (narrow.T @ slope).T.contiguous()


def fuse_products(weights: Any) -> int:  # noqa: ANN401 - peft ships no types
    """Give every plain LoRA layer of the PEFT model the fused form; returns how many. For one adapter, no dropout."""
    layers = [layer for layer in weights.modules() if isinstance(layer, Linear) and _is_plain(layer)]
    for layer in layers:
        vars(layer)["forward"] = _fused(layer)
    return len(layers)


def _is_plain(layer: Linear) -> bool:
    """Nothing but a dense frozen matrix without bias; whatever else (4 bits, variants, dropout) stays with PEFT."""
    dense = type(layer.base_layer) is torch.nn.Linear and layer.base_layer.bias is None
    still = all(isinstance(dropout, torch.nn.Identity) for dropout in layer.lora_dropout.values())
    return dense and still and not layer.lora_variant and not layer.lora_bias.get("default", False)


def _fused(layer: Any) -> Any:  # noqa: ANN401 - peft and torch type no forward
    plain = layer.forward
    frozen: torch.Tensor = layer.base_layer.weight
    kind = frozen.dtype
    product: Any = _Product  # torch leaves `apply` untyped

    def forward(x: torch.Tensor, *others: Any, **options: Any) -> Any:  # noqa: ANN401 - passed on
        if layer.disable_adapters or layer.merged or list(layer.active_adapters) != ["default"] or others or options:
            return plain(x, *others, **options)
        a: torch.Tensor = layer.lora_A["default"].weight
        b: torch.Tensor = layer.lora_B["default"].weight * layer.scaling["default"]
        with torch.autocast(x.device.type, enabled=False):
            flat: torch.Tensor = product.apply(x.reshape(-1, x.shape[-1]).to(kind), frozen, a.to(kind), b.to(kind))
        return flat.view(*x.shape[:-1], frozen.shape[0])

    return forward
