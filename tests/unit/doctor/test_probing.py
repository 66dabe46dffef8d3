"""The probes look at real files, sockets and databases."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.doctor import probing
from app.doctor.checked import Health
from app.doctor.learning_checks import Accelerator
from app.doctor.machine_checks import check_database
from app.domain.errors import UserError
from app.domain.proofs import prove
from app.domain.tenants import Host
from app.own_service import asking_own_service
from app.store.database import open_engine, writing
from app.store.deliveries import save_deliveries, save_installation
from app.store.migrate import migrate
from app.store.rounds import move_pointer
from app.store.tables import DeliveryRow, InstallationRow
from app.web.operator import proof_router
from tests.integration.intake.conftest import TOKEN, running, settings_for


def _write_base(folder: Path) -> None:
    folder.mkdir()
    stated = dict.fromkeys(("name", "revision", "weights_hash", "tokenizer_hash", "template_hash"), "x")
    (folder / "base.json").write_text(json.dumps(stated))
    for name in ("config.json", "tokenizer.json", "chat_template.jinja"):
        (folder / name).write_text("{}")
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 8)


def test_a_base_and_what_may_be_wrong_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    assert probing.probe_base(folder).stated is None
    _write_base(folder)
    assert probing.probe_base(folder).problem is None
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    for broken in (whole[:-1], whole[:4], b"", b"\xff" * 40, struct.pack("<Q", 2) + b"{}"):
        weights.write_bytes(broken)
        assert probing.probe_base(folder).problem == "model.safetensors is cut short"
    weights.unlink()
    assert probing.probe_base(folder).problem == "there are no weights"
    (folder / "tokenizer.json").unlink()
    assert probing.probe_base(folder).problem == "tokenizer.json missing"
    (folder / "base.json").write_text("{")
    assert probing.probe_base(folder).stated is None


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "x.db"
    found = probing.Stored(f"sqlite:///{file}")
    assert (found.is_new, found.problem) == (True, None)
    assert not file.parent.exists()


def test_what_the_database_tells(database_url: str) -> None:
    database = open_engine(database_url)
    with writing(database) as session:
        save_deliveries(session, [DeliveryRow(guid="h:1", event="push", body=b"{}")])
        move_pointer(session, 7, "7--000000000000")
    database.dispose()
    found = probing.Stored(database_url)
    assert found.problem is None
    assert found.waiting == 1
    assert 0 <= found.oldest_seconds < 60
    (adapter,) = found.adapters
    assert (adapter.name, adapter.is_there, adapter.base) == ("7--000000000000", False, None)
    assert (found.postgresql is not None) == database_url.startswith("postgresql")


def test_a_database_that_the_service_would_not_start_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    migrate(url)
    database = open_engine(url)
    with writing(database) as session:
        save_installation(session, InstallationRow(id=11, host="old.example", account="acme"))
    now = [Host(0, "new.example", "understudy")]
    assert probing.Stored(url, now, was="old.example").refused is None
    refused = probing.Stored(url, now).refused
    assert refused is not None
    found = check_database(None, refused)
    assert (found.health, found.name) == (Health.PROBLEM, "database")
    assert "whose installation 11 is still here" in found.told
    assert found.cure.startswith("If it is the same server under a new name, set UNDERSTUDY_GITHUB_WAS=old.example; ")
    with database.begin() as connection:
        connection.exec_driver_sql("update us_schema_version set version_num = 'v9999'")
    database.dispose()
    assert "'v9999' that it does not know" in (probing.Stored(url, now).refused or "")


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is a text and no database at all " * 30)
    assert "not a database" in (probing.Stored(f"sqlite:///{tmp_path / 'x.db'}").problem or "")


def test_a_service_that_runs_and_another_program(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    migrate(url)
    with running(settings_for(url, tmp_path)) as service:
        port = int(service.url.rsplit(":", 1)[1])
        ours = probing.Service(settings_for(url, tmp_path, port=port))
        assert ours.status is not None
        assert ours.status["failed"] == []
        wrong = probing.Service(settings_for(url, tmp_path, port=port, operator_token="another token, as long"))
        assert (wrong.status, wrong.is_taken) == (None, True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nobody = probing.Service(settings_for(url, tmp_path, port=port))
    assert (nobody.status, nobody.is_taken) == (None, False)


class _Impostor(BaseHTTPRequestHandler):
    """Holds the port, answers as the service would, and passes the proof on to the real one, which has another port."""

    protocol_version = "HTTP/1.1"
    relayed_to: ClassVar[str | None] = None
    heard: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.heard.append(f"{self.path} {self.headers}")
        answer: dict[str, Any] = {"proof": "0" * 64, "failed": []}
        if self.relayed_to is not None:
            answer = httpx.get(f"{self.relayed_to}{self.path}", trust_env=False).json()
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_given: object) -> None:
        pass


@contextmanager
def _impostor(relayed_to: str | None) -> Iterator[int]:
    _Impostor.heard.clear()
    _Impostor.relayed_to = relayed_to
    with ThreadingHTTPServer(("127.0.0.1", 0), _Impostor) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(10)


def test_the_token_is_not_sent_to_whoever_has_the_port(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'understudy.db'}"
    migrate(url)
    with running(settings_for(url, tmp_path)) as service:
        for relayed_to in (None, service.url):
            with _impostor(relayed_to) as port:
                settings = settings_for(url, tmp_path, port=port)
                asked = probing.Service(settings)
                with pytest.raises(UserError, match="nothing was sent"), asking_own_service(settings, seconds=5):
                    pytest.fail("it was believed")
            assert (asked.status, asked.is_taken) == (None, True)
            assert len(_Impostor.heard) == 2
            assert not any(TOKEN in one for one in _Impostor.heard)
            assert all(one.startswith("/operator/proof?nonce=") for one in _Impostor.heard)


@pytest.mark.parametrize("nonce", ["", "x", "0" * 31, "0" * 129, "A" * 32])
def test_a_nonce_is_one(nonce: str) -> None:
    app = FastAPI()
    app.include_router(proof_router(TOKEN))
    with TestClient(app) as client:
        assert client.get("/operator/proof", params={"nonce": nonce}).status_code == 422
        right = client.get("/operator/proof", params={"nonce": "0" * 32}).json()
    assert right == {"proof": prove(TOKEN, "0" * 32, 80)}
    assert right["proof"] != prove(TOKEN, "0" * 32, 81)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("NVIDIA L4, 23034\nNVIDIA L4, 23034\n", Accelerator(name="NVIDIA L4", memory=23_034 * 2**20)),
        ("No devices were found", None),
        ("", None),
    ],
)
def test_what_nvidias_tool_says(said: str, found: Accelerator | None) -> None:
    assert probing.parse_accelerator(said) == found


def test_files_and_folders(tmp_path: Path) -> None:
    assert probing.probe_file(tmp_path / "no").mode is None
    (tmp_path / "x").touch(mode=0o640)
    (tmp_path / "x").chmod(0o640)
    assert probing.probe_file(tmp_path / "x").mode == 0o640
    assert probing.is_writable(tmp_path / "not" / "yet")
    assert not probing.is_writable(tmp_path / "x" / "below a file")
    assert probing.free_bytes(tmp_path / "not" / "yet") > 0
