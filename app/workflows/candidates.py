"""What becomes of a version after its training: registered, loaded, measured as served, unloaded if it is no good."""

import asyncio
import json
import shutil

from sqlmodel import Session

from app.domain.adapters import CHILD_LOCK, AdapterManifest, AdapterState
from app.domain.errors import Refused, UserError
from app.domain.evals import GateDecision
from app.inference.adapter_control import AdapterControl
from app.inference.front import READ_KEY
from app.inference.replicas import Replica, explain_away, rank_replicas, survey
from app.runners.children import run_child
from app.store.database import reading, writing
from app.store.learning import select_audit
from app.store.rounds import load_pointer, save_adapter_state, save_adapter_version
from app.store.tables import AdapterVersionRow
from app.workflows.context import services
from app.workflows.training_runs import adapter_folder, read_external, run_folder, snapshot_folder

#: The verdict of a round whose version a person rolled back from.
WITHHELD = "withheld"
ROLLBACK = "adapter.rollback"
#: Lines of a failed child's output that its error shows.
_OUTPUT_TAIL = 15


async def register_version(installation_id: int, snapshot_id: str, name: str) -> list[str]:
    """Copy the version to its immutable place and record it with its decision. Returns its name and the verdict,
    `withheld` in place of a promotion that a person has undone.

    What a hosted service keeps is no AdapterVersion and stays out of the registry: no pointer can ever name it.
    """

    def register() -> list[str]:
        run = run_folder(name)
        external = read_external(run).get("external")
        if external is not None:
            return [external["model"], "external"]
        decision = GateDecision.model_validate_json((run / "decision.json").read_text())
        manifest = AdapterManifest.model_validate_json((run / "version" / "manifest.json").read_text())
        place = adapter_folder(manifest.name)
        if not place.exists():
            passing = place.with_name(f".{manifest.name}.copying")
            shutil.rmtree(passing, ignore_errors=True)
            shutil.copytree(run / "version", passing)
            passing.rename(place)
        with writing(services().database) as session:
            save_adapter_version(
                session,
                AdapterVersionRow(
                    name=manifest.name,
                    installation_id=installation_id,
                    snapshot_id=snapshot_id,
                    state=AdapterState.CANDIDATE.value,
                    path=str(place),
                    manifest=manifest.model_dump(mode="json"),
                    decision=decision.model_dump(mode="json"),
                ),
            )
            taken_out = was_rolled_back(session, installation_id, manifest.name)
        return [manifest.name, WITHHELD if decision.verdict == "promote" and taken_out else decision.verdict]

    return await asyncio.to_thread(register)


def was_rolled_back(session: Session, installation_id: int, name: str) -> bool:
    """Whether the newest rollback took this very version out of use.

    The same rows give the same version again, and figures that let it pass once would do so a second time: what a
    person took out comes back by a person's word only, which is another rollback.
    """
    records = select_audit(session, action=ROLLBACK)
    left = [row.detail.get("left") for row in records if row.detail.get("installation_id") == installation_id]
    return bool(left) and left[-1] == name


async def _find_servers(name: str) -> tuple[Replica, ...]:
    """Those that are ready, whoever knows the adapter first.

    Raises:
        RetryLater: when there is none.
    """
    found = await survey(services().servers, services().serving_hosts)
    ranked = rank_replicas(found.replicas, name)
    if not ranked:
        raise explain_away(found)
    return ranked


async def load_version(installation_id: int, name: str) -> str | None:
    """Load into the server and probe it there. Returns why it was refused, None when it serves what was trained."""
    front = (await _find_servers(name))[0].front
    try:
        async with AdapterControl(front.url, front.control_key) as control:
            report = await control.load(name, adapter_folder(name))
    except Refused as error:
        return str(error)
    place = adapter_folder(name)
    (services().data / "probes").mkdir(exist_ok=True)
    (services().data / "probes" / f"{place.name}.json").write_text(json.dumps(report.model_dump(mode="json")))
    return None


async def confirm_version(installation_id: int, snapshot_id: str, run: str) -> str:
    """Base and version measured again as they are served. Returns the verdict with the server's figures in it."""
    folder = run_folder(run)
    version = AdapterManifest.model_validate_json((folder / "version" / "manifest.json").read_text()).name
    server = (await _find_servers(version))[0]
    arguments = ["-m", "training", "confirm", "--run", folder, "--snapshot", snapshot_folder(snapshot_id)]
    arguments += ["--signing-key", services().data / "keys" / "release.pem"]
    arguments += ["--base", services().base, "--endpoint", server.front.url]
    arguments += ["--key-file", server.folder / READ_KEY]
    policy = services().gate_policy
    arguments += [] if policy is None else ["--policy", policy.absolute()]
    lines: list[str] = []
    code = await run_child(
        [str(item) for item in arguments],
        log=folder / "confirm.log",
        on_line=lines.append,
        lock=folder / CHILD_LOCK,
    )
    if code != 0:
        raise UserError("measuring the served version ended with an error:\n" + "\n".join(lines[-_OUTPUT_TAIL:]))
    decision = GateDecision.model_validate_json((folder / "served.json").read_text())
    if decision.adapter is None:
        raise UserError(f"expected {folder}/served.json to name an adapter, it names none")
    with writing(services().database) as session:
        found = decision.model_dump(mode="json")
        save_adapter_state(session, installation_id, decision.adapter, AdapterState.CANDIDATE, found)
    return decision.verdict


async def unload_version(installation_id: int, name: str) -> None:
    """A version that is not used takes no place in the server; the one in use stays whatever a new round says."""
    with reading(services().database) as session:
        pointer = load_pointer(session, installation_id)
    if pointer is not None and pointer.adapter_name == name:
        return
    for server in await _find_servers(name):  # one that is away now is told when the service upholds the registry
        async with AdapterControl(server.front.url, server.front.control_key) as control:
            await control.ensure_unloaded(name)
