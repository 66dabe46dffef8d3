"""A base and an adapter as folders of files that are hashed, without any weights worth serving."""

from pathlib import Path

import pytest

from tests.vllm_standin import make_base, make_paper_adapter


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_base(tmp_path / "base")


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Path:
    make_paper_adapter(tmp_path / "adapter", base)
    return tmp_path / "adapter"
