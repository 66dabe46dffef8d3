"""The service: webhook intake, health, an operator's view, and durable workflows, in one process."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import sqlalchemy as sa
from fastapi import FastAPI
from prometheus_client import generate_latest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.choosing import choose
from app.domain.errors import spoken_place
from app.domain.tenants import Hosts, split_tenant
from app.github.client import GitHubClient
from app.github.signing_in import SigningIn
from app.hosts import GitHubHost, load_hosts
from app.intake.routes import Intake, intake_route
from app.intake.signatures import Sender
from app.settings import Settings
from app.watching.metrics import REGISTRY
from app.watching.tracing import end_tracing, set_up_tracing
from app.web.dashboard.backstage import Backstage, Place
from app.web.dashboard.routes import dashboard_router
from app.web.installed import installed_router
from app.web.operator import Operations, operator_router, proof_router
from app.web.watching import Watching, watching_router
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
    onboarding,
    operating,
    overseeing,
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
from app.workflows.readiness import check_liveness, check_readiness, describe_model
from app.workflows.runs import Queue, Role
from app.workflows.standing import Standing, make_registry

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
    onboarding,
    policing,
    retraining,
    reviewing,
    sweeping,
    upholding,
    upkeep,
)


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
    app.add_exception_handler(ClientDisconnect, _hang_up)
    app.include_router(watching_router(_watching(settings)))
    if settings.role.answers:
        _answer(app, settings)
    return app


async def _hang_up(_request: Request, _error: Exception) -> Response:
    """A caller who leaves in the middle of a body hears no answer, and is no error of ours to be logged as one."""
    return Response(status_code=400)


def _watching(settings: Settings) -> Watching:
    standing = make_registry(Standing())
    token = settings.metrics_token
    return Watching(
        alive=check_liveness,
        ready=check_readiness,
        model=describe_model,
        metrics=lambda: generate_latest(REGISTRY) + generate_latest(standing),
        token=None if token is None else token.get_secret_value(),
    )


def _answer(app: FastAPI, settings: Settings) -> None:
    """Webhooks and the operator's calls."""
    intake = Intake(
        senders=tuple(Sender(one.host, one.webhook_secrets) for one in load_hosts(settings)),
        body_limit_bytes=settings.body_limit_bytes,
        unverified_limit_bytes=settings.unverified_limit_bytes,
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
    app.include_router(proof_router(settings.operator_token.get_secret_value()))
    app.include_router(dashboard_router(_backstage(), _place(settings)))
    app.include_router(installed_router(settings.github_git_url))


def _backstage() -> Backstage:
    return Backstage(
        database=engine.database,
        permission=overseeing.fetch_permission,
        policy=overseeing.fetch_policy,
        may_decide=overseeing.may_decide,
        now=overseeing.read_clock,
        rates=telling.measure_feedback,
        rounds=overseeing.list_rounds,
        round=overseeing.load_round,
        failures=overseeing.list_failures,
        waiting=engine.count_waiting_of,
        schedule=overseeing.read_schedule,
        train=operating.start_training,
        cancel=engine.cancel,
        retry=engine.retry,
        restore=operating.roll_back,
        preview_erasure=lambda kind, name, within: erasure_requests.preview_erasure(kind, name, within=within),
        erase=lambda kind, name, within: erasure_requests.start_erasure(kind, name, within=within),
    )


def _place(settings: Settings) -> Place:
    signing_in = None
    if settings.client_id is not None and settings.client_secret is not None:
        signing_in = SigningIn(
            api_url=settings.github_api_url,
            git_url=settings.github_git_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
        )
    return Place(
        github=settings.github_git_url.rstrip("/"),
        operator_token=settings.operator_token.get_secret_value(),
        public_url=settings.public_url,
        signing_in=signing_in,
    )


def boot(settings: Settings, *, scheduled: bool = True, queues: tuple[Queue, ...] | None = None) -> sa.Engine:
    """Migrate, start the engine and install the services of this process. Blocking: call it from a thread. `scheduled`
    as for the engine.

    Args:
        queues: those to work on in the stead of the role's, for who wants to see what waits.

    Raises:
        UserError: saying what to change.
    """
    hosts = load_hosts(settings)
    clients = _Clients(settings, hosts)
    set_up_tracing(settings.role.value)
    with spoken_place(f"UNDERSTUDY_DATA ({settings.data})"):
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_services = _services(settings, hosts, clients)

    def prepare(database: sa.Engine) -> None:
        check_renumbered(database, [one.host for one in hosts], settings.github_was)
        install(make_services(database))

    worked_on = settings.role.queues if queues is None else queues
    database = engine.boot(
        settings.database_url,
        prepare=prepare,
        queues=worked_on,
        polling_seconds=settings.polling_seconds,
        scheduled=scheduled and settings.role.keeps_clock,
    )
    if worked_on is None or Queue.INTAKE in worked_on:
        dispatching.start(settings.polling_seconds)
    return database


def _services(
    settings: Settings, hosts: tuple[GitHubHost, ...], clients: "_Clients"
) -> Callable[[sa.Engine], Services]:
    """What is wrong with the settings is said here, before a database is touched."""
    chosen = choose(settings)
    return lambda database: Services(
        database=database,
        host=settings.github_host,
        app_slug=settings.app_slug,
        data=settings.data.absolute(),
        base=settings.base.absolute(),
        serving=settings.serving[0].absolute(),
        replicas=tuple(folder.absolute() for folder in settings.serving[1:]),
        serving_hosts=settings.serving_hosts,
        training_config=settings.training_config,
        gate_policy=settings.gate_policy,
        judge=settings.judge,
        retention_days=settings.retention_days,
        records_days=settings.records_days,
        github=clients,
        further_hosts=tuple(one.host for one in hosts),
        runner=chosen.runner,
        schedules=chosen.schedules,
        embedder=chosen.embedder,
        public_url=settings.public_url,
    )


def shutdown() -> None:
    """Stop in order; what runs goes on at the next boot. Blocking."""
    dispatching.stop()
    engine.shutdown()
    install(None)
    end_tracing()


class _Clients:
    """One client per tenant, so that its token and its pause between writes are shared within it and with no other."""

    def __init__(self, settings: Settings, hosts: tuple[GitHubHost, ...]) -> None:
        self._settings = settings
        self._known = Hosts(one.host for one in hosts)
        self._hosts = {one.host.number: one for one in hosts}
        # A trainer asks no GitHub, and need not have the keys.
        self._keys = {} if settings.role is Role.GPU else {one.host.number: one.read_private_key() for one in hosts}
        self._clients: dict[int, GitHubClient] = {}
        self._lock = threading.Lock()

    def __call__(self, tenant_id: int) -> GitHubClient:
        with self._lock:
            if tenant_id not in self._clients:
                self._clients[tenant_id] = self._connect(tenant_id)
            return self._clients[tenant_id]

    def _connect(self, tenant_id: int) -> GitHubClient:
        host = self._hosts[self._known.of(tenant_id).number]
        return GitHubClient(
            api_url=host.api_url,
            git_url=host.git_url,
            ca_file=host.ca_file,
            app_id=host.app_id,
            private_key_pem=self._keys.get(host.host.number) or host.read_private_key(),
            installation_id=split_tenant(tenant_id).installation_id,
            write_pause_seconds=self._settings.write_pause_seconds,
            writes_per_hour=self._settings.writes_per_hour,
        )
