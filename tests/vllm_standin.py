"""vLLM's routes without vLLM, and bases and adapters as folders of files that are hashed, without any weights.

For tests of what is asked of vLLM and when; what vLLM itself does is tested on the real one.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from app.domain.adapters import AdapterManifest, BaseCheckpoint, Probe
from app.domain.goldens import GoldenPrompt, Goldens, GoldenText
from app.domain.prompt import Message
from serving.controller import Controller
from serving.engine import Engine, EngineOptions
from serving.front import create_front
from serving.run import FrontServer, listen
from serving.state import FrontAddress, StateFolder
from tests.serving_fixture import seal

_MODULE = "base_model.model.model.layers.0.self_attn.q_proj"
CONFIG = {
    "peft_type": "LORA",
    "bias": "none",
    "init_lora_weights": True,
    "r": 2,
    "lora_alpha": 4,
    "target_modules": ["q_proj"],
}
#: What the Socket answers to any text and any prompt.
GOLDENS = Goldens(
    texts=(GoldenText(text="a 1", tokens=(7, 8)),),
    prompts=(GoldenPrompt(messages=(Message(role="user", content="x"),), tokens=(1, 7, 2)),),
)


def make_base(folder: Path, weights: str = "model.safetensors") -> Path:
    """The files of a base that are hashed; their content does not matter."""
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "chat_template.jinja"):
        (folder / name).write_text("{}" if name == "config.json" else name)
    (folder / "model.safetensors").write_text(weights)
    stamp_base(folder)
    return folder


def stamp_base(folder: Path) -> None:
    """Write base.json over the files as they are now."""
    weights = hashlib.sha256()
    for name in ("config.json", "model.safetensors"):
        weights.update(f"{name}:{_sha(folder / name)}\n".encode())
    checkpoint = BaseCheckpoint(
        name="b",
        revision="r1",
        weights_hash=weights.hexdigest(),
        tokenizer_hash=_sha(folder / "tokenizer.json"),
        template_hash=_sha(folder / "chat_template.jinja"),
    )
    (folder / "base.json").write_text(checkpoint.model_dump_json())


def make_paper_adapter(
    folder: Path, base: Path, *, installation: str = "7", locator: bytes = b"where"
) -> AdapterManifest:
    """Of another name for another installation or another locator."""
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter/adapter_config.json").write_text(json.dumps(CONFIG))
    (folder / "adapter/adapter_model.safetensors").write_bytes(_safetensors())
    probe = Probe(tokens=(1, 2, 3), completion_tokens=1, adapter_logprob=-1, base_logprob=-2)
    (folder / "probes.json").write_text(json.dumps([probe.model_dump(mode="json")]))
    (folder / "goldens.json").write_text(GOLDENS.model_dump_json())
    (folder / "locator.skops").write_bytes(locator)
    return seal(folder, base, installation=installation)


@asynccontextmanager
async def controlling(
    base: Path, state: Path, socket: "Socket", *, held: int = 4, say: list[str] | None = None
) -> AsyncIterator[Controller]:
    """A real Controller, ready, over the socket."""
    folder = StateFolder(state)
    engine = Engine(EngineOptions(base=base, held=held), state=folder.path)
    checkpoint = BaseCheckpoint.model_validate_json((base / "base.json").read_bytes())
    controller = Controller(engine, folder, checkpoint, tolerance=0.1, say=(say if say is not None else []).append)
    try:
        async with socket.open(engine.socket):
            await controller._become_ready()
            yield controller
    finally:
        await engine.client.aclose()


@dataclass
class Server:
    """A real front and a real Controller on loopback, over a Socket. `stop` ends it as a kill would: without a word."""

    state: Path
    socket: "Socket"
    controller: Controller
    stop: Callable[[], Awaitable[None]]


@asynccontextmanager
async def serving(base: Path, state: Path, *, held: int = 4, socket: "Socket | None" = None) -> AsyncIterator[Server]:
    socket, folder = socket or Socket(), StateFolder(state)
    keys = {"read_key": folder.ensure_key("read"), "control_key": folder.ensure_key("control")}
    async with controlling(base, state, socket, held=held) as controller:
        with listen(0) as listener:
            config = uvicorn.Config(create_front(controller, **keys), log_level="warning", access_log=False)
            server = FrontServer(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            folder.save_address(FrontAddress(url=f"http://127.0.0.1:{listener.getsockname()[1]}", pid=os.getpid()))

            async def stop() -> None:
                server.should_exit = True
                await task
                listener.close()

            try:
                yield Server(folder.path, socket, controller, stop)
            finally:
                await stop()


class Socket:
    """vLLM's routes on its Unix socket. `away` lists routes whose next call is cut off; answers wait for `go_on`."""

    def __init__(self) -> None:
        self.adapters: dict[str, str] = {}
        self.answered: list[str] = []
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
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
            body = json.loads(await reader.readexactly(length) or b"{}")
            if route == "/v1/chat/completions":
                self.answered.append(body["model"])
                self.asked.set()
                await self.go_on.wait()
            content = json.dumps(self._answer(route, body)).encode()
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
            case "/v1/chat/completions":
                said = json.dumps({"comment": f"by {body['model']}"})
                choice = {"message": {"content": said}, "finish_reason": "stop"}
                return {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
            case "/v1/completions":
                mean = -1.0 if body["model"] in self.adapters else -2.0
                scored = [{str(token): {"logprob": mean}} for token in body["prompt"][1:]]
                return {"choices": [{"prompt_logprobs": [None, *scored]}]}
        return {"data": [{"id": name, "root": root} for name, root in {"base": "", **self.adapters}.items()]}


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _safetensors() -> bytes:
    entries = {
        f"{_MODULE}.lora_A.weight": {"dtype": "BF16", "shape": [2, 4], "data_offsets": [0, 16]},
        f"{_MODULE}.lora_B.weight": {"dtype": "BF16", "shape": [4, 2], "data_offsets": [16, 32]},
    }
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + bytes(32)
