"""Every GitHub that this service works with: number 0 from the plain settings, further ones from a file (ADR 0028)."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app.domain.errors import UserError
from app.domain.explaining import explain
from app.domain.one_server import parse_pair
from app.domain.tenants import LARGEST_HOST, Host
from app.settings import Address, Settings, check_secret_length, read_private_key

_LISTED = "UNDERSTUDY_HOSTS"


class ListedHost(BaseModel):
    """One entry of the file. Paths are relative to the file's folder. `number` is the host's for ever: all that is kept
    of it is kept under it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1, le=LARGEST_HOST)
    api_url: Address
    git_url: Address
    app_id: int = Field(gt=0)
    app_slug: str = "understudy"
    private_key_file: Path
    webhook_secret_files: tuple[Path, ...] = Field(min_length=1)
    ca_file: Path | None = None


@dataclass(frozen=True)
class GitHubHost:
    """A GitHub with what our App is and has there. `ca_file` None: the machine's own authorities."""

    host: Host
    api_url: str
    git_url: str
    app_id: int
    private_key_file: Path
    webhook_secrets: tuple[str, ...] = field(repr=False)
    ca_file: Path | None = None

    def read_private_key(self) -> str:
        """As `app.settings.read_private_key`."""
        return read_private_key(self.private_key_file)


def load_hosts(settings: Settings) -> tuple[GitHubHost, ...]:
    """Number 0 first.

    Raises:
        UserError: naming the file and what is wrong in it, and never a secret.
    """
    hosts = (plain_host(settings), *(() if settings.hosts is None else _read_file(settings.hosts)))
    _check_apart(hosts)
    for one in hosts:
        check_authorities(one)
    return hosts


def plain_host(settings: Settings) -> GitHubHost:
    """Number 0."""
    return GitHubHost(
        host=Host(0, settings.github_host, settings.app_slug),
        api_url=settings.github_api_url,
        git_url=settings.github_git_url,
        app_id=settings.app_id,
        private_key_file=settings.private_key_file,
        webhook_secrets=tuple(secret.get_secret_value() for secret in settings.webhook_secrets),
        ca_file=settings.ca_file,
    )


def _read_file(path: Path) -> tuple[GitHubHost, ...]:
    try:
        given: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        listed = TypeAdapter(tuple[ListedHost, ...]).validate_python(given)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(
            f"expected a YAML list of hosts in {path} ({_LISTED}), could not read it: {type(error).__name__}; "
            "docs/enterprise-server.md shows one"
        ) from None
    except ValidationError as error:
        wrong = explain(error, whole="the file")
        raise UserError(f"expected hosts in {path} ({_LISTED}), but {wrong.field}: {wrong.words}") from None
    return tuple(_complete(one, path) for one in listed)


def _complete(one: ListedHost, path: Path) -> GitHubHost:
    pair = parse_pair(one.api_url, one.git_url)
    if not pair.is_one:
        raise UserError(
            f"{path}: host {one.number} has its api_url at {pair.api} and its git_url at {pair.git}; name one server"
        )
    folder = path.absolute().parent
    return GitHubHost(
        host=Host(one.number, pair.git, one.app_slug),
        api_url=one.api_url,
        git_url=one.git_url,
        app_id=one.app_id,
        private_key_file=folder / one.private_key_file,
        webhook_secrets=tuple(_read_secret(folder / file) for file in one.webhook_secret_files),
        ca_file=None if one.ca_file is None else folder / one.ca_file,
    )


def _read_secret(path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"expected a webhook secret in {path}, could not read it: {type(error).__name__}") from None
    try:
        check_secret_length(secret)
    except ValueError as error:
        raise UserError(f"the webhook secret in {path} {error}") from None
    return secret


def _check_apart(hosts: tuple[GitHubHost, ...]) -> None:
    """By number, by name, and by secret, for the secret tells whose a delivery is."""
    for position, one in enumerate(hosts):
        for other in hosts[:position]:
            if one.host.number == other.host.number:
                raise UserError(f"expected a number of its own for each host, got {one.host.number} twice")
            if one.host.name == other.host.name:
                raise UserError(
                    f"expected each host once, got {one.host.name} as number {other.host.number} and {one.host.number}"
                )
            if set(one.webhook_secrets) & set(other.webhook_secrets):
                raise UserError(
                    f"expected a webhook secret of its own for each host, but {other.host.name} and {one.host.name} "
                    "share one; change it on one of the two Apps: it tells whose a delivery is"
                )


def check_authorities(one: GitHubHost) -> None:
    """Raises:
    UserError: when they can't be read.
    """
    if one.ca_file is None:
        return
    try:
        ssl.create_default_context(cafile=one.ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise UserError(
            f"expected the authorities of {one.host.name} as certificates in PEM in {one.ca_file}, "
            f"could not read them: {error.strerror or error}"
        ) from None
