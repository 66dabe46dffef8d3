"""Reports and the gate's policy: figures with intervals, and the versions and hashes they were measured on."""

from datetime import datetime
from typing import Literal

from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record


class Figure(Record):
    """A measured value, its 95 % interval, and the number of rows it stands on."""

    value: float
    low: float
    high: float
    n: int


class Arm(Record):
    """One way of making the review, measured. None means not measured, never zero."""

    nll: Figure | None = None
    location_hit: Figure | None = None
    false_alarm: Figure | None = None
    schema_valid: Figure | None = None
    stop: Figure | None = None
    style_distance: Figure | None = None
    same_issue: Figure | None = None


class EvalReport(Record):
    """Everything the gate may look at. `paired` holds per-row completion NLL by arm, aligned by row."""

    schema_version: Literal["eval/1"] = "eval/1"
    suite: str
    prompt_version: str
    base: BaseCheckpoint
    adapter: str | None
    precision: str
    arms: dict[str, Arm]
    rows: tuple[str, ...]
    paired: dict[str, tuple[float, ...]]
    packages: dict[str, str]
    code_commit: str
    seconds: float
    created_at: datetime
    notes: tuple[str, ...] = ()


class GatePolicy(Record):
    """Thresholds, fixed before the run. Shares are 0..1."""

    #: relative drop of held-out completion NLL against the base with the same prompt; its lower bound must clear it
    nll_lift: float = 0.15
    #: NLL of the same comments under another row's hunk minus NLL under their own, nats per token; lower bound above
    hunk_dependence: float = 0.0
    heldout_rows: int = 12
    false_alarm: float = 0.10
    #: shares of greedy answers that have the agreed shape, and that end by themselves, without any constraint while
    #: decoding. The server enforces the shape, so there it is 1; below this it would fight the adapter for it.
    schema_valid: float = 0.9
    stop: float = 0.9
    #: nats per token that the candidate may be worse than the adapter in use, by the interval's lower bound
    current_loss: float = 0.02


class Reason(Record):
    """One check of the gate, spelled out. A check that could not be measured has not passed, but is no harm either."""

    check: str
    passed: bool
    text: str
    measured: bool = True


class GateDecision(Record):
    schema_version: Literal["gate/1"] = "gate/1"
    verdict: Literal["promote", "hold", "reject"]
    reasons: tuple[Reason, ...]
    policy: GatePolicy
    adapter: str | None
    suite: str
