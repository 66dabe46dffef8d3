"""What workflows work with: set once at boot, because the ids in a workflow's arguments cannot carry it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.domain.errors import UserError
from app.domain.tenants import Host, Hosts
from app.inference.embeddings import Embedder, StaticEmbedder
from app.runners.local import LocalRunner
from app.runners.running import Runner

if TYPE_CHECKING:
    from app.github.client import GitHubClient


@dataclass(frozen=True)
class Services:
    """One process's connections and places.

    `host` and `app_slug` are those of GitHub number 0, `further_hosts` the others: `host_of` tells a tenant's.
    `data` holds `mirrors/`, `snapshots/`, `runs/`, `adapters/`; `base` is the base checkpoint's folder; `serving` the
    state folder of the serving program, `replicas` those of others that serve the same base, `serving_hosts` where they
    may be beside this machine. `github` makes, once, the
    client of an installation. `runner` computes the training; `schedules` are crons by installation. `gate_policy` and
    `judge` are files for `python -m training run`; without them the standing thresholds hold and nobody judges.
    `embedder` makes the vectors that retrieval compares; without one it compares names alone. `public_url` is where the
    dashboard is reached, None when nobody said.
    """

    database: sa.Engine
    host: str
    app_slug: str
    data: Path
    base: Path
    serving: Path
    training_config: Path | None
    retention_days: int
    github: "Callable[[int], GitHubClient]"
    runner: Runner = field(default_factory=LocalRunner)
    schedules: Mapping[int, str] = field(default_factory=dict)
    replicas: tuple[Path, ...] = ()
    gate_policy: Path | None = None
    judge: Path | None = None
    embedder: Embedder | None = field(default_factory=StaticEmbedder)
    records_days: int = 365
    further_hosts: tuple[Host, ...] = ()
    serving_hosts: tuple[str, ...] = ()
    public_url: str | None = None

    @property
    def hosts(self) -> Hosts:
        return Hosts((Host(0, self.host, self.app_slug), *self.further_hosts))

    def host_of(self, installation_id: int) -> Host:
        """The GitHub that a tenant is of.

        Raises:
            UserError: when it is no longer configured.
        """
        return self.hosts.of(installation_id)

    @property
    def servers(self) -> tuple[Path, ...]:
        """State folders of all model servers."""
        return (self.serving, *self.replicas)


_installed: list[Services] = []


def install(services: Services | None) -> None:
    """Set, or with None forget, the services of this process."""
    _installed[:] = [] if services is None else [services]


def services() -> Services:
    """The services of this process.

    Raises:
        UserError: before boot.
    """
    if not _installed:
        raise UserError("expected the app to be booted, but nothing is installed; run `.venv/bin/python -m app serve`")
    return _installed[0]
