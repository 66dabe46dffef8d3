"""Steps that are held, or say what a recording is to say, in place of doing it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from app.workflows import engine

ADAPTER = "recorded--v1"
#: Work is held before these; all before them is in the journal.
HELD = frozenset({"_handle", "publish_summary", "create_pending", "_settle"})
#: Of a round only the journal is recorded, so no training is needed.
CANNED: dict[str, object] = {
    "_take_snapshot": "ds1:recorded",
    "_train": "recorded-run",
    "_register": [ADAPTER, "promote"],
    "_load": None,
    "_confirm": "promote",
}
#: Which of them work has come to.
REACHED: set[str] = set()


def hold_steps() -> None:
    """Steps declared from here on are held, or say what is recorded."""
    step, transaction = engine.step, engine.transaction

    def holding_step(**options: Any) -> Callable[[Callable[..., Coroutine[Any, Any, Any]]], Any]:
        def declare(function: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
            async def run(*args: Any, **kwargs: Any) -> Any:
                if function.__name__ in CANNED:
                    return CANNED[function.__name__]
                if function.__name__ in HELD:
                    REACHED.add(function.__name__)
                    await asyncio.sleep(3_600)
                return await function(*args, **kwargs)

            run.__name__ = run.__qualname__ = function.__name__
            return step(**options)(run)

        return declare

    def holding_transaction(function: Callable[..., Any]) -> Any:
        def run(session: Any, *args: Any, **kwargs: Any) -> Any:
            if function.__name__ in HELD:
                REACHED.add(function.__name__)
                session.rollback()  # holds no lock while it waits
                time.sleep(3_600)
            return function(session, *args, **kwargs)

        run.__name__ = run.__qualname__ = function.__name__
        return transaction(run)

    vars(engine)["step"], vars(engine)["transaction"] = holding_step, holding_transaction
