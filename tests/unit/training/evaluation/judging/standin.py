"""A stand-in for a hosted judge: real HTTP, the documented headers and body, replies built with the SDK's own types."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from anthropic.types import Message
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

#: The text of a reply, or a status and what to send with it.
Reply = str | tuple[int, dict[str, str]]
_REQUEST = TypeAdapter(MessageCreateParamsNonStreaming)
#: Not of Anthropic's API, but of vLLM's.
_LOCAL_FIELDS = {"temperature"}


@dataclass
class Standin:
    """`answer` sees the request's body. `heard`: every body that came; `keys`: the header that opens the door."""

    answer: Callable[[dict[str, Any]], Reply]
    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def _make_handler(made: Standin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with made.lock:
                made.heard.append(body)
                made.keys.append(self.headers.get("authorization") or "")
            said = self._refusal(body) or made.answer(body)
            if isinstance(said, tuple):
                status, headers = said
                kind = {429: "rate_limit_error", 529: "overloaded_error", 401: "authentication_error"}
                error = {"type": kind.get(status, "api_error"), "message": "no"}
                self._send(status, json.dumps({"type": "error", "error": error}), headers)
            else:
                self._send(200, _message(said).model_dump_json())

        def _refusal(self, body: dict[str, Any]) -> Reply | None:
            if self.path != "/v1/messages":
                return 404, {}
            if re.fullmatch(r"\d{4}-\d\d-\d\d", self.headers.get("anthropic-version") or "") is None:
                return 400, {}
            if set(body) - set(MessageCreateParamsNonStreaming.__annotations__) - _LOCAL_FIELDS:
                return 400, {}
            list(_REQUEST.validate_python(body)["messages"])  # the library validates these when they are read
            return None

        def _send(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
            data = text.encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Silence."""

    return Handler


@contextmanager
def standing_in(answer: Callable[[dict[str, Any]], Reply]) -> Iterator[Standin]:
    made = Standin(answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(made))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _message(text: str) -> Message:
    return Message.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "judge-1-20260101",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 200, "output_tokens": 30},
        }
    )
