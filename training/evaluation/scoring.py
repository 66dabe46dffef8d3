"""What the base, with or without an adapter, thinks of a text: teacher-forced log-probabilities and greedy answers.

Measured in the precision that vLLM serves in, with the adapter's matrices in that precision too, so that the figures
are about what is served.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from app.domain.prompt import Message
from training.base.precision import SERVED, torch_dtype
from training.evaluation.engines import Answer, Told
from training.recipes.adapter_files import find_adapter
from training.rows.tokenising import Tokenizer, TokenRow

#: Tokens, padding included, that one forward pass may hold.
_TOKENS_PER_BATCH = 2048
_ROWS_PER_ANSWER_BATCH = 24


class Scorer:
    """An `Engine` in this process: a base and at most one adapter in memory."""

    precision = SERVED

    def __init__(self, base: Path, adapter: Path | None, tokenizer: Tokenizer) -> None:
        loaded: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch_dtype(SERVED), local_files_only=True)
        if adapter is not None:
            loaded = PeftModel.from_pretrained(loaded, find_adapter(adapter), autocast_adapter_dtype=False)
        self._weights = loaded.eval()
        self._adapted = adapter is not None
        self._tokenizer = tokenizer

    @property
    def name(self) -> str:
        return f"transformers {metadata.version('transformers')}"

    @contextmanager
    def without_adapter(self) -> Iterator[None]:
        """Within: the bare base answers."""
        if not self._adapted:
            yield
            return
        with self._weights.disable_adapter():
            yield

    def logprobs(self, rows: Sequence[TokenRow], told: Told | None = None) -> list[float]:
        """Mean log-probability per completion token (nats), one per row, in order."""
        values = [0.0] * len(rows)
        done = 0
        for batch in _batches(rows):
            for index, value in zip(batch, self._batch_logprobs([rows[i] for i in batch]), strict=True):
                values[index] = value
            done += len(batch)
            if told is not None:
                told(done, len(rows))
        return values

    def _batch_logprobs(self, rows: Sequence[TokenRow]) -> list[float]:
        """Hidden states for all positions, the output layer on the completion's only."""
        longest = max(len(row.tokens) for row in rows)
        ids = torch.full((len(rows), longest), self._tokenizer.pad)
        seen = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row.tokens)] = torch.tensor(row.tokens)
            seen[at, : len(row.tokens)] = 1
        whole = self._weights.get_base_model() if self._adapted else self._weights
        with torch.inference_mode():
            states = whole.model(input_ids=ids, attention_mask=seen, use_cache=False).last_hidden_state
            return [
                self._row_logprob(whole.lm_head, states[at, row.prompt_tokens - 1 : len(row.tokens) - 1], row)
                for at, row in enumerate(rows)
            ]

    @staticmethod
    def _row_logprob(head: Any, states: torch.Tensor, row: TokenRow) -> float:  # noqa: ANN401 - any linear layer
        wanted = torch.tensor(row.tokens[row.prompt_tokens :]).unsqueeze(-1)
        chances = torch.log_softmax(head(states).float(), dim=-1)
        return float(chances.gather(-1, wanted).mean())

    def answers(self, prompts: Sequence[Sequence[Message]], limit: int, told: Told | None = None) -> list[Answer]:
        """The most likely answer to each prompt, at most `limit` tokens, in order."""
        encoded = [self._tokenizer.prompt(prompt) for prompt in prompts]
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
        found: dict[int, Answer] = {}
        for first in range(0, len(order), _ROWS_PER_ANSWER_BATCH):
            batch = order[first : first + _ROWS_PER_ANSWER_BATCH]
            found.update(zip(batch, self._batch_answers([encoded[i] for i in batch], limit), strict=True))
            if told is not None:
                told(len(found), len(order))
        return [found[index] for index in range(len(encoded))]

    def _batch_answers(self, prompts: Sequence[tuple[int, ...]], limit: int) -> list[Answer]:
        longest = max(map(len, prompts))
        pad, end = self._tokenizer.pad, self._tokenizer.end
        ids = torch.tensor([[pad] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
        seen = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        with torch.inference_mode():
            made = self._weights.generate(
                input_ids=ids,
                attention_mask=seen,
                max_new_tokens=limit,
                do_sample=False,
                eos_token_id=end,
                pad_token_id=pad,
            )[:, longest:].tolist()
        return [self._answer(tokens, end) for tokens in made]

    def _answer(self, tokens: list[int], end: int) -> Answer:
        stopped = end in tokens
        kept = tokens[: tokens.index(end)] if stopped else tokens
        return Answer(text=self._tokenizer.raw.decode(kept, skip_special_tokens=True), stopped=stopped)


def _batches(rows: Sequence[TokenRow]) -> list[list[int]]:
    """Indices, rows of like length together, at most `_TOKENS_PER_BATCH` with padding."""
    order = sorted(range(len(rows)), key=lambda index: len(rows[index].tokens))
    batches: list[list[int]] = []
    for index in order:
        if batches and (len(batches[-1]) + 1) * len(rows[index].tokens) <= _TOKENS_PER_BATCH:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
