"""The service: webhook intake, health, an operator's view, and durable workflows, in one process."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from app.dataset.sending import render_sent_rows
from app.domain.errors import UserError, spoken_place
from app.domain.tenants import Hosts, split_tenant
from app.github.client import GitHubClient
from app.hosts import GitHubHost, load_hosts
from app.inference.embeddings import EmbeddingPlace, make_embedder
from app.intake.routes import Intake, intake_route
from app.intake.signatures import Sender
from app.runners.choosing import make_runner
from app.settings import Settings
from app.web.operator import Operations, operator_router
from app.workflows import (
    backfilling,
    commanding,
    curating,
    deliveries,
    dispatching,
    engine,
    erasing,
    erasure_requests,
    feedback,
    harvesting,
    history,
    indexing,
    learning,
    operating,
    policing,
    retraining,
    reviewing,
    sweeping,
    telling,
    upholding,
    upkeep,
)
from app.workflows.context import Services, install
from app.workflows.operating import check_renumbered
from app.workflows.runs import Queue
from app.workflows.triggers import parse_schedules

#: Importing them declares their workflows, which must be done before the engine boots.
WORKFLOWS = (
    backfilling,
    commanding,
    curating,
    deliveries,
    erasing,
    feedback,
    harvesting,
    history,
    indexing,
    learning,
    policing,
    retraining,
    reviewing,
    sweeping,
    upholding,
    upkeep,
)
_READY_SECONDS = 3.0


def create_app(settings: Settings, *, booted: bool = False) -> FastAPI:
    """The ASGI application. It boots when it starts and shuts down when it ends, unless `booted` says that its caller
    called `boot` and will call `shutdown`."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if booted:
            yield
            return
        # In a thread: without a running loop around it the engine makes one of its own, which webhooks cannot delay.
        await asyncio.to_thread(boot, settings)
        try:
            yield
        finally:
            await asyncio.to_thread(shutdown)

    app = FastAPI(title="Understudy", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    intake = Intake(
        senders=tuple(Sender(one.host, one.webhook_secrets) for one in load_hosts(settings)),
        body_limit_bytes=settings.body_limit_bytes,
        database=engine.database,
        stored=dispatching.nudge,
    )
    app.router.routes.append(intake_route(intake))
    operations = Operations(
        status=operating.read_status,
        train=operating.start_training,
        backfill=backfilling.start_backfill,
        preview_erasure=erasure_requests.preview_erasure,
        erase=erasure_requests.start_erasure,
        feedback=telling.read_feedback,
        roll_back=operating.roll_back,
        retry=engine.retry,
        cancel=engine.cancel,
    )
    app.include_router(operator_router(operations, settings.operator_token.get_secret_value()))
    app.add_api_route("/healthz", _health)
    app.add_api_route("/readyz", _readiness)
    return app


def boot(settings: Settings, *, scheduled: bool = True) -> sa.Engine:
    """Migrate, start the engine and install the services of this process. Blocking: call it from a thread. `scheduled`
    as for the engine.

    Raises:
        UserError: saying what to change.
    """
    hosts = load_hosts(settings)
    clients = _Clients(settings, hosts)
    queues = _parse_queues(settings.queues)
    with spoken_place(f"UNDERSTUDY_DATA ({settings.data})"):
        settings.data.mkdir(parents=True, exist_ok=True)
    services = functools.partial(
        Services,
        host=settings.github_host,
        app_slug=settings.app_slug,
        data=settings.data.absolute(),
        base=settings.base.absolute(),
        serving=settings.serving[0].absolute(),
        replicas=tuple(folder.absolute() for folder in settings.serving[1:]),
        training_config=settings.training_config,
        gate_policy=settings.gate_policy,
        judge=settings.judge,
        retention_days=settings.retention_days,
        records_days=settings.records_days,
        github=clients,
        further_hosts=tuple(one.host for one in hosts[1:]),
        runner=make_runner(
            settings.runner,
            settings.runner_config,
            data=settings.data.absolute(),
            agreed_host=settings.hosted_host,
            rows=render_sent_rows,
            judged=settings.judge is not None,
        ),
        schedules=parse_schedules(settings.schedules),
        embedder=make_embedder(
            EmbeddingPlace(
                settings.embedding, settings.embedding_model, settings.embedding_key_file, settings.embedding_host
            )
        ),
    )

    def prepare(database: sa.Engine) -> None:
        check_renumbered(database, tuple(one.host for one in hosts[1:]))
        install(services(database=database))

    database = engine.boot(
        settings.database_url,
        prepare=prepare,
        queues=queues,
        polling_seconds=settings.polling_seconds,
        scheduled=scheduled,
    )
    if queues is None or Queue.INTAKE in queues:
        dispatching.start(settings.polling_seconds)
    return database


def shutdown() -> None:
    """Stop in order; what runs goes on at the next boot. Blocking."""
    dispatching.stop()
    engine.shutdown()
    install(None)


def _parse_queues(names: tuple[str, ...]) -> tuple[Queue, ...] | None:
    try:
        return tuple(Queue(name) for name in names) or None
    except ValueError:
        raise UserError(
            f"expected UNDERSTUDY_QUEUES to name some of {', '.join(Queue)}, got {', '.join(names)}"
        ) from None


class _Clients:
    """One client per tenant, so that its token and its pause between writes are shared within it and with no other."""

    def __init__(self, settings: Settings, hosts: tuple[GitHubHost, ...]) -> None:
        self._settings = settings
        self._known = Hosts(one.host for one in hosts)
        self._hosts = {one.host.number: (one, one.read_private_key()) for one in hosts}
        self._clients: dict[int, GitHubClient] = {}
        self._lock = threading.Lock()

    def __call__(self, tenant_id: int) -> GitHubClient:
        with self._lock:
            if tenant_id not in self._clients:
                self._clients[tenant_id] = self._connect(tenant_id)
            return self._clients[tenant_id]

    def _connect(self, tenant_id: int) -> GitHubClient:
        host, private_key = self._hosts[self._known.of(tenant_id).number]
        return GitHubClient(
            api_url=host.api_url,
            git_url=host.git_url,
            ca_file=host.ca_file,
            app_id=host.app_id,
            private_key_pem=private_key,
            installation_id=split_tenant(tenant_id).installation_id,
            write_pause_seconds=self._settings.write_pause_seconds,
            writes_per_hour=self._settings.writes_per_hour,
        )


async def _health() -> JSONResponse:
    """Alive: the event loop answers and the job engine's threads run. A 503 means: restart this process."""
    alive = await asyncio.to_thread(engine.is_alive) and dispatching.is_alive()
    return JSONResponse({"status": "ok" if alive else "the job engine does not run"}, 200 if alive else 503)


async def _readiness() -> JSONResponse:
    """Ready: a delivery would be stored now. A 503 means: send nothing here, but let it live."""
    try:
        ready = await asyncio.wait_for(asyncio.to_thread(operating.is_ready), _READY_SECONDS)
    except TimeoutError:
        ready = False
    return JSONResponse({"status": "ok" if ready else "the database takes no writes"}, 200 if ready else 503)
