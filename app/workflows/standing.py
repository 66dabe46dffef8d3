"""How everything stands, read from the database once for all who ask within a few seconds.

Whichever process is asked says the same, so several answers are never added up: take the largest.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlmodel import Session

from app.domain.errors import UserError
from app.store import figures
from app.store.columns import utc_now
from app.store.database import reading
from app.store.deliveries import count_outcomes
from app.workflows import engine
from app.workflows.runs import State

#: So old may an answer be: several scrapers, or one with many targets, cost one reading.
CACHED_SECONDS = 10.0
_ALIVE = timedelta(seconds=10)
#: metric → what it tells and the names of its labels
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "database_up": ("1 while the database answers.", ()),
    "database_bytes": ("Size of the database.", ()),
    "deliveries_stored": ("Deliveries that are kept, by outcome.", ("outcome",)),
    "deliveries_oldest_seconds": ("Age of the delivery that waits for longest to be handled; 0 where none does.", ()),
    "queue_depth": ("Workflows that wait or run, by queue and state.", ("queue", "state")),
    "queue_oldest_seconds": ("Age of the oldest of them.", ("queue", "state")),
    "workflows": ("Workflows that are remembered, by state.", ("state",)),
    "reviews": ("Reviews by state.", ("state",)),
    "verdicts": ("Posted comments by what became of them.", ("installation", "adapter", "verdict")),
    "adapters": ("Adapter versions in the registry, by state.", ("state",)),
    "backfill_pulls": ("Merged pull requests under backfill.", ("installation", "stage")),
    "training_progress": ("Share of the training's present stage that is done, 0 to 1.", ("installation",)),
    "training_loss": ("Loss of a running training.", ("installation",)),
    "training_tokens_per_second": ("Of a running training.", ("installation",)),
    "sweep_newest_timestamp_seconds": ("When a repository was last swept.", ()),
    "sweep_oldest_timestamp_seconds": ("When the repository that waits for longest was.", ()),
    "processes": ("Processes that gave a sign of life in the last 10 s; none does on SQLite.", ()),
}


@dataclass(frozen=True)
class Sample:
    """A value of one of FAMILIES under its labels, in their order."""

    family: str
    value: float
    labels: tuple[str, ...] = ()


def read_standing() -> list[Sample]:
    """Everything but `database_up`.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, UserError: while the database does not answer, or nothing was booted.
    """
    queues, states = engine.measure_queues(), engine.count_states()
    training = engine.list_ids((State.PENDING,), prefix="learn:")
    with reading(engine.database()) as session:
        return [
            *_count(session, states),
            *_queues(queues),
            *_learning(session, training),
            *_upkeep(session, utc_now()),
        ]


def _count(session: Session, states: dict[str, int]) -> Iterator[Sample]:
    counted = {
        "deliveries_stored": count_outcomes(session),
        "workflows": states,
        "reviews": figures.count_reviews(session),
        "adapters": figures.count_adapters(session),
    }
    for family, counts in counted.items():
        yield from (Sample(family, number, (label,)) for label, number in counts.items())


def _queues(queues: dict[tuple[str, str], tuple[int, float]]) -> Iterator[Sample]:
    for labels, (depth, oldest) in queues.items():
        yield Sample("queue_depth", depth, labels)
        yield Sample("queue_oldest_seconds", oldest, labels)


def _learning(session: Session, training: list[str]) -> Iterator[Sample]:
    for (installation, adapter, verdict), number in figures.count_verdicts(session).items():
        yield Sample("verdicts", number, (str(installation), adapter, verdict))
    for installation, backfill in figures.sum_backfills(session).items():
        yield Sample("backfill_pulls", backfill.total, (str(installation), "total"))
        yield Sample("backfill_pulls", backfill.listed, (str(installation), "listed"))
    for workflow_id, shown in figures.load_figures(session, training).items():
        yield from describe_training(workflow_id, shown)


def describe_training(workflow_id: str, shown: dict[str, object]) -> Iterator[Sample]:
    """Of a round's workflow, `learn:<installation>:…`, and the progress that it shows. Pure."""
    labels = (workflow_id.split(":")[1],)
    step, total = shown.get("step"), shown.get("total")
    if isinstance(step, int | float) and isinstance(total, int | float) and total > 0:
        yield Sample("training_progress", step / total, labels)
    for name in ("loss", "tokens_per_second"):
        value = shown.get(name)
        if isinstance(value, int | float):
            yield Sample(f"training_{name}", value, labels)


def _upkeep(session: Session, now: datetime) -> Iterator[Sample]:
    yield Sample("database_bytes", figures.measure_database(session))
    oldest = figures.load_oldest_waiting(session)
    yield Sample("deliveries_oldest_seconds", 0 if oldest is None else (now - oldest).total_seconds())
    yield Sample("processes", figures.count_processes(session, now - _ALIVE))
    for name, moment in zip(("newest", "oldest"), figures.load_sweeps(session), strict=True):
        if moment is not None:
            yield Sample(f"sweep_{name}_timestamp_seconds", moment.timestamp())


class Standing(Collector):
    """Collected by Prometheus' library; one reading at a time, kept for a while."""

    def __init__(self, read: Callable[[], list[Sample]] = read_standing, *, seconds: float = CACHED_SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = threading.Lock()
        self._samples: list[Sample] = []
        self._read_at = -float("inf")

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing is read to register it."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        families = {
            name: GaugeMetricFamily(f"understudy_{name}", told, labels=labels)
            for name, (told, labels) in FAMILIES.items()
        }
        for sample in self._load():
            families[sample.family].add_metric(sample.labels, sample.value)
        return families.values()

    def _load(self) -> list[Sample]:
        with self._lock:
            if time.monotonic() - self._read_at > self._seconds:
                try:
                    self._samples = [*self._read(), Sample("database_up", 1)]
                except (sa.exc.SQLAlchemyError, UserError):
                    self._samples = [Sample("database_up", 0)]
                self._read_at = time.monotonic()
            return self._samples


def make_registry(standing: Standing) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(standing)
    return registry
