"""`serving run`: front and vLLM as one program that starts, stops and fails together."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from app.domain.errors import UserError
from serving.controller import Controller
from serving.engine import Engine, EngineOptions
from serving.folder import read_base, read_precision
from serving.front import create_front
from serving.leash import end_leftovers
from serving.probe import TOLERANCES
from serving.state import FrontAddress, StateFolder


@dataclass(frozen=True)
class Place:
    """Where the front listens. `url` is what the service is told; without one the address itself."""

    host: str = "127.0.0.1"
    port: int = 0
    url: str | None = None


async def run(
    options: EngineOptions,
    *,
    state_path: Path,
    place: Place,
    say: Callable[[str], None],
    metrics_token: str | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. STATE/front.json says where, from the moment everything desired is served.

    Raises:
        UserError: when the base is no base, the state folder is in use, the port is taken or vLLM does not start.
    """
    state = StateFolder(state_path)
    with state.locked(), listen(place.port, place.host) as listener:
        state.clear_address()
        for pid in end_leftovers(str(state.path)):
            say(f"ended process {pid}, left by an earlier run that was killed")
        base = read_base(options.base)
        engine = Engine(options, state=state.path)
        tolerance = TOLERANCES.get(read_precision(options.base), TOLERANCES["bfloat16"])
        controller = Controller(engine, state, base, tolerance=tolerance, say=say)
        keys = {"read_key": state.ensure_key("read"), "control_key": state.ensure_key("control")}
        front = create_front(controller, **keys, metrics_token=metrics_token)
        server = FrontServer(uvicorn.Config(front, log_level="warning", access_log=False, log_config=None))
        url = place.url or f"http://{place.host}:{listener.getsockname()[1]}"
        try:
            await _serve_all(server, controller, listener, lambda: _announce(state, url, controller, say))
        finally:
            state.clear_address()
            await engine.close()


class FrontServer(uvicorn.Server):
    """uvicorn raises a caught signal again at its end, which would skip our own clean-up; so it catches none."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve_all(
    server: FrontServer, controller: Controller, listener: socket.socket, announce: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    supervising = asyncio.create_task(controller.supervise())
    announcing = asyncio.create_task(_after(controller.ready, announce))
    try:
        done, _ = await asyncio.wait({serving, supervising}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        announcing.cancel()
        supervising.cancel()
        server.should_exit = True
        await asyncio.gather(serving, supervising, announcing, return_exceptions=True)


async def _after(event: asyncio.Event, act: Callable[[], None]) -> None:
    await event.wait()
    act()


def _announce(state: StateFolder, url: str, controller: Controller, say: Callable[[str], None]) -> None:
    state.save_address(FrontAddress(url=url, pid=os.getpid()))
    say(f"serving at {url} ({', '.join(controller.names())}); vLLM started in {controller.engine.ready_seconds:.0f} s")


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UserError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from error
    return listener
