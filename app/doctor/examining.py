"""All checks in the order in which a person would look: what a broken thing makes unknowable is left out after it."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from app.doctor import app_checks, hook_checks, learning_checks, machine_checks, probing
from app.doctor.app_checks import Asked
from app.doctor.checked import Checked, fail, fine
from app.domain.errors import Refused, RetryLater, UserError
from app.github.as_app import AppView, fetch_moment
from app.hosts import load_hosts
from app.settings import Settings, env_file, load_settings
from app.setup.manifest import load_events


async def examine() -> tuple[Checked, ...]:
    """Everything that can be told of this installation."""
    try:
        settings = load_settings()
        pem = settings.read_private_key()
        load_hosts(settings)
        probing.sqlite_file(settings.database_url)
    except UserError as error:
        cure = "Run `python -m app setup`, or set what is named; docs/operating.md lists every setting."
        return (fail("settings", str(error), cure), machine_checks.check_env_file(probing.probe_file(env_file())))
    found = [fine("settings", "complete"), *_examine_machine(settings)]
    found += await _examine_github(settings, pem)
    found += await _examine_learning(settings)
    return tuple(found)


def _examine_machine(settings: Settings) -> Iterator[Checked]:
    yield machine_checks.check_env_file(probing.probe_file(env_file()))
    yield machine_checks.check_key_file(probing.probe_file(settings.private_key_file))
    folder = probing.probe_file(settings.data.absolute())
    yield machine_checks.check_data_folder(folder, writable=probing.is_writable(settings.data))
    yield machine_checks.check_disk(probing.free_bytes(settings.data), folder.path)
    file = probing.sqlite_file(settings.database_url)
    if file is not None:
        yield machine_checks.check_database_file(probing.probe_file(file), probing.probe_file(file.parent))
        kind = machine_checks.select_file_system(probing.read_mounts(), file)
        yield machine_checks.check_sqlite(probing.sqlite_version(), sys.version_info[:2], kind, str(file))


async def _examine_github(settings: Settings, pem: str) -> list[Checked]:
    moment = await fetch_moment(settings.github_api_url, ca_file=settings.ca_file)
    found = [app_checks.check_clock(datetime.now(UTC), moment)]
    view = AppView(
        api_url=settings.github_api_url, app_id=settings.app_id, private_key_pem=pem, ca_file=settings.ca_file
    )
    asked = await _ask_app(view)
    slug, url = settings.app_slug, settings.github_api_url
    found.append(app_checks.check_credentials(asked, app_id=settings.app_id, app_slug=slug, api_url=url))
    if asked.reason is None:
        try:
            found += await _examine_app(settings, view, asked)
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


async def _examine_app(settings: Settings, view: AppView, asked: Asked) -> list[Checked]:
    app, page = asked.found, str(asked.found["html_url"])
    found = [app_checks.check_app_permissions(app, load_events())]
    found += app_checks.check_installations(await view.fetch_installations(), app, page)
    found.append(hook_checks.check_hook_address(await _find_hook(view), settings.public_url))
    found.append(hook_checks.check_deliveries(await view.fetch_newest_deliveries(hook_checks.LOOKED_AT)))
    if settings.public_url is not None:
        found.append(hook_checks.check_reached(settings.public_url, *probing.ask_public(settings.public_url)))
    return found


async def _find_hook(view: AppView) -> str | None:
    try:
        return await view.fetch_hook_address()
    except Refused as error:
        if error.reason == "not_found":
            return None
        raise


async def _examine_learning(settings: Settings) -> list[Checked]:
    stored, service, base = probing.Stored(settings.database_url), probing.Service(settings), _base(settings)
    found = [machine_checks.check_database(stored.problem)]
    if stored.postgresql is not None:
        found.append(machine_checks.check_postgresql(stored.postgresql))
    is_ours, is_taken = service.status is not None, service.is_taken
    found.append(machine_checks.check_port(settings.host, settings.port, is_ours=is_ours, is_taken=is_taken))
    failed = None if service.status is None else service.status["failed"]
    found += [
        learning_checks.check_failed(failed),
        learning_checks.check_backlog(stored.waiting, stored.oldest_seconds),
    ]
    found.append(learning_checks.check_onboarding(stored.unproposed))
    found += [learning_checks.check_base(base), learning_checks.check_accelerator(base, probing.probe_accelerator())]
    for server in await probing.probe_servers(settings):
        found.append(learning_checks.check_server(server, base.stated, is_needed=bool(stored.adapters)))
    return [*found, *(learning_checks.check_adapter(one, base.stated) for one in stored.adapters)]


def _base(settings: Settings) -> learning_checks.BaseProbe:
    return probing.probe_base(settings.base)
