"""What a person asks about the data, and about the policy file. A running service does the work when there is one."""

import json as json_module
import time
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import httpx
import typer
import yaml

from app.domain.erasure import ErasureKind
from app.domain.errors import UserError
from app.own_service import asking_own_service, own_url
from app.settings import Settings, load_settings

_WAIT_SECONDS = 3_600


class _Asked(NamedTuple):
    kind: str
    name: str
    host: str | None


def erase(
    *,
    author: Annotated[str | None, typer.Option(help="A login, a git author's name or an e-mail address.")] = None,
    pull_request: Annotated[str | None, typer.Option(help="owner/name#number")] = None,
    repository: Annotated[str | None, typer.Option(help="owner/name")] = None,
    installation: Annotated[int | None, typer.Option(help="The installation's id.")] = None,
    host: Annotated[str | None, typer.Option(help="The GitHub that it is about, where there are several.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it only what would be erased is counted.")] = False,
) -> None:
    """Forget somebody or something everywhere, and name the adapters that learned from it."""
    kind, name = _choose(
        {
            ErasureKind.AUTHOR: author,
            ErasureKind.PULL_REQUEST: pull_request,
            ErasureKind.REPOSITORY: repository,
            ErasureKind.INSTALLATION: None if installation is None else str(installation),
        }
    )
    settings = load_settings()
    work = _erase_at_service if _is_serving(settings) else _erase_here
    typer.echo(json_module.dumps(work(settings, _Asked(kind.value, name, host), yes), indent=1, ensure_ascii=False))
    if not yes:
        typer.echo("nothing was erased; add --yes to do it", err=True)


def trace(
    reference: Annotated[str, typer.Argument(help="COMMENT_ID, fp1:…, ex1:… or owner/name#number")],
) -> None:
    """From a comment to the adapter, the snapshot, the Examples and their pull requests, and back."""
    from app.dataset.tracing import trace as find
    from app.store.database import open_existing, reading

    database = open_existing(load_settings().database_url)
    try:
        with reading(database) as session:
            found = find(session, reference)
    finally:
        database.dispose()
    typer.echo(json_module.dumps(found, indent=1, ensure_ascii=False))


def lora_adapters(
    base_model: Annotated[str, typer.Option(help="What the production-stack calls the base.")],
    namespace: Annotated[str, typer.Option(help="Where its operator looks.")] = "default",
) -> None:
    """Print a LoraAdapter of vLLM's production-stack for every adapter that reviews now."""
    from app.inference.lora_manifests import render_lora_adapter
    from app.store.database import open_existing, reading
    from app.store.rounds import select_registry

    database = open_existing(load_settings().database_url)
    try:
        with reading(database) as session:
            pointers, versions = select_registry(session)
    finally:
        database.dispose()
    in_use = {pointer.adapter_name for pointer in pointers}
    found = [version for version in versions if version.name in in_use]
    manifests = [render_lora_adapter(one.name, Path(one.path), base_model, namespace) for one in found]
    typer.echo(yaml.safe_dump_all(manifests, sort_keys=False), nl=False)


def policy(
    file: Annotated[Path | None, typer.Argument(help="A .github/understudy.yml to check.")] = None,
) -> None:
    """Check a policy file; without one, print the JSON Schema that editors check it against."""
    from app.domain.policies import render_schema
    from app.github.policy_file import read_policy

    if file is None:
        typer.echo(render_schema(), nl=False)
        return
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"expected a text file at {file}, got {type(error).__name__}; name a policy file") from error
    found = read_policy({"text": text, "byteSize": len(text.encode())})
    if found.problems:
        raise UserError("\n".join(f"{file}: {problem.told}" for problem in found.problems))
    typer.echo(f"{file}: valid")


def feedback(
    installation: Annotated[int, typer.Option(help="The installation's id.")],
) -> None:
    """How people take the reviews, by adapter version: rates with 95 % intervals, and what the control group says."""
    from rich.console import Console

    from app.store.database import open_existing, reading
    from app.web.feedback_table import render_tables
    from app.workflows.telling import measure_feedback

    database = open_existing(load_settings().database_url)
    try:
        with reading(database) as session:
            rates = measure_feedback(session, installation)
    finally:
        database.dispose()
    for table in render_tables(rates):
        Console().print(table)


def _choose(given: dict[ErasureKind, str | None]) -> tuple[ErasureKind, str]:
    chosen = [(kind, name) for kind, name in given.items() if name is not None]
    if len(chosen) != 1:
        raise UserError(
            f"expected one of --author, --pull-request, --repository and --installation, got {len(chosen)}; "
            "erase one thing at a time"
        )
    return chosen[0]


def _is_serving(settings: Settings) -> bool:
    try:
        return httpx.get(f"{own_url(settings)}/healthz", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _erase_at_service(settings: Settings, asked: _Asked, act: bool) -> dict[str, Any]:
    with asking_own_service(settings, seconds=120) as service:

        def ask(path: str) -> dict[str, Any]:
            answer = service.post(path, json=asked._asdict())
            if answer.is_error:
                raise UserError(f"the service refused: {answer.json().get('detail')}")
            return dict(answer.json())

        if not act:
            return ask("/operator/erasures/preview")
        ids = [workflow_id.rsplit(":", 1)[1] for workflow_id in ask("/operator/erasures")["workflows"]]
        return {"erased": [_wait(service, erasure_id) for erasure_id in ids]}


def _wait(service: httpx.Client, erasure_id: str) -> dict[str, Any]:
    """The report, once nothing of the erasure runs any more."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        status = service.get("/operator/status").json()
        failed = [run for run in status["failed"] if run["id"].endswith(erasure_id)]
        if failed:
            again = f"POST /operator/retry/{failed[0]['id']}"
            raise UserError(f"the erasure failed: {failed[0]['error']}; start it again with {again}")
        found = next((row for row in status["erasures"] if row["id"] == erasure_id), None)
        if found and found["finished_at"] and not any(run["id"].endswith(erasure_id) for run in status["running"]):
            return dict(found)
        time.sleep(0.5)
    raise UserError(f"the erasure {erasure_id} is still under way; see /operator/status")


def _erase_here(settings: Settings, asked: _Asked, act: bool) -> dict[str, Any]:
    """Without a service: the engine runs in this process until the erasure is done."""
    from app.main import boot, shutdown
    from app.workflows import engine, erasure_requests

    boot(settings)
    try:
        if not act:
            return erasure_requests.preview_erasure(*asked)
        ids = erasure_requests.start_erasure(*asked)
        for workflow_id in ids:
            engine.wait(workflow_id, timeout_seconds=_WAIT_SECONDS)
        done = {workflow_id.rsplit(":", 1)[1] for workflow_id in ids}
        return {"erased": [row for row in erasure_requests.read_erasures() if row["id"] in done]}
    finally:
        shutdown()
