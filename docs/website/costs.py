"""The tables of the cost guide, computed by the estimator that the pre-flight uses. Pure.

Shapes are those of the public checkpoints' own `config.json`; biases of queries, keys and values are not counted. The
one throughput that was measured is a processor's. For accelerators a share of the maker's dense bfloat16 peak is taken,
at four floating-point operations a parameter and token: two forward, two backward, none for weights that are frozen.
"""

import re
from typing import NamedTuple

from app.domain.advice import decide_method
from app.domain.estimates import Device, Estimate, Method, Price, gib
from docs.website.reference.tables import render_table
from training.config import resolve_config
from training.preflight.checks import check_memory
from training.preflight.estimate import (
    BatchShape,
    ModelShape,
    Setting,
    count_trainable,
    estimate_memory,
    make_setting,
    seconds_at,
)

_BLOCK = re.compile(r"(<!-- computed: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_GIB = 1 << 30
#: Resident bytes of a process with torch and TRL imported, before weights are read; by VmRSS, with the pinned packages.
_LIBRARIES = 640 << 20
#: Rows, tokens a row and passes of the round that is computed.
COMMENTS, ROW_TOKENS, EPOCHS = 500, 400, 2
#: Share of the peak that is taken, and tokens of a row that are trained.
_SHARE, _LABELLED = 0.30, 60
#: Tokens of question and answer, questions at once, adapters held.
_WINDOW, _AT_ONCE, _HELD = 2048, 8, 4


class Base(NamedTuple):
    """`places`: names of the devices that one would train it on."""

    name: str
    shape: ModelShape
    places: tuple[str, ...]


class Place(NamedTuple):
    """`throughput` in tokens a second for a base of that many parameters, or `peak` in operations a second."""

    device: Device
    price: Price | None
    peak: float | None = None
    measured: tuple[str, float] | None = None

    def tokens_per_second(self, base: Base) -> float | None:
        if self.measured is not None:
            return self.measured[1] if self.measured[0] == base.name else None
        return None if self.peak is None else _SHARE * self.peak / (4 * base.shape.parameters)


def _shape(size: tuple[int, int, int], heads: int, keys: int, words: int, *, tied: bool) -> ModelShape:
    """`size`: layers, width, width inside the gated unit."""
    layers, hidden, inner = size
    return ModelShape(
        layers=layers,
        hidden=hidden,
        intermediate=inner,
        heads=heads,
        key_heads=keys,
        head_width=hidden // heads,
        vocabulary=words,
        tied=tied,
    )


_CORES, _L4, _L40S, _H100 = "two processor cores, 16 GiB", "L4, 24 GiB", "L40S, 48 GiB", "H100, 80 GiB"

BASES = (
    Base("SmolLM2-135M", _shape((30, 576, 1536), 9, 3, 49152, tied=True), (_CORES, _L4)),
    Base("Qwen2.5-Coder-1.5B", _shape((28, 1536, 8960), 12, 2, 151936, tied=True), (_L4, _L40S)),
    Base("Qwen2.5-Coder-7B", _shape((28, 3584, 18944), 28, 4, 152064, tied=False), (_L4, _L40S, _H100)),
    Base("Qwen2.5-Coder-14B", _shape((48, 5120, 13824), 40, 8, 152064, tied=False), (_L4, _L40S, _H100)),
    Base("Qwen2.5-Coder-32B", _shape((64, 5120, 27648), 40, 8, 152064, tied=False), (_L4, _L40S, _H100)),
)


def _card(name: str, size: int, peak: float, price: float) -> Place:
    device = Device(name=name, kind="cuda", memory=size * _GIB, free=int(0.97 * size * _GIB))
    return Place(device, Price(per_hour=price, currency="EUR"), peak=peak)


PLACES = (
    Place(
        Device(name=_CORES, kind="cpu", memory=16 * _GIB, free=14 * _GIB),
        None,
        measured=("SmolLM2-135M", 464.0),
    ),
    _card(_L4, 22, 121e12, 0.80),
    _card(_L40S, 44, 362e12, 1.80),
    _card(_H100, 78, 989e12, 3.00),
)


def fill_costs(page: str) -> str:
    """The page with its tables computed anew."""
    tables = {"training": render_training(), "serving": render_serving()}
    return _BLOCK.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", page)


def render_training() -> str:
    rows = [row for base in BASES for place in PLACES if (row := _train(base, place)) is not None]
    return render_table(("base", "device", "how", "memory", "time", "money"), rows)


def render_serving() -> str:
    return render_table(("base", "weights", "cache", "adapters", "together"), [_serve(base) for base in BASES])


def estimate_round(base: Base, place: Place) -> tuple[Estimate, int] | None:
    """The estimate with as many rows at a time as fit, at most eight, and how many; None where not even one does."""
    config = resolve_config(None).config
    accelerator = place.device.memory if place.device.kind == "cuda" else None
    advised = decide_method(base.shape.parameters, accelerator).method
    methods: tuple[Method, ...] = (advised,) if advised == "qlora" or accelerator is None else (advised, "qlora")
    for method in methods:
        setting = make_setting(
            config, method=method, precision="bfloat16", attention="sdpa", fused=place.device.kind == "cpu"
        )
        for rows in (8, 4, 2, 1):
            found = _estimate(base, place, setting, rows, longest=config.max_length)
            if not check_memory(found):
                return found, rows
    return None


def _estimate(base: Base, place: Place, setting: Setting, rows: int, *, longest: int) -> Estimate:
    """Memory at a batch of rows of the greatest length, time at those of the usual one."""
    most = [BatchShape(rows, longest, rows * _LABELLED)]
    usual = [BatchShape(rows, ROW_TOKENS, rows * _LABELLED)] * (COMMENTS * EPOCHS // rows)
    speed = place.tokens_per_second(base)
    return Estimate(
        method=setting.method,
        rank=setting.rank,
        device=place.device,
        memory=estimate_memory(base.shape, setting, most, place.device, libraries=_LIBRARIES),
        steps=len(usual),
        positions=sum(batch.positions for batch in usual),
        seconds=None if speed is None else seconds_at(usual, per_second=speed),
        basis=None if speed is None else "throughput",
        price=place.price,
    )


def _train(base: Base, place: Place) -> tuple[str, ...] | None:
    """None where nobody would."""
    if place.device.name not in base.places:
        return None
    found = estimate_round(base, place)
    if found is None:
        return base.name, place.device.name, "does not fit", "", "", ""
    estimate, rows = found
    how = f"{'QLoRA' if estimate.method == 'qlora' else 'LoRA'}, {rows} at a time"
    money = ""
    if estimate.money is not None and estimate.price is not None:
        money = f"{max(estimate.money, 0.01):.2f} {estimate.price.currency}"
    return base.name, place.device.name, how, gib(estimate.memory.total), _minutes(estimate.seconds), money


def _minutes(seconds: float | None) -> str:
    return "" if seconds is None else "under 1 min" if seconds < 60 else f"{round(seconds / 60)} min"


def _serve(base: Base) -> tuple[str, ...]:
    """Weights and cache in bfloat16: for each token a key and a value of every layer; adapters at rank 16."""
    shape = base.shape
    setting = make_setting(resolve_config(None).config, method="lora", precision="bfloat16", attention="sdpa")
    weights = 2 * shape.parameters
    cache = _AT_ONCE * _WINDOW * 2 * 2 * shape.layers * shape.key_heads * shape.head_width
    adapters = _HELD * 2 * count_trainable(shape, setting)
    return base.name, gib(weights), gib(cache), gib(adapters), gib(weights + cache + adapters)
