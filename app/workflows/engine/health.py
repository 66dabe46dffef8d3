"""Whether this process can run workflows, part by part. Everything here blocks for a few seconds at most."""

import asyncio

from dbos import _dbos as dbos_internals

from app.workflows.engine.polls import count_lasting, seconds_since_polls
from app.workflows.engine.process import is_running, running

OK = "ok"
#: The engine looks less often, up to every two minutes, where processes are in each other's way.
POLL_SILENCE_SECONDS = 180.0


def check_parts(timeout_seconds: float = 2.0) -> dict[str, str]:
    """`ok`, or what is wrong, of loop, threads, queues, the finder of stranded work and, on PostgreSQL, watchdog.
    Restarting cures all of it."""
    if not is_running():
        return {"engine": "was not booted, or is stopping"}
    late = [queue for queue, seconds in seconds_since_polls().items() if seconds > POLL_SILENCE_SECONDS]
    parts = {
        "loop": OK if _answers(timeout_seconds) else "does not answer",
        "threads": OK if count_lasting() == 2 else "a thread of the job engine ended",
        "stranded": OK if running().stranded.is_alive() else "ended",
        "queues": f"not looked at for {POLL_SILENCE_SECONDS:.0f} s: {', '.join(late)}" if late else OK,
    }
    watchdog = running().watchdog
    return parts if watchdog is None else parts | {"watchdog": OK if watchdog.is_alive() else "ended"}


def is_alive(timeout_seconds: float = 2.0) -> bool:
    """Whether all of `check_parts` is well."""
    return set(check_parts(timeout_seconds).values()) == {OK}


def _answers(timeout_seconds: float) -> bool:
    loop = dbos_internals._get_dbos_instance()._background_event_loop.target_loop()
    if loop is None:
        return False
    answer = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop)
    try:
        answer.result(timeout_seconds)
    except TimeoutError:
        return False
    return True
