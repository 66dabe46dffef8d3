"""docs/operating.md names every setting with its default, every operator route and the thresholds in force."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic_core import PydanticUndefined

from app.runners.hosted_dialects import OPENAI_LAST_DAY
from app.runners.places import KubernetesPlace, RunnerKind, load_place
from app.settings import Settings
from app.web.operator import Operations, operator_router
from app.workflows.triggers import LEAST_COMMENTS, LEAST_DRIFTED, LEAST_NEW, Trigger, parse_schedules

TEXT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


def _default(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value in (PydanticUndefined, None) else str(value)


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
    assert f"of at least {LEAST_DRIFTED} newly approved comments" in TEXT
    assert f"no new jobs after {OPENAI_LAST_DAY}" in TEXT


def test_every_runner_and_every_reason_is_there() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    assert {*RunnerKind, *Trigger} <= rows


def test_the_schedule_shown_is_one() -> None:
    shown = re.search(r"such as `(7=[^`]+)`", TEXT)
    assert shown is not None
    assert parse_schedules(shown[1].split(";")) == {7: "0 3 * * 0", 9: "30 4 1,15 * *"}


def test_the_command_that_copies_a_place_gives_one(tmp_path: Path) -> None:
    line = next(line.strip() for line in TEXT.splitlines() if line.startswith("    cp infra/runners"))
    *copy, target = shlex.split(line)
    subprocess.run([*copy, str(tmp_path / target)], check=True, cwd=Path(__file__).parents[2])
    load_place(tmp_path / target, KubernetesPlace)
