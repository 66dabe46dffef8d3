"""All checks in the order in which a person would look: what a broken thing makes unknowable is left out after it."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from app.doctor import app_checks, hook_checks, learning_checks, machine_checks, probing
from app.doctor.app_checks import Asked
from app.doctor.checked import Checked, fail, fine
from app.doctor.host_names import name_host
from app.doctor.salvaging import Salvaged, salvage
from app.domain.errors import Refused, RetryLater, UserError
from app.github.as_app import AppView, fetch_moment
from app.hosts import GitHubHost
from app.settings import Settings, env_file
from app.setup.manifest import load_events
from app.version import read_version


async def examine() -> tuple[Checked, ...]:
    """Everything that can be told of this installation, what is set wrongly first."""
    known = salvage()
    found = [_check_settings(known), machine_checks.check_env_file(probing.probe_file(env_file()))]
    settings = known.settings
    if settings is None:
        return (*found, machine_checks.check_version(read_version(), None, is_running=False))
    found += _examine_machine(settings, known)
    for one in known.hosts:
        found += [name_host(each, one.host, settings.hosts) for each in await _examine_github(one, settings.public_url)]
    if settings.public_url is not None:
        found.append(hook_checks.check_reached(settings.public_url, *probing.ask_public(settings.public_url)))
    found += await _examine_learning(settings, known)
    return tuple(found)


def _check_settings(known: Salvaged) -> Checked:
    if not known.problems:
        return fine("settings", "complete")
    cure = "Run `.venv/bin/python -m app setup`, or set what is named; docs/operating.md lists every setting."
    return fail("settings", "\n".join(known.problems), f"{cure} What they tell of is not examined.")


def _examine_machine(settings: Settings, known: Salvaged) -> Iterator[Checked]:
    folder = probing.probe_file(settings.data.absolute())
    yield machine_checks.check_data_folder(folder, writable=probing.is_writable(settings.data))
    yield machine_checks.check_disk(probing.free_bytes(settings.data), folder.path)
    file = probing.sqlite_file(settings.database_url) if known.knows("database_url") else None
    if file is not None:
        yield machine_checks.check_database_file(probing.probe_file(file), probing.probe_file(file.parent))
        kind = machine_checks.select_file_system(probing.read_mounts(), file)
        yield machine_checks.check_sqlite(probing.sqlite_version(), sys.version_info[:2], kind, str(file))


async def _examine_github(one: GitHubHost, public_url: str | None) -> list[Checked]:
    key = probing.probe_file(one.private_key_file)
    moment = await fetch_moment(one.api_url, ca_file=one.ca_file)
    found = [machine_checks.check_key_file(key), app_checks.check_clock(datetime.now(UTC), moment)]
    if key.mode is None:
        return found
    try:
        pem = one.read_private_key()
    except UserError as error:
        return [*found, machine_checks.refuse_key(str(error))]
    view = AppView(api_url=one.api_url, app_id=one.app_id, private_key_pem=pem, ca_file=one.ca_file)
    asked = await _ask_app(view)
    slug = one.host.app_slug
    found.append(app_checks.check_credentials(asked, app_id=one.app_id, app_slug=slug, api_url=one.api_url))
    if asked.reason is None:
        try:
            found += await _examine_app(view, asked, public_url)
        except (Refused, RetryLater) as error:
            found.append(fail("GitHub", f"stopped answering the App: {error}", "Run the doctor again in a minute."))
    return found


async def _ask_app(view: AppView) -> Asked:
    try:
        return Asked(found=await view.fetch_app())
    except Refused as error:
        return Asked(reason=error.reason, message=str(error))
    except RetryLater as error:
        return Asked(reason="away", message=str(error))


async def _examine_app(view: AppView, asked: Asked, public_url: str | None) -> list[Checked]:
    app, page = asked.found, str(asked.found["html_url"])
    found = [app_checks.check_app_permissions(app, load_events())]
    found += app_checks.check_installations(await view.fetch_installations(), app, page)
    found.append(hook_checks.check_hook_address(await _find_hook(view), public_url))
    found.append(hook_checks.check_deliveries(await view.fetch_newest_deliveries(hook_checks.LOOKED_AT)))
    return found


async def _find_hook(view: AppView) -> str | None:
    try:
        return await view.fetch_hook_address()
    except Refused as error:
        if error.reason == "not_found":
            return None
        raise


async def _examine_learning(settings: Settings, known: Salvaged) -> list[Checked]:
    stored = None
    if known.knows("database_url"):
        hosts = [one.host for one in known.hosts]
        stored = probing.Stored(settings.database_url, hosts, was=settings.github_was)
    found = [] if stored is None else list(_examine_stored(stored))
    if known.knows_service:
        found += _examine_service(settings)
    else:
        found.append(machine_checks.check_version(read_version(), None, is_running=False))
    base = probing.probe_base(settings.base)
    found += [learning_checks.check_base(base), learning_checks.check_accelerator(base, probing.probe_accelerator())]
    adapters = () if stored is None else stored.adapters
    if known.knows("serving"):
        for server in await probing.probe_servers(settings):
            found.append(learning_checks.check_server(server, base, is_needed=bool(adapters)))
    return [*found, *(learning_checks.check_adapter(one, base.stated) for one in adapters)]


def _examine_stored(stored: probing.Stored) -> Iterator[Checked]:
    yield machine_checks.check_database(stored.problem, stored.refused)
    if stored.problem is not None or stored.refused is not None:
        return
    if stored.postgresql is not None:
        yield machine_checks.check_postgresql(stored.postgresql)
    yield learning_checks.check_backlog(stored.waiting, stored.oldest_seconds)
    yield learning_checks.check_onboarding(stored.unproposed)


def _examine_service(settings: Settings) -> Iterator[Checked]:
    service = probing.Service(settings)
    is_ours, is_taken = service.status is not None, service.is_taken
    yield machine_checks.check_port(settings.host, settings.port, is_ours=is_ours, is_taken=is_taken)
    running = None if service.status is None else service.status.get("version")
    yield machine_checks.check_version(read_version(), running, is_running=is_ours)
    yield learning_checks.check_failed(None if service.status is None else service.status["failed"])
