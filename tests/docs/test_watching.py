"""docs/watching.md and docs/scaling.md: what they tell to type works, and what they promise is what the code does."""

import base64
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values
from pydantic import SecretStr

from app.github.registering import AppCredentials
from app.setup.choice import parse_choice
from app.setup.storing import store_credentials
from app.store.tables import AdapterPointerRow
from app.watching.tracing import is_asked_for
from app.workflows.engine.health import POLL_SILENCE_SECONDS
from app.workflows.readiness import LEAST_FREE_BYTES
from app.workflows.runs import Role
from app.workflows.standing import CACHED_SECONDS
from app.workflows.watchdog import TIMEOUT_SECONDS
from docs.website.blocks import read_blocks
from tests.infra.manifests import FOLDER, OVERLAYS
from tests.integration.setup.programs import choose

_CHECKOUT = Path(__file__).parents[2]
_WATCHING = (_CHECKOUT / "docs" / "watching.md").read_text(encoding="utf-8")
_SCALING = (_CHECKOUT / "docs" / "scaling.md").read_text(encoding="utf-8")
_COMMANDS = [
    shlex.split(line.strip()) for line in re.findall(r"^ {4,}(\S.*)$", _WATCHING + _SCALING, re.MULTILINE) if line
]

(_CLUSTER,) = (block for block in read_blocks(_SCALING) if "cluster" in block.needs)


def test_the_thresholds_are_those_of_the_code() -> None:
    assert POLL_SILENCE_SECONDS == 180
    assert "looked at within three minutes" in _WATCHING
    assert f"disk has {LEAST_FREE_BYTES // 2**20} MiB left" in _WATCHING
    assert CACHED_SECONDS == 10
    assert "most\nten seconds old" in _WATCHING
    assert f"by its silence after {TIMEOUT_SECONDS:.0f} s" in _SCALING


def test_every_role_is_there() -> None:
    assert re.findall(r"^\| `(\w+)` \|", _SCALING, re.MULTILINE)[1:] == [role.value for role in Role]


def test_every_command_is_of_a_program_that_is_checked_and_names_files_that_there_are() -> None:
    programs = [next(word for word in command if "=" not in word) for command in _COMMANDS]
    # Those of `python -m` are held against the programs' own parsers by test_documents.py.
    assert set(programs) == {"curl", "promtool", "docker", ".venv/bin/python"}
    typed = [*_COMMANDS, *(shlex.split(command) for command in _CLUSTER.commands)]
    named = [word for command in typed for word in command if word.startswith("infra/")]
    assert len(named) >= 8
    assert all((_CHECKOUT / path).exists() for path in named)


def test_the_variable_of_the_collector_turns_traces_on(monkeypatch: pytest.MonkeyPatch) -> None:
    (assignment,) = (word for command in _COMMANDS for word in command if word.startswith("OTEL_"))
    name, value = assignment.split("=", 1)
    monkeypatch.delenv(name, raising=False)
    assert not is_asked_for()
    monkeypatch.setenv(name, value)
    assert is_asked_for()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not is_asked_for()


