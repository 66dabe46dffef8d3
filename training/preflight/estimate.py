"""Memory and time of a training, from the base's shape, the settings and the planned batches. Pure.

What the forward pass keeps was counted in transformers 5.19 and PEFT 0.21.2 with torch's hooks on saved tensors, on a
llama of 30 layers: 27,080 bytes per token and layer with fused attention, 27,470 + 54 per token of the row with plain
attention; the sums below give 27,028 and 27,376 + 54. `python -m tests.benchmarks.estimate` compares the whole with
real trainings.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from app.domain.base import Record
from app.domain.estimates import Device, MemoryParts, Method
from training.config import TrainingConfig

_FLOAT32 = 4
#: Bytes of a 4-bit weight and its scales: 8 bits per 64 weights, scaled again per 256 (Dettmers et al., 2023).
_NF4 = 0.5 + 1 / 64 + _FLOAT32 / (64 * 256)
#: A LoRA matrix, its gradient and AdamW's two moments, all in float32 (PEFT casts adapters so).
_TRAINED = 4 * _FLOAT32
#: TRL's output layer scores so many positions at a time over so many words, once as computed and twice in float32.
_TILE, _SLICE = 4096, 32768


class ModelShape(Record):
    """What decides a decoder's cost; of one dense llama-like stack."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    key_heads: int
    head_width: int
    vocabulary: int
    tied: bool

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """Name → (in, out) of the linear layers of one decoder layer."""
        queries, keys = self.heads * self.head_width, self.key_heads * self.head_width
        return {
            "q_proj": (self.hidden, queries),
            "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def linear_parameters(self) -> int:
        return self.layers * sum(wide * out for wide, out in self.linears.values())

    @property
    def parameters(self) -> int:
        norms = self.hidden * (2 * self.layers + 1)
        return self.linear_parameters + norms + self.vocabulary * self.hidden * (1 if self.tied else 2)


class Setting(Record):
    """How it is trained. `precision` is what activations are computed in."""

    method: Method
    rank: int
    targets: tuple[str, ...]
    precision: Literal["float32", "bfloat16"]
    attention: Literal["eager", "sdpa"]
    #: matrices that read the same vector keep it once (training/recipes/lora_product.py), not once each as PEFT does
    fused: bool = False

    @property
    def width(self) -> int:
        """Bytes of one activation."""
        return 2 if self.precision == "bfloat16" else _FLOAT32


class BatchShape(NamedTuple):
    """Rows padded to one length, how many of their positions are trained, and the opening that is computed once."""

    rows: int
    length: int
    labelled: int
    shared: int = 0

    @property
    def positions(self) -> int:
        return self.rows * (self.length - self.shared) + self.shared


#: Which vector each matrix reads.
_READS = {
    **dict.fromkeys(("q_proj", "k_proj", "v_proj"), "block"),
    "o_proj": "heads",
    **dict.fromkeys(("gate_proj", "up_proj"), "unit"),
    "down_proj": "product",
}


class Overhead(NamedTuple):
    """What no formula gives: measured per kind of device. `share` is of the activations, `fixed` in bytes.

    On a processor glibc keeps what small tensors of ever changing lengths leave behind, and oneDNN its own copies: the
    peaks of three trainings of SmolLM2-135M gave 0.58 and 0.3 GiB. An accelerator's peak counts allocated bytes only.
    """

    share: float
    fixed: int


OVERHEADS: dict[str, Overhead] = {"cpu": Overhead(0.58, 300 << 20), "cuda": Overhead(0.15, 64 << 20)}


def read_shape(config: dict[str, Any]) -> ModelShape | None:
    """From a checkpoint's config.json; None for an architecture that is described in other words."""
    try:
        heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
        return ModelShape(
            layers=int(config["num_hidden_layers"]),
            hidden=hidden,
            intermediate=int(config["intermediate_size"]),
            heads=heads,
            key_heads=int(config.get("num_key_value_heads") or heads),
            head_width=int(config.get("head_dim") or hidden // heads),
            vocabulary=int(config["vocab_size"]),
            tied=bool(config.get("tie_word_embeddings", False)),
        )
    except (KeyError, TypeError):
        return None


def make_setting(
    config: TrainingConfig, *, method: Method, precision: str, attention: str, fused: bool = False
) -> Setting:
    return Setting.model_validate(
        {
            "method": method,
            "rank": config.rank,
            "targets": config.target_modules,
            "precision": precision,
            "attention": attention,
            "fused": fused,
        }
    )


def count_trainable(shape: ModelShape, setting: Setting) -> int:
    """LoRA's parameters: rank times (in + out) of every layer that is adapted."""
    sizes = [shape.linears[name] for name in setting.targets if name in shape.linears]
    return shape.layers * setting.rank * sum(wide + out for wide, out in sizes)


def activation_bytes(shape: ModelShape, setting: Setting, batch: BatchShape) -> int:
    """What the forward pass keeps for the backward pass; nothing is computed twice (no checkpointing).

    Per token and layer: the input of each adapted matrix, both norms in float32, three vectors of the gated unit,
    queries, keys and values, the narrow vector between A and B; with plain attention the weights, in
    float32 and again in the computing type.
    """
    width = setting.width
    queries, keys = shape.heads * shape.head_width, shape.key_heads * shape.head_width
    adapted = [name for name in setting.targets if name in shape.linears]
    kept = {_READS[name]: name for name in adapted}.values() if setting.fused else adapted
    inputs = width * sum(shape.linears[name][0] for name in kept) + width * setting.rank * len(adapted)
    norms = 2 * _FLOAT32 * shape.hidden
    unit = 3 * width * shape.intermediate
    if setting.attention == "eager":
        attention = 3 * width * queries + shape.heads * batch.length * (_FLOAT32 + width)
    else:
        attention = width * (2 * queries + 2 * keys) + _FLOAT32 * shape.heads
    return shape.layers * batch.positions * (inputs + norms + unit + attention)


def estimate_memory(
    shape: ModelShape, setting: Setting, batches: Sequence[BatchShape], device: Device, *, libraries: int
) -> MemoryParts:
    """At the batch that needs most. `libraries` is what the process holds before the weights are read."""
    linear, rest = shape.linear_parameters, shape.parameters - shape.linear_parameters
    weights = setting.width * shape.parameters
    if setting.method == "qlora":
        weights = int(_NF4 * linear) + setting.width * rest
    activations = max((activation_bytes(shape, setting, batch) for batch in batches), default=0)
    labelled = max((batch.labelled for batch in batches), default=0)
    extra = OVERHEADS[device.kind]
    return MemoryParts(
        libraries=libraries if device.kind == "cpu" else 0,
        weights=weights,
        trainable=_TRAINED * count_trainable(shape, setting),
        activations=activations,
        logits=(setting.width + 2 * _FLOAT32) * min(labelled, _TILE) * min(_SLICE, shape.vocabulary),
        workspace=int(extra.share * activations) + extra.fixed,
    )


class Timing(NamedTuple):
    """One measured step: its batch's positions, and wall seconds."""

    positions: int
    seconds: float


#: Of a step's time, what a forward pass takes: with frozen weights the backward pass is about as long.
_FORWARD = 0.5


def estimate_seconds(
    timings: Sequence[Timing], batches: Sequence[BatchShape], *, setup: float, looked_at: int = 0
) -> float | None:
    """`setup` seconds, and each batch by the line through the measured steps; None where nothing was measured.

    `looked_at` positions are only passed forward (rows that are set aside, at each checkpoint).
    Two steps of like size, or a larger one that was faster, give no line: then time is in proportion to positions.
    """
    if not timings:
        return None
    small, large = min(timings), max(timings)
    per_position = sum(timing.seconds for timing in timings) / sum(timing.positions for timing in timings)
    fixed = 0.0
    if large.positions > 1.2 * small.positions and large.seconds > small.seconds:
        slope = (large.seconds - small.seconds) / (large.positions - small.positions)
        fixed = small.seconds - slope * small.positions
        per_position, fixed = (slope, fixed) if fixed >= 0 else (large.seconds / large.positions, 0.0)
    looks = _FORWARD * per_position * looked_at
    return setup + looks + sum(fixed + per_position * batch.positions for batch in batches)


def seconds_at(batches: Sequence[BatchShape], *, per_second: float) -> float:
    """Seconds at a stated throughput in positions per second, for a device that is not here."""
    return sum(batch.positions for batch in batches) / per_second
