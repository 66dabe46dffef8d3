"""One forward and backward pass of the longest batch, before the first step: it fits, and how long a step takes.

A loop of its own: torch's AdamW at a rate of zero, so that nothing is learnt and all memory of a step is taken.
"""

import ctypes
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.preflight import Finding
from training.preflight.estimate import BatchShape, Timing
from training.recipes.compaction import compact_output_layer
from training.rows.tokenising import TokenRow

Batch = Sequence[TokenRow]
#: Nats per token that a row's loss may differ alone and beside another, by rounding: bfloat16 keeps 8 bits.
INDEPENDENCE = 0.05


class Trainee(Protocol):
    """A model with an adapter on it, as the recipe trains it."""

    def step(self, rows: Batch) -> None:
        """Forward, backward and a step of the optimiser that changes nothing."""

    def losses(self, rows: Batch) -> list[float]:
        """Each row's mean loss per trained token, the rows in one batch."""


@dataclass(frozen=True)
class Passes:
    """What the passes showed. `setup`: seconds to have the model in memory."""

    timings: tuple[Timing, ...]
    setup: float
    findings: tuple[Finding, ...]


def shape_batch(rows: Batch, *, shared: int = 0) -> BatchShape:
    longest = max(len(row.tokens) for row in rows)
    return BatchShape(len(rows), longest, sum(row.completion_tokens for row in rows), shared)


def split_plan(plan: Batch, batch_rows: int) -> list[Batch]:
    return [plan[at : at + batch_rows] for at in range(0, len(plan), batch_rows)]


def try_batches(
    open_trainee: Callable[[], Trainee],
    batches: Sequence[Batch],
    *,
    shape: Callable[[Batch], BatchShape],
    clock: Callable[[], float] = time.perf_counter,
) -> Passes:
    """Time the typical and the longest batch, after the smallest one warmed the libraries up.

    Each is timed at its first pass: in a training too nearly every batch has a new length, for which kernels are made.
    """
    ordered = sorted(batches, key=lambda rows: shape(rows).positions)
    try:
        return _try(open_trainee, ordered, shape, clock)
    finally:
        _give_back()


def _try(
    open_trainee: Callable[[], Trainee],
    ordered: Sequence[Batch],
    shape: Callable[[Batch], BatchShape],
    clock: Callable[[], float],
) -> Passes:
    began = clock()
    trainee = open_trainee()
    setup = clock() - began
    timings: list[Timing] = []
    for rows in (ordered[0], ordered[len(ordered) // 2], ordered[-1]):
        try:
            began = clock()
            trainee.step(rows)
            timings.append(Timing(shape(rows).positions, clock() - began))
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            return Passes((), setup, (_out_of_memory(shape(rows)),))
    shortest = sorted((row for rows in ordered for row in rows), key=lambda row: len(row.tokens))
    return Passes(tuple(timings[1:]), setup, tuple(check_independence(trainee, shortest)))


def check_independence(trainee: Trainee, ordered: Batch) -> list[Finding]:
    """A row's loss is the same alone and in a batch: no row sees another, however they are packed or padded."""
    first = ordered[0]
    other = next((row for row in reversed(ordered[: len(ordered) // 2 + 1]) if row.tokens != first.tokens), None)
    if other is None:
        return []
    alone, beside = trainee.losses([first])[0], trainee.losses([other, first])[1]
    if abs(alone - beside) <= INDEPENDENCE:
        return []
    text = f"{first.example} has loss {alone:.3f} alone and {beside:.3f} beside {other.example}: rows see each other"
    return [Finding(check="independence", severity="refuse", text=text, mode=7)]


class LoraTrainee:
    """The recipe's own model (`weights`, a PEFT model), in training mode; products are computed in `precision`."""

    def __init__(self, weights: Any, *, precision: str, pad: int) -> None:  # noqa: ANN401 - peft ships no types
        import torch
        from trl.trainer.utils import add_fused_lm_head

        add_fused_lm_head(weights.get_base_model())
        self._weights, self._pad = weights.train(), pad
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._weights.to(self._device)
        self._half = precision == "bfloat16"
        trained = [item for item in weights.parameters() if item.requires_grad]
        self._optimizer = torch.optim.AdamW(trained, lr=0.0)

    def step(self, rows: Batch) -> None:
        with compact_output_layer(), self._computing():
            loss = self._forward(rows).loss
        loss.backward()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        if self._device == "cuda":
            import torch

            torch.cuda.synchronize()

    def losses(self, rows: Batch) -> list[float]:
        import torch

        with torch.no_grad(), compact_output_layer(), self._computing():
            found = self._forward(rows)
        mask = found.label_mask
        sums = (found.log_probs * mask).sum(dim=1) / mask.sum(dim=1)
        return [-float(value) for value in sums]

    def _forward(self, rows: Batch) -> Any:  # noqa: ANN401 - TRL's output type
        import torch

        longest = max(len(row.tokens) for row in rows)
        ids = torch.full((len(rows), longest), self._pad)
        labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
        for at, row in enumerate(rows):
            size = len(row.tokens)
            ids[at, :size], labels[at, :size] = torch.tensor(row.tokens), torch.tensor(row.labels)
            mask[at, :size] = 1
        sent = {"input_ids": ids, "labels": labels, "attention_mask": mask}
        return self._weights(**{name: part.to(self._device) for name, part in sent.items()}, fused_lm_head=True)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        import torch

        with torch.autocast(self._device, dtype=torch.bfloat16, enabled=self._half):
            yield


def _give_back() -> None:
    """What the passes took, so that the training starts from where it was estimated from."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; other libraries give back by themselves
    if trim is not None:
        trim(0)


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    on_processor = isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or on_processor


def _out_of_memory(shape: BatchShape) -> Finding:
    text = f"one pass of {shape.rows} rows of {shape.length} tokens does not fit in memory; take a smaller batch_rows"
    return Finding(check="longest_batch", severity="refuse", text=text, mode=19)
