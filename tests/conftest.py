"""Fixtures that more than one folder of tests uses, and the order in which files are dealt to workers."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres", "tests.serving_fixture"]

# How fast a machine makes up inputs says nothing about the code: two cores may be busy with a model server.
settings.register_profile("understudy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("understudy")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker is left with a long one when the other has nothing more to do.

    A file stays with one worker, and so do all that ask the model server, which takes most of a minute to start.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    asking = {item.path for item in items if "serving" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in slow)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_name_group(item.path, asking)))


def _name_group(path: Path, asking: set[Path]) -> str:
    return "model-server" if path in asking else path.relative_to(Path(__file__).parent).as_posix()
