"""Places are told in full and refused by name; the templates are such places."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from app.domain.errors import UserError
from app.runners.choosing import make_runner
from app.runners.hosted import HostedRunner
from app.runners.kubernetes import KubernetesRunner
from app.runners.local import LocalRunner
from app.runners.places import HostedPlace, KubernetesPlace, RunnerKind, SkyPilotPlace, load_place
from app.runners.skypilot import SkyPilotRunner

TEMPLATES = Path(__file__).parents[3] / "infra" / "runners"
KINDS: dict[RunnerKind, type[BaseModel]] = {
    RunnerKind.KUBERNETES: KubernetesPlace,
    RunnerKind.SKYPILOT: SkyPilotPlace,
    RunnerKind.HOSTED: HostedPlace,
}


def _choose(kind: RunnerKind, config: Path | None, host: str | None = None) -> object:
    return make_runner(kind, config, data=Path("/data"), agreed_host=host, rows=lambda _: b"")


@pytest.mark.parametrize("kind", KINDS)
def test_each_template_is_a_place(kind: RunnerKind) -> None:
    load_place(TEMPLATES / f"{kind}.yaml", KINDS[kind])
    assert {path.stem for path in TEMPLATES.glob("*.yaml")} == set(KINDS)


def test_settings_choose_the_runner() -> None:
    assert isinstance(_choose(RunnerKind.LOCAL, None), LocalRunner)
    assert isinstance(_choose(RunnerKind.KUBERNETES, TEMPLATES / "kubernetes.yaml"), KubernetesRunner)
    assert isinstance(_choose(RunnerKind.SKYPILOT, TEMPLATES / "skypilot.yaml"), SkyPilotRunner)
    hosted = _choose(RunnerKind.HOSTED, TEMPLATES / "hosted.yaml", "api.together.ai")
    assert isinstance(hosted, HostedRunner)


@pytest.mark.parametrize("host", [None, "", "api.together.ai.example.org", "together.ai"])
def test_nothing_leaves_without_naming_the_host(host: str | None) -> None:
    with pytest.raises(UserError, match=r"expected UNDERSTUDY_HOSTED_HOST=api\.together\.ai"):
        _choose(RunnerKind.HOSTED, TEMPLATES / "hosted.yaml", host)


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_elsewhere_must_be_told(kind: RunnerKind) -> None:
    with pytest.raises(UserError, match=rf"copy infra/runners/{kind}\.yaml"):
        _choose(kind, None)


def test_settings_of_no_use_are_refused() -> None:
    with pytest.raises(UserError, match="reads neither"):
        _choose(RunnerKind.LOCAL, TEMPLATES / "hosted.yaml")
    with pytest.raises(UserError, match="reads neither"):
        _choose(RunnerKind.LOCAL, None, "api.together.ai")


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        (RunnerKind.KUBERNETES, {"gpu": 1}, "gpu: Extra"),
        (RunnerKind.KUBERNETES, {"user": 0}, "user: "),
        (RunnerKind.KUBERNETES, {"claim": None}, "one of claim and host_path"),
        (RunnerKind.KUBERNETES, {"host_path": "/data"}, "one of claim and host_path"),
        (RunnerKind.KUBERNETES, {"memory": "much"}, "memory: "),
        (RunnerKind.SKYPILOT, {"bucket": "my bucket"}, "bucket: "),
        (RunnerKind.SKYPILOT, {"bucket": "s3://a-bucket; rm -rf"}, "bucket: "),
        (RunnerKind.HOSTED, {"url": "http://api.example.org/v1"}, "expected https"),
        (RunnerKind.HOSTED, {"dialect": "other"}, "dialect: "),
    ],
)
def test_wrong_places_are_named(tmp_path: Path, kind: RunnerKind, change: dict[str, Any], said: str) -> None:
    told = yaml.safe_load((TEMPLATES / f"{kind}.yaml").read_text())
    path = tmp_path / "place.yaml"
    path.write_text(yaml.safe_dump({**told, **change}))
    with pytest.raises(UserError, match=said):
        load_place(path, KINDS[kind])


@pytest.mark.parametrize("content", ["", "- a", "a: [", "\x00"])
def test_what_is_no_place_is_no_place(tmp_path: Path, content: str) -> None:
    (tmp_path / "place.yaml").write_text(content)
    with pytest.raises(UserError, match=r"place\.yaml"):
        load_place(tmp_path / "place.yaml", SkyPilotPlace)
