"""docs/operating.md names every setting with its default, every operator route and the thresholds in force."""

import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic_core import PydanticUndefined

from app.settings import Settings
from app.web.operator import Operations, operator_router
from app.workflows.retraining import LEAST_COMMENTS, LEAST_NEW

TEXT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


def _default(value: Any) -> str:
    return "" if value in (PydanticUndefined, None, ()) else str(value)


def test_every_setting_is_there_with_its_default() -> None:
    told = re.findall(r"^\| `UNDERSTUDY_(\w+)` \| (?:`([^`]*)`)? ?\|", TEXT, re.MULTILINE)
    real = [(name.upper(), _default(field.default)) for name, field in Settings.model_fields.items()]
    assert sorted(told) == sorted(real)


def test_every_operator_route_is_there() -> None:
    told = re.findall(r"^\| `(GET|POST) (/operator\S+)` \|", TEXT, re.MULTILINE)
    assert sorted(told) == sorted(_routes(operator_router(Operations(*[lambda *_: None] * _FIELDS), "token")))  # type: ignore[arg-type]  # nothing is called


_FIELDS = len(Operations.__dataclass_fields__)


def _routes(router: APIRouter) -> list[tuple[str, str]]:
    return [
        (method, route.path.replace(":path}", "}"))  # type: ignore[attr-defined]  # every one is an APIRoute
        for route in router.routes
        for method in route.methods  # type: ignore[attr-defined]
    ]


def test_the_thresholds_are_those_of_the_code() -> None:
    assert f"at least {LEAST_COMMENTS} approved comments, {LEAST_NEW} of them new" in TEXT
