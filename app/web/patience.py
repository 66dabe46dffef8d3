"""How long a connection may stay without a complete request: uvicorn itself waits for ever, and counts it."""

import asyncio
from typing import ClassVar, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_Part = Literal["head", "body"]


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which closes a connection that says nothing, or says it too slowly. Between two requests on a
    connection uvicorn's own, shorter limit holds; while one is answered, none."""

    #: Seconds from the connection, or from the first byte of a further request; a proxy needs milliseconds. A body gets
    #: more than intake grants it, which says 408 before.
    patience: ClassVar[dict[_Part, float]] = {"head": 10.0, "body": 20.0}

    _deadline: asyncio.TimerHandle | None = None
    _awaited: tuple[_Part, RequestResponseCycle | None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._await("head")

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._await("head")
        else:
            self._await("body" if self.cycle.more_body else None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None)
        super().connection_lost(exc)

    def _await(self, part: _Part | None) -> None:
        """Of one part there is one deadline; bytes that drip in do not move it."""
        awaited = None if part is None else (part, self.cycle)
        if awaited == self._awaited:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._awaited = awaited
        self._deadline = None if part is None else self.loop.call_later(self.patience[part], self.transport.close)
