"""Fixtures that more than one folder of tests uses, and the order in which files are dealt to workers."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.postgres", "tests.serving_fixture"]

# How fast a machine makes up inputs says nothing about the code: two cores may be busy with a model server.
settings.register_profile("understudy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("understudy")
_ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker is left with a long one when the other has nothing more to do."""
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    items.sort(key=lambda item: item.path not in slow)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _ByFile(config, log)


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """A file stays with one worker, and so do all files that ask the model server: it takes most of a minute to start.

    xdist's own groups (`--dist loadgroup`) have no effect under this pytest: they rename tests, and it does not look.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "model-server" if _asks_the_server(file) else file


@cache
def _asks_the_server(file: str) -> bool:
    """By the fixture's type, which strict typing makes every such test name."""
    return "ServingProcess" in (_ROOT / file).read_text(encoding="utf-8")
