"""Spans of webhook, workflow, step, request and question in one trace, sent by OTLP where the standard variables name a
collector, and nowhere else.

A workflow carries its parent in a `traceparent` (W3C) that the job engine keeps with it, so a trace outlives the queue,
other processes and a kill. Attributes are ids and words of ours: an exception's text is never one.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT = "traceparent"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
#: holds what ends the sending, once a collector was named: without one nothing is to cost anything
_SENDING: list[Callable[[], None]] = []
_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("understudy")
SERVER, CLIENT, PRODUCER, CONSUMER, INTERNAL = (
    SpanKind.SERVER,
    SpanKind.CLIENT,
    SpanKind.PRODUCER,
    SpanKind.CONSUMER,
    SpanKind.INTERNAL,
)


def is_asked_for() -> bool:
    """By the variables that OpenTelemetry itself defines."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not off and any(os.environ.get(name) for name in _ENDPOINTS)


def set_up_tracing(role: str) -> None:
    """Send spans from here on, if a collector is named. Once per process, before anything is traced.

    What the sampler, the headers and the resource are, the standard variables say, too.
    """
    if not is_asked_for():
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "understudy"}
    resource = Resource.create({**named, "understudy.role": role})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _SENDING.append(provider.shutdown)


def end_tracing() -> None:
    """Send what is left. Blocking, for a few seconds at most."""
    while _SENDING:
        _SENDING.pop()()


@contextmanager
def span(
    name: str, kind: SpanKind = INTERNAL, *, parent: str | None = None, **attributes: str | int | None
) -> Iterator[Span]:
    """A span around the block, a child of the one around it or of `parent`, a traceparent. An error marks it by its
    type alone."""
    if not _SENDING:
        yield trace.INVALID_SPAN
        return
    context = _propagator.extract({TRACEPARENT: parent}) if parent else None
    known = {f"understudy.{key}": value for key, value in attributes.items() if value is not None}
    with _tracer.start_as_current_span(
        name, context, kind, known, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(StatusCode.ERROR)
            raise


def current_traceparent() -> str | None:
    """Of the span around here; None where nothing is traced."""
    if not _SENDING:
        return None
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get(TRACEPARENT)


def current_trace_id() -> str | None:
    """32 hexadecimal digits; None where nothing is traced."""
    found = trace.get_current_span().get_span_context() if _SENDING else None
    return trace.format_trace_id(found.trace_id) if found is not None and found.is_valid else None
