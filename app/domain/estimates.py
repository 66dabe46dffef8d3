"""What a training will take and what it took: bytes, seconds, money. Pure."""

from typing import Literal

from app.domain.base import Record

Method = Literal["lora", "qlora"]

#: How far an estimate may be off and still be called right, as a share of what happened.
MEMORY_TOLERANCE, TIME_TOLERANCE = 0.20, 0.30


class Device(Record):
    """Where it is trained. Memory in bytes: of the accelerator, or of the machine where there is none."""

    name: str
    kind: Literal["cpu", "cuda"]
    memory: int
    free: int


class Price(Record):
    """What an hour of the device costs; never guessed."""

    per_hour: float
    currency: str


class MemoryParts(Record):
    """Bytes at the moment of the peak, by what holds them."""

    #: the process with its libraries, before a weight is read; none of it on an accelerator
    libraries: int
    weights: int
    #: LoRA matrices, their gradients and the two moments of AdamW
    trainable: int
    #: kept by the forward pass for the backward pass
    activations: int
    #: scores of labelled positions over one slice of the vocabulary
    logits: int
    #: scratch of the backward pass, and what the allocator can't give back
    workspace: int

    @property
    def total(self) -> int:
        return sum(int(getattr(self, name)) for name in type(self).model_fields)


class Estimate(Record):
    """Made before the training. `seconds` is of the device; None where nothing was measured to take it from."""

    method: Method
    rank: int
    device: Device
    memory: MemoryParts
    steps: int
    #: positions that are multiplied, padding included
    positions: int
    seconds: float | None
    #: where `seconds` comes from: passes on this device, or a stated throughput
    basis: Literal["measured", "throughput"] | None
    price: Price | None = None

    @property
    def money(self) -> float | None:
        """In the price's currency, None where no price or no time is known."""
        return None if self.price is None or self.seconds is None else self.seconds / 3600 * self.price.per_hour


class Actual(Record):
    """What happened: the peak in bytes (resident, or allocated on the accelerator) and wall seconds."""

    memory: int
    seconds: float


class EstimateRecord(Record):
    """Both, side by side. Errors are shares of what happened: 0.1 is 10 % too high, -0.1 too low."""

    estimate: Estimate
    actual: Actual

    @property
    def memory_error(self) -> float:
        return self.estimate.memory.total / self.actual.memory - 1

    @property
    def time_error(self) -> float | None:
        return None if self.estimate.seconds is None else self.estimate.seconds / self.actual.seconds - 1

    def sentence(self) -> str:
        took = f"memory {gib(self.actual.memory)} against {gib(self.estimate.memory.total)} estimated"
        took += f" ({self.memory_error:+.0%})"
        if self.estimate.seconds is not None and self.time_error is not None:
            took += f", {self.actual.seconds:.0f} s against {self.estimate.seconds:.0f} s ({self.time_error:+.0%})"
        return took


def gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
