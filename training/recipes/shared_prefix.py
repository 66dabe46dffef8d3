"""The opening tokens that every row of a batch begins with, computed once per batch and not once per row.

Every prompt opens with the same instruction: of armeria's 193 tokens a row, 54 are that. Causal attention lets no token
see a later one, so the opening's hidden states, keys and values are the same in every row, and so is the sum of their
gradients whichever way it is taken. `tests/integration/training/test_shared_prefix.py` holds losses and gradients
against the plain forward pass.
"""

from typing import Any

import torch
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPast

#: Openings shorter than this are not worth a second pass through the layers.
_WORTH_SHARING = 16


def share_prefixes(decoder: Any) -> None:  # noqa: ANN401 - any decoder of transformers
    """From now on `decoder(input_ids, attention_mask)` computes what a batch's rows open with once.

    For batches padded on the right and decoders whose layers all attend to everything before them.
    """
    whole = decoder.forward

    def forward(*, input_ids: torch.Tensor, attention_mask: torch.Tensor, **options: Any) -> BaseModelOutputWithPast:  # noqa: ANN401 - passed on
        length = count_shared(input_ids)
        if length < _WORTH_SHARING:
            return whole(input_ids=input_ids, attention_mask=attention_mask, **options)
        options = {**options, "use_cache": True}
        cache, rows = DynamicCache(), len(input_ids)
        opening = whole(input_ids=input_ids[:1, :length], past_key_values=cache, **options).last_hidden_state
        for layer in cache.layers:
            layer.keys, layer.values = (part.expand(rows, -1, -1, -1) for part in (layer.keys, layer.values))
        rest = whole(
            input_ids=input_ids[:, length:], attention_mask=attention_mask, past_key_values=cache, **options
        ).last_hidden_state
        return BaseModelOutputWithPast(last_hidden_state=torch.cat([opening.expand(rows, -1, -1), rest], dim=1))

    decoder.forward = forward


def count_shared(input_ids: torch.Tensor) -> int:
    """Tokens that all rows of a (rows, length) batch open with; 0 for one row, and never a whole row."""
    if len(input_ids) < 2:
        return 0
    same = (input_ids[1:] == input_ids[:1]).all(dim=0)[:-1]
    return int(same.long().cumprod(0).sum())
