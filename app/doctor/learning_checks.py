"""Base checkpoint, model server, adapters and the work that waits. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.doctor.checked import Checked, fail, fine, warn
from app.domain.adapters import BaseCheckpoint
from app.domain.base import Record
from app.domain.estimates import MemoryParts, gib

#: Deliveries that wait longer than this are a backlog.
BACKLOG_SECONDS = 600
_PREFLIGHT = "`.venv/bin/python -m training preflight` estimates it exactly"


class BaseProbe(Record):
    """`stated` is what base.json says, None where there is none; `problem` what is wrong with its files; `weights`
    their bytes."""

    path: str
    stated: BaseCheckpoint | None
    problem: str | None
    weights: int = 0


class Accelerator(Record):
    """Memory in bytes."""

    name: str
    memory: int


class ServerProbe(Record):
    """`state` is None where it did not answer, and `message` says why."""

    folder: str
    state: str | None
    base: str = ""
    revision: str = ""
    message: str = ""


class AdapterProbe(Record):
    """The version that an installation's pointer names. `base` is None where it is not in the registry."""

    installation_id: int
    name: str
    is_there: bool
    base: BaseCheckpoint | None
    stale_at: datetime | None


def check_base(found: BaseProbe) -> Checked:
    name = "base checkpoint"
    if found.stated is None:
        cure = f"Make it: `.venv/bin/python -m training base --out {found.path}`, or name another in UNDERSTUDY_BASE."
        return fail(name, found.problem or f"there is none in {found.path}", cure)
    if found.problem is not None:
        cure = f"Move {found.path} away and make it anew: `.venv/bin/python -m training base --out {found.path}`."
        return fail(name, f"{found.path} is broken: {found.problem}", cure)
    return fine(name, f"{found.stated.name} ({gib(found.weights)}) in {found.path}")


def check_accelerator(base: BaseProbe, found: Accelerator | None) -> Checked:
    """A lower bound: what is trained needs more than its weights, and how much the preflight says."""
    name = "GPU"
    if found is None:
        told = "none; training and serving run on the processor"
        return (
            fine(name, told)
            if base.weights < 2**31
            else warn(name, told, "Take a smaller base, or a machine with one.")
        )
    least = MemoryParts(libraries=0, weights=base.weights, trainable=0, activations=0, logits=0, workspace=0).total
    told = f"{found.name}, {gib(found.memory)}; the weights alone take {gib(least)}"
    if least > found.memory:
        return fail(name, told, "Take a smaller base, QLoRA on a larger GPU, or train elsewhere (UNDERSTUDY_RUNNER).")
    if least * 1.5 > found.memory:
        return warn(name, told, f"Training may not fit; {_PREFLIGHT}.")
    return fine(name, told)


def check_server(found: ServerProbe, at: BaseProbe, *, is_needed: bool) -> Checked:
    """`is_needed`: some installation has a promoted adapter, which nobody can be asked for while it is away."""
    name, base = f"model server {found.folder}", at.stated
    if found.state is None:
        decide = fail if is_needed else warn
        cure = f"Start it: `.venv/bin/python -m serving run --base {at.path} --state {found.folder}`."
        return decide(name, "does not answer", cure)
    if base is not None and (found.base, found.revision) != (base.name, base.revision):
        cure = "Start it with the folder that UNDERSTUDY_BASE names: adapters fit no other base."
        return fail(name, f"serves {found.base}@{found.revision[:12]}, the service has {base.name}", cure)
    if found.state != "ready":
        return warn(name, f"is {found.state}", "Wait a minute; else see engine.log in its folder.")
    return fine(name, f"serves {found.base}")


def check_adapter(found: AdapterProbe, base: BaseCheckpoint | None) -> Checked:
    name = f"adapter of installation {found.installation_id}"
    if found.base is None or not found.is_there:
        undo = f"POST /operator/installations/{found.installation_id}/rollback"
        cure = f"Restore its folder from a backup, or roll back: {undo}"
        return fail(name, f"{found.name} is promoted, but its files are gone", cure)
    if base is not None and found.base != base:
        cure = (
            "Train anew (POST /operator/installations/ID/train), or set UNDERSTUDY_BASE to the base it was trained on."
        )
        return fail(name, f"{found.name} was trained on {found.base.name}, this base is {base.name}", cure)
    if found.stale_at is not None:
        cure = "The next round replaces it; begin one now: POST /operator/installations/ID/train"
        return warn(name, f"{found.name} learned from what was erased since", cure)
    return fine(name, f"{found.name} is promoted and there")


def check_failed(failed: Sequence[Mapping[str, str]] | None) -> Checked:
    name = "workflows"
    if failed is None:
        return fine(name, "not asked: the service does not run")
    if failed:
        shown = ", ".join(str(one["id"]) for one in failed[:3])
        cure = "Read why in /operator/status, cure it, then POST /operator/retry/ID; some begin again by themselves."
        return warn(name, f"{len(failed)} failed: {shown}{' …' if len(failed) > 3 else ''}", cure)
    return fine(name, "none failed")


def check_onboarding(unproposed: Sequence[str]) -> Checked:
    """`unproposed`: repositories that should have got their pull request by now."""
    name = "onboarding"
    if unproposed:
        shown = f"{', '.join(unproposed[:3])}{' …' if len(unproposed) > 3 else ''}"
        cure = (
            "It may be empty or archived, or a ruleset forbids the branch understudy/onboarding; the log says which. "
            "Add .github/understudy.yml there by hand: the page /installed makes the link."
        )
        return warn(name, f"no pull request could be opened in {shown}: nothing happens there", cure)
    return fine(name, "nobody waits to be asked")


def check_backlog(waiting: int, oldest_seconds: float) -> Checked:
    name = "backlog"
    if waiting and oldest_seconds > BACKLOG_SECONDS:
        cure = "See that a process with the role `all` or `worker` runs (UNDERSTUDY_ROLE); its log says more."
        return fail(name, f"{waiting} deliveries wait, the oldest for {oldest_seconds / 60:.0f} minutes", cure)
    return fine(name, f"{waiting} deliveries wait" if waiting else "nothing waits")
