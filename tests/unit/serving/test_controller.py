"""What vLLM holds and what we proved never part, even when vLLM is away in the middle of a proof."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.adapters import AdapterManifest, BaseCheckpoint
from app.domain.errors import Refused, RetryLater
from serving.controller import Controller
from serving.engine import Engine, EngineOptions
from serving.state import DesiredAdapter, StateFolder


class Socket:
    """vLLM's routes on its Unix socket. `away` lists routes whose next call is cut off."""

    def __init__(self) -> None:
        self.adapters: dict[str, str] = {}
        self.away: list[str] = []
        self.loads = 0
        self.load_bodies: list[dict[str, Any]] = []
        self.text_tokens = (7, 8)

    @asynccontextmanager
    async def open(self, path: Path) -> AsyncIterator[None]:
        async with await asyncio.start_unix_server(self._serve, path):
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((int(line.split(":")[1]) for line in head.splitlines() if line.startswith("content-length:")), 0)
        route = head.split()[1]
        if route in self.away:
            self.away.remove(route)
        else:
            content = json.dumps(self._answer(route, json.loads(await reader.readexactly(length) or b"{}"))).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n")
            writer.write(b"content-length: %d\r\n\r\n" % len(content) + content)
            await writer.drain()
        writer.close()

    def _answer(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        match route:
            case "/v1/load_lora_adapter":
                self.loads += 1
                self.load_bodies.append(body)
                self.adapters[body["lora_name"]] = body["lora_path"]
            case "/v1/unload_lora_adapter":
                del self.adapters[body["lora_name"]]
            case "/tokenize":
                return {"tokens": [1, 7, 2] if "messages" in body else list(self.text_tokens)}
            case "/v1/completions":
                mean = -1.0 if body["model"] in self.adapters else -2.0
                scored = [{str(token): {"logprob": mean}} for token in body["prompt"][1:]]
                return {"choices": [{"prompt_logprobs": [None, *scored]}]}
        return {"data": [{"id": name, "root": root} for name, root in {"base": "", **self.adapters}.items()]}


@pytest.mark.parametrize(
    ("away", "left"),
    [
        (["/v1/completions"], False),
        (["/v1/completions", "/v1/unload_lora_adapter"], True),
    ],
)
async def test_an_adapter_whose_proof_was_cut_off_is_proven_anew(
    away: list[str], left: bool, adapter: Path, base: Path, tmp_path: Path
) -> None:
    name = AdapterManifest.model_validate_json((adapter / "manifest.json").read_bytes()).name
    state = StateFolder(tmp_path / "state")
    state.save_desired((DesiredAdapter(name=name, path=str(adapter), asked_at=datetime.now(UTC)),))
    engine = Engine(EngineOptions(base=base), state=state.path)
    checkpoint = BaseCheckpoint.model_validate_json((base / "base.json").read_bytes())
    controller = Controller(engine, state, checkpoint, tolerance=0.1, say=lambda _: None)
    socket = Socket()
    socket.away = away
    try:
        async with socket.open(engine.socket):
            await controller._become_ready()
            assert not controller.ready.is_set()
            assert (name in socket.adapters) is left
            with pytest.raises(RetryLater):
                async with controller.admit(name):
                    pass
            await controller._become_ready()
            assert controller.names() == ["base", name]
            assert socket.loads == 2
            async with controller.admit(name):
                pass
    finally:
        await engine.client.aclose()


@asynccontextmanager
async def _controlling(base: Path, tmp_path: Path, socket: Socket) -> AsyncIterator[Controller]:
    state = StateFolder(tmp_path / "state")
    engine = Engine(EngineOptions(base=base), state=state.path)
    checkpoint = BaseCheckpoint.model_validate_json((base / "base.json").read_bytes())
    controller = Controller(engine, state, checkpoint, tolerance=0.1, say=lambda _: None)
    try:
        async with socket.open(engine.socket):
            await controller._become_ready()
            yield controller
    finally:
        await engine.client.aclose()


async def test_a_server_whose_tokenizer_changed_gets_no_adapter(adapter: Path, base: Path, tmp_path: Path) -> None:
    name = AdapterManifest.model_validate_json((adapter / "manifest.json").read_bytes()).name
    socket = Socket()
    socket.text_tokens = (7, 9)
    async with _controlling(base, tmp_path, socket) as controller:
        with pytest.raises(Refused, match="token 1 was 8 and is 9") as caught:
            await controller.load(name, adapter)
        assert caught.value.reason == "goldens"
        assert controller.names() == ["base"]
        assert socket.adapters == {}


async def test_weights_are_loaded_once_from_a_place_of_their_own(adapter: Path, base: Path, tmp_path: Path) -> None:
    """`load_inplace` would read the disk at every step and keep stale cache entries; it is never sent."""
    name = AdapterManifest.model_validate_json((adapter / "manifest.json").read_bytes()).name
    socket = Socket()
    async with _controlling(base, tmp_path, socket) as controller:
        await controller.load(name, adapter)
    (body,) = socket.load_bodies
    assert body.keys() == {"lora_name", "lora_path"}
    assert Path(body["lora_path"]).is_absolute()
    assert name in Path(body["lora_path"]).parts
