"""The stand-in's world and a receiver of its webhooks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.rehearsal.standin.world import Receiver, World, receiving, small_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made


@pytest.fixture
def receiver(world: World) -> Iterator[Receiver]:
    with receiving() as made:
        world.server.deliver_to(made.url)
        yield made
