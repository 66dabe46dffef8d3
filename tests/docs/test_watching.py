"""docs/watching.md and docs/scaling.md: what they tell to type works, and what they promise is what the code does."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from app.store.tables import AdapterPointerRow
from app.watching.tracing import is_asked_for
from app.workflows.engine.health import POLL_SILENCE_SECONDS
from app.workflows.readiness import LEAST_FREE_BYTES
from app.workflows.runs import Role
from app.workflows.standing import CACHED_SECONDS
from app.workflows.watchdog import TIMEOUT_SECONDS
from tests.infra.manifests import FOLDER

_CHECKOUT = Path(__file__).parents[2]
_WATCHING = (_CHECKOUT / "docs" / "watching.md").read_text(encoding="utf-8")
_SCALING = (_CHECKOUT / "docs" / "scaling.md").read_text(encoding="utf-8")
_COMMANDS = [
    shlex.split(line.strip()) for line in re.findall(r"^ {4,}(\S.*)$", _WATCHING + _SCALING, re.MULTILINE) if line
]


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
    assert set(programs) == {"curl", "promtool", "docker", "kubectl", ".venv/bin/python"}
    named = [word for command in _COMMANDS for word in command if word.startswith("infra/")]
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


def test_the_secret_has_every_key_that_pods_ask_for(tmp_path: Path) -> None:
    (command,) = (one for one in _COMMANDS if one[:3] == ["kubectl", "create", "secret"])
    (tmp_path / "key").write_text("key")
    asked = [word.replace("=KEY", f"={tmp_path / 'key'}") for word in command]
    made = yaml.safe_load(_run(*asked, "--dry-run=client", "-o", "yaml"))
    wanted = set(re.findall(r"secretKeyRef: \{name: understudy, key: ([\w.-]+)\}", _texts())) | {"private-key.pem"}
    assert set(made["data"]) == wanted
    assert made["metadata"] == {"name": "understudy", "namespace": "understudy"} | made["metadata"]


def _texts() -> str:
    return "".join(path.read_text() for path in sorted((FOLDER / "base").glob("*.yaml")))


def test_the_overlay_that_is_shown_renders() -> None:
    (command,) = (one for one in _COMMANDS if one[:2] == ["kubectl", "kustomize"])
    assert "kind: StatefulSet" in _run(*command)


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
