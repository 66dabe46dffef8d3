"""What the serving program says about itself over HTTP: probes of adapters and its own state."""

from datetime import datetime
from typing import Literal

from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record

#: The name under which the base itself answers.
BASE_NAME = "base"


class ProbeReport(Record):
    """What was measured on the server after an adapter was loaded. Log-probabilities are means per completion token.

    parity: per probe, |served with the adapter - stored by the training|: the same adapter is served
    base_parity: per probe, |served base - stored base|: the same base is served
    effect: per probe, |served with the adapter - served base|: the adapter does something at all
    """

    name: str
    parity: tuple[float, ...]
    base_parity: tuple[float, ...]
    effect: tuple[float, ...]
    tolerance: float
    least_effect: float
    seconds: float


class ServedAdapter(Record):
    name: str
    path: str
    loaded_at: datetime
    probe: ProbeReport


class Quarantine(Record):
    """An adapter that was refused; `reason` is a stable word, `message` says it to a person."""

    name: str
    path: str
    reason: str
    message: str
    at: datetime


class ServingStatus(Record):
    """`starts` counts how often the engine was started, so `starts - 1` is the number of restarts.

    adapters: held and proven; resting: known, and back with the first request for it; capacity: how many are held at
    once; answering: requests under way
    """

    state: Literal["starting", "ready", "restarting"]
    base: str
    revision: str
    max_rank: int
    engine_pid: int | None
    starts: int
    ready_seconds: float | None
    adapters: tuple[ServedAdapter, ...]
    resting: tuple[str, ...] = ()
    capacity: int = 1
    answering: int = 0
    quarantined: tuple[Quarantine, ...]


class EngineCard(Record):
    """What multiplies the weights that answer, and how they are held; the heading of figures measured as served."""

    engine: str
    precision: str
    base: BaseCheckpoint


class PrefixCache(Record):
    """Tokens of prompts since the engine's start: asked for, and found in the cache of prefixes."""

    asked_tokens: int
    found_tokens: int

    @property
    def hit_rate(self) -> float:
        """0..1; 0 when nothing was asked."""
        return self.found_tokens / self.asked_tokens if self.asked_tokens else 0.0


class ServingNeeds(Record):
    """What the registry needs of a server: the service writes it into the server's state folder, its start reads it.

    max_rank: of any version that may serve, and of the next training; adapters: how many installations have one;
    max_length: tokens of the longest prompt and answer together
    """

    max_rank: int
    adapters: int
    max_length: int


#: The file in the state folder that holds the ServingNeeds.
NEEDS = "needs.json"
