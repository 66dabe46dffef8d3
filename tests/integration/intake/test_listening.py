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
