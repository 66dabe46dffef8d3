"""Asking for an erasure: what it would find, starting it, and what became of it. app.workflows.erasing does it."""

import uuid
from typing import Any

from sqlmodel import Session, col, select

from app.domain.erasure import ErasureKind, Subject, parse_subject
from app.domain.errors import UserError
from app.domain.tenants import split_tenant
from app.store.database import reading, writing
from app.store.deliveries import load_installation
from app.store.erasing import select_doomed
from app.store.erasures import save_erasure, select_erasures
from app.store.rounds import select_adapter_versions
from app.store.tables import ErasureRow, InstallationRow
from app.workflows.context import services
from app.workflows.engine import enqueue_in_transaction
from app.workflows.runs import Queue


def request_erasure(session: Session, installation_id: int, subject: Subject, *, reason: str) -> str:
    """Start an erasure with the session's transaction; returns its workflow's id.

    `reason` is operator, uninstalled or removed; for the last two GitHub is asked first whether it is so.
    """
    erasure_id = uuid.uuid4().hex
    save_erasure(
        session,
        ErasureRow(
            id=erasure_id,
            installation_id=installation_id,
            kind=subject.kind.value,
            subject=subject.name,
            subject_key=subject.key,
            reason=reason,
        ),
    )
    workflow_id = f"erase:{installation_id}:{erasure_id}"
    enqueue_in_transaction(
        session, "erase", workflow_id, installation_id, erasure_id, queue=Queue.GITHUB, partition=installation_id
    )
    return workflow_id


def preview_erasure(kind: str, name: str, host: str | None = None, within: int | None = None) -> dict[str, Any]:
    """What an erasure would find now, by installation; `within` one only. Changes nothing. Blocking.

    `host` names the GitHub, where there are several: another's people and repositories are others.

    Raises:
        UserError: when the text is no subject of that kind, the installation is not known, or no GitHub was named.
    """
    subject = _parse(kind, name)
    with reading(services().database) as session:
        concerned = _concerned(session, subject, host, within)
        found = {str(row.id): _count(session, row.id, subject) for row in concerned}
    return {"subject": subject.name, "found": found}


def _count(session: Session, installation_id: int, subject: Subject) -> dict[str, int]:
    found = select_doomed(session, installation_id, subject).count()
    if subject.kind is ErasureKind.INSTALLATION:
        found["adapters"] = len(select_adapter_versions(session, installation_id))
    return found


def start_erasure(kind: str, name: str, host: str | None = None, within: int | None = None) -> list[str]:
    """Enqueue the erasure in every installation it concerns, `within` one only; returns the workflows' ids. Blocking.

    Raises:
        UserError: as `preview_erasure`.
    """
    subject = _parse(kind, name)
    with writing(services().database) as session:
        return [
            request_erasure(session, row.id, subject, reason="operator")
            for row in _concerned(session, subject, host, within)
        ]


def _parse(kind: str, name: str) -> Subject:
    try:
        return parse_subject(ErasureKind(kind), name)
    except ValueError:
        raise UserError(f"expected one of {', '.join(ErasureKind)} to erase, got {kind!r}") from None


def _concerned(session: Session, subject: Subject, host: str | None, within: int | None) -> list[InstallationRow]:
    if within is not None:
        if subject.kind is ErasureKind.INSTALLATION and int(subject.name) != within:
            raise UserError(f"expected the installation {within} itself, got another; nothing was erased")
        row = load_installation(session, within)
        return [] if row is None else [row]
    if subject.kind is not ErasureKind.INSTALLATION:
        number = _choose_host(host)
        rows = session.exec(select(InstallationRow).order_by(col(InstallationRow.id)))
        return [row for row in rows if split_tenant(row.id).number == number]
    row = load_installation(session, int(subject.name))
    if row is None:
        raise UserError(f"expected a known installation, got {subject.name}; /operator/status counts them")
    return [row]


def _choose_host(name: str | None) -> int:
    hosts = services().hosts
    names = ", ".join(host.name for host in hosts)
    chosen = hosts.named(name) if name is not None else None
    if name is None and len(list(hosts)) == 1:
        return 0
    if chosen is None:
        raise UserError(
            f"expected the GitHub that it is about, one of {names}, got {name or 'none'}; nothing was erased"
        )
    return chosen.number


def read_erasures() -> list[dict[str, Any]]:
    """The newest requests and their reports, for the operator. A finished one no longer says whom it was about."""
    with reading(services().database) as session:
        return [
            {
                "id": row.id,
                "installation": row.installation_id,
                "kind": row.kind,
                "reason": row.reason,
                "requested_at": row.requested_at.isoformat(),
                "finished_at": row.finished_at and row.finished_at.isoformat(),
                "report": row.report,
            }
            for row in select_erasures(session)
        ]
