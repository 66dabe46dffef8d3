"""Stories and their repositories, made once for all tests of this folder."""

from pathlib import Path

import pytest

from app.rehearsal.organisation.git import BuiltRepository, build_repositories
from app.rehearsal.organisation.records import Story
from app.rehearsal.organisation.story import write_story

SEED = 7


@pytest.fixture(scope="session")
def story() -> Story:
    return write_story(SEED)


@pytest.fixture(scope="session")
def noisy() -> Story:
    return write_story(SEED, noise=True)


@pytest.fixture(scope="session")
def built(story: Story, tmp_path_factory: pytest.TempPathFactory) -> dict[str, BuiltRepository]:
    root: Path = tmp_path_factory.mktemp("story")
    return build_repositories(story, root)
