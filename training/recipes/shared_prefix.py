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
#: Ways to call a decoder that are not a training's; they stay as they are.
_OTHER_FORMS = ("past_key_values", "position_ids", "inputs_embeds")


def share_prefixes(decoder: Any) -> bool:  # noqa: ANN401 - any decoder of transformers
    """From now on `decoder(input_ids=, attention_mask=)` computes what a batch's rows open with once.

    For batches padded on the right. False, and nothing changes, for a decoder with layers that do not attend to
    everything before them: their state after the opening is more than keys and values.
    """
    kinds = getattr(decoder.config, "layer_types", None) or ["full_attention"]
    if set(kinds) != {"full_attention"} or getattr(decoder.config, "sliding_window", None):
        return False
    whole = decoder.forward

    def forward(input_ids: torch.Tensor, attention_mask: torch.Tensor, **options: Any) -> Any:  # noqa: ANN401 - passed on
        options = {name: value for name, value in options.items() if value is not None}
        length = count_shared(input_ids)
        if length < _WORTH_SHARING or not options.keys().isdisjoint(_OTHER_FORMS):
            return whole(input_ids=input_ids, attention_mask=attention_mask, **options)
        options = {**options, "use_cache": True}
        cache: Any = DynamicCache()
        rows = len(input_ids)
        opening = whole(input_ids=input_ids[:1, :length], past_key_values=cache, **options).last_hidden_state
        for layer in cache.layers:
            layer.keys, layer.values = (part.expand(rows, -1, -1, -1) for part in (layer.keys, layer.values))
        rest = whole(
            input_ids=input_ids[:, length:], attention_mask=attention_mask, past_key_values=cache, **options
        ).last_hidden_state
        states: Any = torch.cat([opening.expand(rows, -1, -1), rest], dim=1)
        return BaseModelOutputWithPast(last_hidden_state=states)

    decoder.forward = forward
    return True


def count_shared(input_ids: torch.Tensor) -> int:
    """Tokens that all rows of a (rows, length) batch open with; 0 for one row, and never a whole row."""
    if len(input_ids) < 2:
        return 0
    same = (input_ids[1:] == input_ids[:1]).all(dim=0)[:-1]
    return int(same.long().cumprod(0).sum())