def _run(program: str, *arguments: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on PATH")
    done = subprocess.run(
        [found, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=_CHECKOUT,
        env=os.environ | {"KUBECONFIG": os.devnull},
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [one for one in _COMMANDS if one[0] == "promtool"], ids=" ".join)
def test_promtool_takes_its_commands(command: list[str]) -> None:
    assert "SUCCESS" in _run(*command)


@pytest.fixture
def installed(tmp_path: Path) -> AppCredentials:
    """What `app setup` leaves in a checkout that also has our manifests."""
    secret = SecretStr("from-the-page-of-the-App")
    made = AppCredentials(
        id=17, slug="b", name="b", html_url="https://github.com/apps/b", pem=SecretStr("the key\n"),
        webhook_secret=secret, client_id="Iv1.x", client_secret=SecretStr("c" * 40),
    )  # fmt: skip
    choice = parse_choice(choose({"where": "github", "public_url": "https://bot.example.org"}))
    store_credentials(tmp_path / "data" / "understudy.env", choice, made)
    (tmp_path / "infra").symlink_to(_CHECKOUT / "infra")
    return made


def test_the_steps_of_the_cluster_make_the_secret_of_what_the_setup_wrote(
    tmp_path: Path, installed: AppCredentials
) -> None:
    """As they are typed, in their order; a cluster is in the place of nobody: the client alone makes the objects."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on PATH")
    namespace, settings, *rest = _CLUSTER.commands
    assert namespace == "kubectl apply -f infra/kubernetes/base/namespace.yaml"
    secret, *after = rest
    assert [command.split()[1] for command in after] == ["kustomize", "apply"], "applied once all is there"
    script = f"set -e\n{settings}\n{secret} --dry-run=client -o yaml"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=os.environ | {"KUBECONFIG": os.devnull}, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = yaml.safe_load(done.stdout)
    assert made["metadata"] == {"name": "understudy", "namespace": "understudy"} | made["metadata"]
    data = {key: base64.b64decode(value).decode() for key, value in made["data"].items()}
    wanted = set(re.findall(r"secretKeyRef: \{name: understudy, key: ([\w.-]+)", _texts())) | {"private-key.pem"}
    assert set(data) == wanted
    assert data["webhook-secrets"] == "from-the-page-of-the-App"
    assert (data["app-id"], data["client-secret"], data["private-key.pem"]) == ("17", "c" * 40, "the key\n")
    assert len(data["operator-token"]) == len(data["metrics-token"]) == 64


def test_what_the_setup_wrote_has_its_place_in_the_secret_or_the_overlay(
    tmp_path: Path, installed: AppCredentials
) -> None:
    written = set(dotenv_values(tmp_path / "data" / "understudy.env"))
    in_secret = set(re.findall(r"\$(UNDERSTUDY_\w+)", _CLUSTER.text))
    for overlay in OVERLAYS:
        text = (FOLDER / "overlays" / overlay / "app.yaml").read_text(encoding="utf-8")
        assert written == in_secret | set(yaml.safe_load(text)["data"])


def _texts() -> str:
    return "".join(path.read_text() for path in sorted((FOLDER / "base").glob("*.yaml")))


def test_the_overlay_that_is_shown_renders() -> None:
    (command,) = (one for one in _CLUSTER.commands if one.startswith("kubectl kustomize "))
    assert "kind: StatefulSet" in _run(*command.split())


def test_adapters_in_use_are_printed_as_the_stacks_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from app.__main__ import cli
    from app.store.database import open_engine, writing
    from app.store.migrate import migrate
    from app.store.tables import AdapterVersionRow

    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    migrate(url)
    database = open_engine(url)
    with writing(database) as session:
        for name in ("7--00000000000a", "7--00000000000b"):
            version = AdapterVersionRow(
                name=name, installation_id=7, snapshot_id="ds1:a", state="promoted", path=f"/data/{name}", manifest={}
            )
            session.add(version)
        session.add(AdapterPointerRow(installation_id=7, adapter_name="7--00000000000b"))
    database.dispose()
    (tmp_path / "key.pem").write_text("never read by this command")
    told = {
        "WEBHOOK_SECRETS": "a secret that is long enough",
        "OPERATOR_TOKEN": "a token that is long enough",
        "APP_ID": "1",
        "PRIVATE_KEY_FILE": str(tmp_path / "key.pem"),
        "DATABASE_URL": url,
    }
    for name, value in told.items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    (command,) = (one for one in _COMMANDS if "lora-adapters" in one)
    done = CliRunner().invoke(cli, command[command.index("lora-adapters") :])
    (printed,) = yaml.safe_load_all(done.output)
    assert (printed["apiVersion"], printed["kind"]) == ("production-stack.vllm.ai/v1alpha1", "LoraAdapter")
    assert printed["metadata"]["name"] == "7--00000000000b"
    assert printed["spec"] == {
        "baseModel": "NAME",
        "adapterSource": {
            "type": "local",
            "adapterName": "7--00000000000b",
            "adapterPath": "/data/7--00000000000b/adapter",
        },
        "loraAdapterDeploymentConfig": {"algorithm": "default"},
    }
