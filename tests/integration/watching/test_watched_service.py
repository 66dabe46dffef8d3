"""A review, a failure and nonsense go through the real service: what its log, figures and traces say of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from app.workflows.standing import FAMILIES
from tests.integration.team import REPO
from tests.integration.watching.watched import CANARY, Watched, collector, model_server, wait_for, watched_service


@dataclass
class Seen:
    watched: Watched
    spans: list[Span]
    metrics: str
    ready: dict[str, object]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("watched")
    with (
        collector() as (endpoint, spans),
        model_server(folder) as state,
        watched_service(folder, state, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as watched,
    ):
        with watched.running("text"):
            with watched.standin.lock:
                watched.standin.emit_installation("created", watched.standin.add_user("root"))
            number, _ = watched.open("canary_diff(order)")
            wait_for(lambda: watched.standin.reviews(REPO, number, author=f"{watched.standin.slug}[bot]"))
            watched.open("canary_breaks(order)")
            wait_for(watched.failed)
            watched.deliver_nonsense()
            metrics = httpx.get(f"{watched.url}/metrics", timeout=30)
            assert metrics.status_code == 200
            assert httpx.get(f"{watched.url}/metrics", headers={"x-forwarded-for": "10.0.0.9"}).status_code == 401
            ready = httpx.get(f"{watched.url}/readyz", timeout=30).json()
        with watched.running("json"):
            watched.open("canary_breaks(twice)")
            wait_for(lambda: len(watched.failed()) > 1)
        yield Seen(watched, spans, metrics.text, ready)


def test_no_line_holds_what_a_stranger_wrote(seen: Seen) -> None:
    for lines in seen.watched.logs.values():
        assert lines
        assert [line for line in lines if CANARY.search(line)] == []


def test_lines_of_json_are_json_and_say_what_they_are_about(seen: Seen) -> None:
    lines = [json.loads(line) for line in seen.watched.logs["json"]]
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
    told = next(line for line in lines if line["message"].startswith("review ") and line["level"] == "ERROR")
    assert "Refused(answer) from KeyError" in told["message"]
    assert told["workflow"].startswith("review:127.0.0.1:")
    assert told["installation"] == seen.watched.standin.installation_id
    assert len(told["trace"]) == 32


def test_a_traceback_is_places_on_one_line(seen: Seen) -> None:
    traced = [line for line in seen.watched.logs["text"] if " error=" in line]
    assert traced
    assert all(" at=" in line and ".py:" in line for line in traced)


def test_figures_name_no_repository_and_nobody(seen: Seen) -> None:
    labels = {
        value
        for family in text_string_to_metric_families(seen.metrics)
        for sample in family.samples
        for value in sample.labels.values()
    }
    assert not any(CANARY.search(value) or REPO.split("/")[0] in value or value == "dev" for value in labels)


def _value(seen: Seen, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(seen.metrics)
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_the_figures_are_those_of_what_happened(seen: Seen) -> None:
    assert _value(seen, "understudy_deliveries_total", event="pull_request", outcome="accepted") == 3
    assert _value(seen, "understudy_deliveries_total", outcome="signature") == 1
    assert _value(seen, "understudy_reviews_ended_total", state="posted") == 1
    assert _value(seen, "understudy_reviews_ended_total", state="failed") == 1
    assert _value(seen, "understudy_findings_total", outcome="posted") == 1
    assert _value(seen, "understudy_review_seconds_count") == 1
    assert _value(seen, "understudy_model_calls_total", outcome="failed") >= 1
    assert _value(seen, "understudy_model_tokens_total", kind="prompt") >= 50
    assert _value(seen, "understudy_github_requests_total", route="/repos/{}/{}/pulls/{}/reviews", method="POST") == 1
    assert _value(seen, "understudy_github_rate_limit_remaining", resource="core") > 0
    assert _value(seen, "understudy_database_up") == 1
    assert _value(seen, "understudy_workflows", state="ERROR") >= 1
    assert _value(seen, "understudy_database_bytes") > 100_000


def test_every_family_is_told_even_where_it_is_empty(seen: Seen) -> None:
    told = {family.name for family in text_string_to_metric_families(seen.metrics)}
    assert {f"understudy_{name}" for name in FAMILIES} <= told


def test_ready_says_of_what_and_tells_of_the_model(seen: Seen) -> None:
    assert seen.ready == {
        "status": "ok",
        "parts": {"database": "ok", "disk": "ok"},
        "information": {"model": "ready"},
    }


def _chain(spans: list[Span], last: Span) -> list[str]:
    """Names from the trace's first span to this one."""
    by_id = {span.span_id: span for span in spans}
    names = [last.name]
    while last.parent_span_id:
        last = by_id[last.parent_span_id]
        names.append(last.name)
    return names[::-1]


def test_one_trace_leads_from_the_webhook_to_the_model_across_the_queue(seen: Seen) -> None:
    asked = [_chain(seen.spans, span) for span in seen.spans if span.name == "ask model"]
    way = ["webhook pull_request", "dispatch delivery", "workflow review", "step draft"]
    assert [*way, "ask model"] in asked
    posted = [span for span in seen.spans if span.name == "POST /repos/{}/{}/pulls/{}/reviews"]
    assert _chain(seen.spans, posted[0])[:3] == way[:3]


def test_traces_carry_no_text(seen: Seen) -> None:
    for span in seen.spans:
        assert not CANARY.search(str(span)), span
        assert REPO not in str(span)
    broken = [span for span in seen.spans if span.name == "workflow review" and span.status.code == 2]
    assert {attribute.value.string_value for span in broken for attribute in span.attributes} >= {"Refused"}
