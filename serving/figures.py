"""What the serving program counts, in Prometheus' text format. Of requests only how many and how long."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.domain.errors import Refused, RetryLater
from serving.controller import Controller

_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Figures:
    """Of one front, with what its controller says at the moment it is asked."""

    def __init__(self, controller: Controller) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_State(controller))
        self._requests = Counter(
            "understudy_serving_requests",
            "Questions by kind and what became of them.",
            ["kind", "outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "understudy_serving_request_seconds",
            "Of one question.",
            ["kind"],
            buckets=_SECONDS,
            registry=self._registry,
        )

    @contextmanager
    def asked(self, kind: str) -> Iterator[None]:
        """Around the answer to one question, `chat` or `completion`."""
        began, outcome = time.monotonic(), "failed"
        try:
            yield
            outcome = "answered"
        except Refused:
            outcome = "refused"
            raise
        except RetryLater:
            outcome = "later"
            raise
        finally:
            self._requests.labels(kind, outcome).inc()
            self._seconds.labels(kind).observe(time.monotonic() - began)

    def render(self) -> bytes:
        return generate_latest(self._registry)


class _State(Collector):
    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def describe(self) -> Iterable[Metric]:
        """Nothing is read to register it."""
        return []

    def collect(self) -> Iterable[Metric]:
        status = self._controller.status()
        yield _gauge("ready", "1 while questions are answered.", float(status.state == "ready"))
        yield _gauge("answering", "Questions under way.", status.answering)
        yield _gauge("capacity", "Adapters that memory holds.", status.capacity)
        adapters = GaugeMetricFamily("understudy_serving_adapters", "Adapters by where they are.", labels=["state"])
        for state, number in (
            ("held", len(status.adapters)),
            ("resting", len(status.resting)),
            ("quarantined", len(status.quarantined)),
        ):
            adapters.add_metric([state], number)
        yield adapters
        yield CounterMetricFamily("understudy_serving_starts", "How often vLLM was started.", value=status.starts)


def _gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"understudy_serving_{name}", told, value=value)
