"""What the journal keeps of a step: JSON results, and our errors in a form that a replay raises again as themselves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.domain.errors import Refused, RetryLater, UnderstudyError, UserError

#: RetryLater that names no long wait is waited for in growing steps up to this.
_LONGEST_BACKOFF_SECONDS = 60.0


def portable(value: object) -> object:
    """The value as a replay will see it: tuples are lists, keys are strings.

    Raises:
        TypeError: for what is no JSON. Save it in a table and return its id.
    """
    copy: object = json.loads(json.dumps(value, allow_nan=False))
    return copy


def decide_wait(asked_seconds: float, attempt: int) -> float:
    """How long to wait before the next attempt: at least as long as asked, at least 2^attempt seconds up to a minute.

    `attempt` counts from 0.
    """
    return max(asked_seconds, min(2.0**attempt, _LONGEST_BACKOFF_SECONDS))


@contextmanager
def carrying_errors() -> Iterator[None]:
    """Attach to our own errors what `revealing_errors` needs: the engine stores name, message and `data`."""
    try:
        yield
    except UnderstudyError as error:
        error.__dict__["data"] = _describe(error)
        raise


def _describe(error: UnderstudyError) -> dict[str, Any]:
    match error:
        case Refused():
            return {"understudy": "refused", "reason": error.reason}
        case RetryLater():
            return {"understudy": "retry_later", "after_seconds": error.after_seconds}
        case _:
            return {"understudy": "user_error"}


def is_transient(error: object) -> bool:
    """Whether a workflow failed of something that passes: its steps were told to try later until they might no more."""
    return isinstance(_restore(getattr(error, "data", None), ""), RetryLater)


@contextmanager
def revealing_errors() -> Iterator[None]:
    """Raise a replayed error of ours as itself; every other error passes as it is."""
    try:
        yield
    except UnderstudyError:
        raise
    except Exception as error:
        known = _restore(getattr(error, "data", None), str(error))
        if known is None:
            raise
        raise known from None


def _restore(data: Any, message: str) -> UnderstudyError | None:  # noqa: ANN401 - whatever the journal holds
    if not isinstance(data, dict):
        return None
    match data.get("understudy"):
        case "refused":
            return Refused(str(data.get("reason")), message)
        case "retry_later":
            return RetryLater(message, float(data.get("after_seconds", 0)))
        case "user_error":
            return UserError(message)
        case _:
            return None
