"""Deliveries over kept connections, as fast as they are answered or at a fixed rate."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass

from tests.integration.intake.conftest import SECRETS, a_payload, sign

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Sent:
    """Seconds the whole took, and the milliseconds each delivery waited for its answer, sorted."""

    seconds: float
    milliseconds: tuple[float, ...]

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        return self.milliseconds[min(len(self.milliseconds) - 1, int(len(self.milliseconds) * share))]


def make_requests(count: int, *, body_bytes: int) -> list[bytes]:
    """Whole HTTP requests, each a delivery of its own, made before the clock runs. GitHub's bodies are 10 to 30 KB."""
    requests = []
    for number in range(count):
        payload = a_payload(number=number + 1)
        payload["pull_request"]["body"] = "x" * max(0, body_bytes - len(json.dumps(payload)))
        body = json.dumps(payload).encode()
        headers = sign(body, SECRETS[0]) | {
            "host": "127.0.0.1",
            "user-agent": "GitHub-Hookshot/0000000",
            "x-github-event": "pull_request",
            "x-github-delivery": str(uuid.uuid4()),
            "content-length": str(len(body)),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        requests.append(f"POST /webhooks HTTP/1.1\r\n{head}\r\n".encode() + body)
    return requests


async def send_closed(port: int, requests: list[bytes], *, senders: int) -> Sent:
    """Each sender sends its next delivery when the last one is answered."""
    left = iter(requests)
    taken: list[float] = []

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            taken.append(await _exchange(reader, writer, request))
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(sender() for _ in range(senders)))
    return Sent(time.monotonic() - began, tuple(sorted(taken)))


async def send_paced(port: int, requests: list[bytes], *, per_second: float) -> Sent:
    """One delivery every so often, whether the one before was answered or not; waiting counts from when it was due."""
    free: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
    taken: list[float] = []

    async def one(request: bytes, due: float) -> None:
        pair = _take_open(free) or await asyncio.open_connection("127.0.0.1", port)
        await _exchange(*pair, request)
        taken.append((time.monotonic() - due) * 1000)
        free.put_nowait(pair)

    began = time.monotonic()
    tasks = []
    for index, request in enumerate(requests):
        due = began + index / per_second
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*tasks)
    seconds = time.monotonic() - began
    while not free.empty():
        free.get_nowait()[1].close()
    return Sent(seconds, tuple(sorted(taken)))


def _take_open(free: asyncio.LifoQueue[_Connection]) -> _Connection | None:
    """One that the server has not closed for being idle."""
    while not free.empty():
        if not (pair := free.get_nowait())[0].at_eof():
            return pair
    return None


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> float:
    """Milliseconds until the whole answer was there.

    Raises:
        RuntimeError: for any answer but a 2xx.
    """
    began = time.monotonic()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode("latin-1").lower().split("\r\n")[1:] if ": " in line)
    if fields.get("transfer-encoding") == "chunked":
        while (size := int((await reader.readline()).strip(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(fields.get("content-length", "0")))
    if not head.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"expected an acknowledgement, got {head.splitlines()[0].decode()}")
    return (time.monotonic() - began) * 1000
