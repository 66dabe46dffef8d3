"""Where the service listens: the address is taken before any work begins, and requests are let in after the boot."""

import gc
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from fastapi import FastAPI

from app.domain.errors import UserError
from app.web.patience import PatientProtocol

#: Python's own is 5 ms, and each of a transaction's statements waits for so long while the loop has work, and the other
#: way round: with 1 ms about a sixth more deliveries were taken in (docs/experiments.md).
_SWITCH_SECONDS = 0.001

#: Objects more than before, until the youngest are collected; of those collections, until older ones are.
_COLLECT = (10_000, 20, 10)


def reserve_address(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet: until it does, a caller is refused rather than kept waiting.

    Raises:
        UserError: when somebody else has the address, or the machine has no such host.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reserved = socket.socket(family, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reserved.bind((host, port))
    except OSError as error:
        reserved.close()
        raise UserError(
            f"expected to listen on {host} port {port}, got {error.strerror!r}; choose another UNDERSTUDY_PORT or "
            "UNDERSTUDY_HOST"
        ) from error
    return reserved


def answer(app: FastAPI, address: socket.socket, *, connections: int) -> bool:
    """Serve until SIGTERM or SIGINT, so many connections at once. False when the server never came up; its log says
    why. Blocking."""
    # No websockets: there is nothing of that kind here, and a connection that becomes one is no longer counted.
    config = uvicorn.Config(
        app, http=PatientProtocol, ws="none", access_log=False, limit_concurrency=connections, log_config=None
    )
    tune_interpreter()
    server = uvicorn.Server(config)
    with _surviving_sigterm(), suppress(KeyboardInterrupt):  # what uvicorn raises again at its end
        server.run(sockets=[address])
    return server.started


def tune_interpreter() -> None:
    """Once, after the boot and before the first request; for the whole process."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What the boot made stays anyway. Unfrozen, it is walked again by each full collection, which a page of some
    # thousand rows sets off; and Python's own 700 objects are few for such a page (docs/experiments.md).
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


@contextmanager
def _surviving_sigterm() -> Iterator[None]:
    # uvicorn sends itself what it caught once more when it has stopped; by default that would end the process before
    # the job engine leaves in order.
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
