"""Fixtures of more than one folder of integration tests."""

from collections.abc import Iterator

import pytest

from tests.integration.team import Team, assembled_team


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """One for all tests of a module: each opens pull requests of its own."""
    with assembled_team(tmp_path_factory.mktemp("team")) as made:
        yield made
