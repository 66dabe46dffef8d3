"""Whether this process lives, and whether work would be stored now, part by part."""

import shutil
import time

import sqlalchemy as sa

from app.domain.errors import RetryLater, UserError
from app.inference.replicas import survey
from app.store.database import writing
from app.store.executors import save_progress
from app.workflows import dispatching, engine
from app.workflows.context import services

OK = "ok"
#: Under this a database or a mirror may not be able to grow any more.
LEAST_FREE_BYTES = 256 * 1024 * 1024
_MODEL_CACHED_SECONDS = 15.0
_model: list[tuple[float, str]] = []


def check_liveness() -> dict[str, str]:
    """`ok`, or what is wrong, of the job engine's parts and of the dispatcher; restarting cures all of it. Blocking."""
    return engine.check_parts() | {"dispatcher": OK if dispatching.is_alive() else "ended"}


def check_readiness() -> dict[str, str]:
    """`ok`, or what is wrong, of database and disk: a delivery would be stored now. Blocking."""
    return {"database": OK if _takes_writes() else "takes no writes", "disk": _check_disk()}


def _takes_writes() -> bool:
    try:
        with writing(engine.database()) as session:
            save_progress(session, "readiness", {})
    except (sa.exc.SQLAlchemyError, UserError):
        return False
    return True


def _check_disk() -> str:
    try:
        free = shutil.disk_usage(services().data).free
    except (OSError, UserError) as error:
        return f"cannot be measured ({type(error).__name__})"
    return OK if free >= LEAST_FREE_BYTES else f"has {free // 2**20} MiB left, expected {LEAST_FREE_BYTES // 2**20}"


async def describe_model() -> str:
    """`ready`, `starting` or `away`, of the model servers; asked anew every quarter of a minute.

    It makes no process unready: without a model webhooks are taken all the same, and reviews wait.
    """
    if _model and time.monotonic() - _model[0][0] < _MODEL_CACHED_SECONDS:
        return _model[0][1]
    try:
        found = await survey(services().servers, services().serving_hosts)
    except (RetryLater, UserError):
        return "away"
    states = {replica.status.state for replica in found.replicas}
    told = "ready" if "ready" in states else "starting" if states else "away"
    _model[:] = [(time.monotonic(), told)]
    return told
