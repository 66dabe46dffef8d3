"""A taken port is told before the database is touched."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.errors import UserError
from app.web.listening import reserve_address
from tests.integration.intake.conftest import SECRETS, TOKEN, settings_for

CHECKOUT = Path(__file__).parents[3]


def test_a_taken_port_ends_the_program_with_a_sentence(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path}/u.db", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        environment = os.environ | {
            "UNDERSTUDY_WEBHOOK_SECRETS": SECRETS[0],
            "UNDERSTUDY_OPERATOR_TOKEN": TOKEN,
            "UNDERSTUDY_APP_ID": "1",
            "UNDERSTUDY_PRIVATE_KEY_FILE": str(settings.private_key_file),
            "UNDERSTUDY_DATABASE_URL": settings.database_url,
            "UNDERSTUDY_DATA": str(settings.data),
            "UNDERSTUDY_PORT": port,
        }
        command = [sys.executable, "-m", "app", "serve"]
        done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert f"expected to listen on 127.0.0.1 port {port}" in done.stderr
    assert "choose another UNDERSTUDY_PORT" in done.stderr
    assert not (tmp_path / "u.db").exists()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "::zz"])
def test_a_host_that_is_not_this_machine_is_named(host: str) -> None:
    with pytest.raises(UserError, match=f"expected to listen on {host} port 0"):
        reserve_address(host, 0)


def test_the_interpreter_is_tuned_for_threads_and_long_lives_before_the_first_request(tmp_path: Path) -> None:
    """Removed, intake loses a sixth and a cold overview takes twice as long; nothing else would tell."""
    program = tmp_path / "program.py"
    program.write_text(
        "import gc, os, signal, sys\n"
        "from fastapi import FastAPI\n"
        "from app.web.listening import answer, reserve_address\n"
        "async def tell(app):\n"
        "    print(gc.get_freeze_count() > 0, gc.get_threshold()[0], sys.getswitchinterval())\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    yield\n"
        "with reserve_address('127.0.0.1', 0) as address:\n"
        "    answer(FastAPI(lifespan=tell), address, connections=9)\n"
    )
    command = [sys.executable, str(program)]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True 10000 0.001\n", done.stderr
