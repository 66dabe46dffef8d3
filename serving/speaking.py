"""What the serving program says: to a person as sentences, to a collector of logs as lines of JSON."""

import logging
import os
from collections.abc import Callable

from app.domain.errors import UserError
from app.domain.log_lines import LOG_FORMAT, LogFormat, set_up_logging

_log = logging.getLogger("serving")


def make_say() -> Callable[[str], None]:
    """Sets this process's logging up, too. Only the first line is said: what follows is the end of vLLM's log, which
    stays in its file.

    Raises:
        UserError: for a format that there is not.
    """
    given = os.environ.get(LOG_FORMAT) or LogFormat.TEXT.value
    if given not in set(LogFormat):
        raise UserError(f"expected {LOG_FORMAT} to be {' or '.join(LogFormat)}, got {given}")
    kind = LogFormat(given)
    set_up_logging(kind)

    def say(text: str) -> None:
        first = text.splitlines()[0] if text else ""
        if kind is LogFormat.JSON:
            _log.info("%s", first)
        else:
            print(first, flush=True)  # noqa: T201 - a person reads it

    return say
