"""Dashboards and alerts: parsed as Prometheus parses them, and about figures that there are."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.watching.metrics import REGISTRY
from app.workflows.standing import FAMILIES, Standing
from serving.controller import Controller
from serving.figures import Figures
from tests.vllm_standin import Socket, controlling, make_base

_CHECKOUT = Path(__file__).parents[2]
_FOLDER = _CHECKOUT / "infra" / "observability"
_DASHBOARDS = sorted(path for path in _FOLDER.glob("*.json"))
_ALERTS = yaml.safe_load((_FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
#: Prometheus makes this one itself for every target.
_OF_PROMETHEUS = {"up"}
#: Whichever process is asked says the same of these.
_OF_THE_DATABASE = {f"understudy_{name}" for name in FAMILIES}


def _queries() -> Iterator[tuple[str, str]]:
    for path in _DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            yield from ((f"{path.stem}: {panel['title']}", target["expr"]) for target in panel["targets"])
    yield from ((f"alert {rule['alert']}", rule["expr"]) for rule in _ALERTS)


_QUERIES = list(_queries())


def _selected(query: str) -> dict[str, set[str]]:
    """Metric → labels that its selectors name."""
    found: dict[str, set[str]] = {}

    def see(expression: Any) -> None:
        selector = getattr(expression, "vector_selector", expression)
        if isinstance(selector, promql_parser.VectorSelector):
            matchers = {matcher.name for matcher in selector.matchers.matchers}
            found.setdefault(selector.name or "", set()).update(matchers)

    promql_parser.walk(promql_parser.parse(query), see)
    return found


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Sample name → labels, of the service and of the serving program."""
    import asyncio

    names = {sample: labels for metric in REGISTRY._collector_to_names for sample, labels in _of_metric(metric)}
    families = {f"understudy_{name}": set(labels) for name, (_, labels) in FAMILIES.items()}

    async def serving_names() -> dict[str, set[str]]:
        folder = tmp_path_factory.mktemp("front")
        async with controlling(make_base(folder / "base"), folder / "state", Socket()) as controller:
            return _of_serving(controller)

    return names | families | asyncio.run(serving_names())


def _of_metric(metric: Any) -> Iterator[tuple[str, set[str]]]:
    labels = set(getattr(metric, "_labelnames", ()))
    for family in metric.collect():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        yield from ((family.name + end, labels | ({"le"} if end == "_bucket" else set())) for end in ends)


def _of_serving(controller: Controller) -> dict[str, set[str]]:
    figures = Figures(controller)
    with figures.asked("chat"):
        pass
    told = text_string_to_metric_families(figures.render().decode())
    return {sample.name: set(sample.labels) for family in told for sample in family.samples}


@pytest.mark.parametrize(("where", "query"), _QUERIES, ids=[where for where, _ in _QUERIES])
def test_every_query_is_read_and_asks_for_what_there_is(where: str, query: str, exported: dict[str, set[str]]) -> None:
    selected = _selected(query)
    assert selected, where
    for metric, labels in selected.items():
        if metric not in _OF_PROMETHEUS:
            assert metric in exported, where
            assert labels - {"job", "instance"} <= exported[metric], where


def _wrong_aggregates(query: str) -> list[str]:
    """Aggregations of what every process reads from one database that add the same up again."""
    wrong: list[str] = []

    def see(expression: Any) -> None:
        if isinstance(expression, promql_parser.AggregateExpr):
            inner = expression.expr
            while isinstance(inner, promql_parser.ParenExpr):
                inner = inner.expr
            is_shared = isinstance(inner, promql_parser.VectorSelector) and inner.name in _OF_THE_DATABASE
            if is_shared and re.match(r"(max|min)\b", str(expression)) is None:
                wrong.append(str(expression))

    promql_parser.walk(promql_parser.parse(query), see)
    return wrong


def test_several_processes_are_put_together_rightly() -> None:
    """What each counted is added up; what all read from one database never is, and never stands alone."""
    assert _wrong_aggregates("sum by (state) (understudy_workflows)")
    for where, query in _QUERIES:
        assert _wrong_aggregates(query) == [], where
        if _selected(query).keys() & _OF_THE_DATABASE:
            assert re.search(r"\b(max|min)\b", query), where


def test_every_figure_of_the_service_is_on_a_dashboard(exported: dict[str, set[str]]) -> None:
    shown = {metric for where, query in _QUERIES if not where.startswith("alert") for metric in _selected(query)}
    families = {
        re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in exported if name.startswith("understudy_")
    }
    told = {re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in shown}
    assert families - told == set()


def test_every_alert_has_its_line_in_the_runbook() -> None:
    told = re.findall(r"^\| `(Understudy\w+)` \|", (_CHECKOUT / "docs" / "watching.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(rule["alert"] for rule in _ALERTS)


def test_every_alert_is_tested() -> None:
    cases = yaml.safe_load((_FOLDER / "alerts_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in cases for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in _ALERTS}


def test_alerts_fire_as_written() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH; on Debian it comes with the package prometheus")
    for arguments in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run([promtool, *arguments], cwd=_FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_dashboards_are_of_one_make_with_ids_of_their_own() -> None:
    for path in _DASHBOARDS:
        board = json.loads(path.read_text())
        assert board["uid"] == f"understudy-{path.stem}"
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))
        for panel in board["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24


def test_figures_of_the_database_are_read_once_for_scrapers_that_come_together() -> None:
    asked = []
    registry = CollectorRegistry()
    registry.register(Standing(lambda: asked.append(1) or []))  # type: ignore[func-returns-value]  # counts
    for _ in range(3):
        assert b"understudy_database_up 1.0" in generate_latest(registry)
    assert len(asked) == 1
