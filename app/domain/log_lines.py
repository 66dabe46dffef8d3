"""Log lines of all three programs: one line an event, as text or as JSON, and no stranger's text in any.

What is logged is what a program of ours says in constant words, with ids and counts in it. Two things carry other
people's text without anybody meaning it, so neither is ever written: what an exception says (a refused request repeats
what it refused), and what a library says (some format whole values into their messages). Of an exception the line has
type, reason and places; of a library's message its place. What failed work says in words is in `/operator/status`.
"""

import json
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from types import MappingProxyType, TracebackType

from app.domain.errors import Refused, RetryLater

#: The variable that says which; each program reads it for itself.
LOG_FORMAT = "UNDERSTUDY_LOG_FORMAT"
#: uvicorn's messages are constant words and addresses of ours; the requests it serves are in its other logger.
_OURS = ("app", "serving", "training", "uvicorn.error")
#: Longer than any id of ours.
_LONGEST_TEXT = 300
_FRAMES = 12
#: A reason of ours; a server that is asked may give any.
_WORD = re.compile(r"[a-z0-9_]{1,40}")
_NOTHING: Mapping[str, str | int] = MappingProxyType({})
_about: ContextVar[Mapping[str, str | int]] = ContextVar("about", default=_NOTHING)


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


@contextmanager
def about(**facts: str | int | None) -> Iterator[None]:
    """Say on every line within what it is about: ids, under the keys workflow, installation, delivery and trace. Steps
    and threads begun within inherit it. None leaves out."""
    known = {key: value for key, value in facts.items() if value is not None}
    token = _about.set({**_about.get(), **known})
    try:
        yield
    finally:
        _about.reset(token)


def set_up_logging(kind: LogFormat, *, libraries: int = logging.WARNING) -> None:
    """From here on everything this process logs, warns of or dies of is written to standard error as such lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(kind))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(libraries)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    engine = logging.getLogger("dbos")  # it brings a handler of its own where it finds none
    engine.handlers[:], engine.propagate = [handler], False
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_end
    threading.excepthook = _log_thread_end


def _log_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("app").critical("the process ends", exc_info=(kind, error, trace))


def _log_thread_end(ended: threading.ExceptHookArgs) -> None:
    error = ended.exc_value if ended.exc_value is not None else ended.exc_type()
    trace = (ended.exc_type, error, ended.exc_traceback)
    logging.getLogger("app").critical("a thread ended", exc_info=trace)


class LineFormatter(logging.Formatter):
    """One line a record, whatever it holds."""

    def __init__(self, kind: LogFormat) -> None:
        super().__init__()
        self._kind = kind

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": render_message(record),
            **_about.get(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe_error(record.exc_info[1])
            line["at"] = describe_places(record.exc_info[1])
        if self._kind is LogFormat.JSON:
            return json.dumps(line, ensure_ascii=True)
        told = " ".join(str(line.pop(key)) for key in ("time", "level", "logger", "message"))
        return " ".join([told, *(f"{key}={value}" for key, value in line.items())])


def render_message(record: logging.LogRecord) -> str:
    """Our own words with what they are about, or the place where a library spoke."""
    if not any(record.name == name or record.name.startswith(f"{name}.") for name in _OURS):
        return f"a library spoke ({record.module}:{record.lineno})"
    given = record.args
    harmless = {key: _tell(value) for key, value in given.items()} if isinstance(given, Mapping) else None
    arguments = harmless if harmless is not None else tuple(_tell(value) for value in given or ())
    return _one_line(str(record.msg) % arguments if given else str(record.msg))


def _tell(value: object) -> object:
    if isinstance(value, int | float):
        return value
    return describe_error(value) if isinstance(value, BaseException) else _one_line(str(value))


def _one_line(text: str) -> str:
    """Control characters would let a text pass for another line, or for a terminal's command."""
    return "".join(each if each.isprintable() else " " for each in text)[:_LONGEST_TEXT]


def describe_error(error: BaseException) -> str:
    """Types and our own reasons from the outermost to the cause, and no word of what any of them says."""
    told: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(told) < _FRAMES:
        told.append(_describe_one(seen))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return " from ".join(told)


def _describe_one(error: BaseException) -> str:
    match error:
        case Refused():
            return f"Refused({error.reason if _WORD.fullmatch(error.reason) else 'another'})"
        case RetryLater():
            return f"RetryLater({error.after_seconds:g} s)"
        case BaseExceptionGroup():
            return f"{type(error).__name__}({', '.join(map(_describe_one, error.exceptions))})"
        case _:
            return type(error).__name__


def describe_places(error: BaseException) -> str:
    """Where it was raised, innermost first: file, line and function, without the text of the lines."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-_FRAMES:]
    lines = [line for _, line in traceback.walk_tb(error.__traceback__)][-_FRAMES:]
    places = (
        f"{'/'.join(frame.f_code.co_filename.split('/')[-3:])}:{line} {frame.f_code.co_name}"
        for frame, line in zip(frames, lines, strict=True)
    )
    return " < ".join(reversed(list(places)))
