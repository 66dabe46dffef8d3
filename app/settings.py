"""The only reader of the environment, and of the file that stands in for it. Everything that is set wrongly, or not at
all, is said at once and by name."""

import os
import secrets
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import yaml
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.domain.errors import UserError
from app.domain.evals import GatePolicy
from app.domain.explaining import explain
from app.domain.log_lines import LogFormat
from app.domain.one_server import parse_pair
from app.runners.places import RunnerKind
from app.setting_words import (
    BESIDE,
    PREFIX,
    SHORTEST_SECRET,
    explain_missing,
    explain_unknown,
    explain_wrong,
    select_unknown,
)
from app.workflows.runs import Role

SettingsT = TypeVar("SettingsT", bound=BaseSettings)

_DEFAULT_ENV_FILE = Path("data/understudy.env")
_WHERE_THE_KEY_IS = "download the App's key from its settings page on GitHub and name that file"


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _split_schedules(value: object) -> object:
    """By semicolons: a cron has commas of its own."""
    return [part.strip() for part in value.split(";") if part.strip()] if isinstance(value, str) else value


def _none_if_empty(value: object) -> object:
    return value or None


def _check_address(address: str) -> str:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("is no address with scheme and host, such as https://github.example.org")
    return address


Address = Annotated[str, AfterValidator(_check_address)]


def _check_one_server(git_url: str, given: ValidationInfo) -> str:
    """A token for one host must not be sent to another."""
    if "github_api_url" not in given.data:  # it is wrong itself, and said to be
        return git_url
    pair = parse_pair(given.data["github_api_url"], git_url)
    if not pair.is_one:
        raise ValueError(f"is of {pair.git}, but {PREFIX}GITHUB_API_URL of {pair.api}; set both, of one server")
    return git_url


#: After `github_api_url` in a class. The default of either is checked, too, for it may be of another server.
GitAddress = Annotated[Address, AfterValidator(_check_one_server), Field(validate_default=True)]


def check_secret_length(secret: str) -> None:
    """Raises:
    ValueError: in words that go after the secret's name.
    """
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"is shorter than {SHORTEST_SECRET} characters; make one with `openssl rand -hex 32`")


class Settings(BaseSettings):
    """Every setting, read from the variable UNDERSTUDY_<NAME>. Secrets have no default: without them nothing starts."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    #: Comma-separated. Two during a rotation: GitHub signs with one, and which is not known at every moment.
    webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)] = Field(min_length=1)
    #: Bearer token of /operator.
    operator_token: SecretStr
    app_id: int = Field(gt=0)
    private_key_file: Path
    app_slug: str = "understudy"
    #: Where people and GitHub reach this service from outside, such as https://understudy.example.org.
    public_url: Annotated[Address | None, BeforeValidator(_none_if_empty)] = None
    #: The App's OAuth client, with which people sign in to the dashboard; without both nobody can.
    client_id: Annotated[str | None, BeforeValidator(_none_if_empty)] = None
    client_secret: Annotated[SecretStr | None, BeforeValidator(_none_if_empty)] = None

    #: A GitHub Enterprise Server: https://HOST/api/v3 and https://HOST.
    github_api_url: Address = "https://api.github.com"
    github_git_url: GitAddress = "https://github.com"
    #: Authorities, in PEM, that GitHub's certificate is checked against instead of the machine's own.
    ca_file: Annotated[Path | None, BeforeValidator(_none_if_empty)] = None
    #: Further GitHubs beside this one, a YAML file; docs/enterprise-server.md shows it.
    hosts: Annotated[Path | None, BeforeValidator(_none_if_empty)] = None
    #: The name this GitHub had before, if the same server has a new one.
    github_was: Annotated[str | None, BeforeValidator(_none_if_empty)] = None
    #: GitHub asks for at least a second between two writes.
    write_pause_seconds: float = Field(default=1.0, ge=0)
    #: GitHub allows 500 requests an hour that create content.
    writes_per_hour: int = Field(default=500, gt=0)

    #: sqlite:///FILE for one process, postgresql://… for many.
    database_url: str = "sqlite:///data/understudy.db"
    data: Path = Path("data")
    #: The base checkpoint's folder, made by `python -m training base`.
    base: Path = Path("data/base")
    #: The state folders of `python -m serving run`, comma-separated when several serve the same base.
    serving: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(Path("data/serving"),), min_length=1
    )
    #: Hosts beside this machine that a model server may say it listens on, comma-separated; prompts with code go there.
    serving_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    #: A file for `python -m training run --config`.
    training_config: Path | None = None
    #: The gate's thresholds for every round, a JSON file; what it leaves out stays as it is.
    gate_policy: Path | None = None
    #: Who may judge held-out comments, a YAML file; without it nobody does, and nothing is sent.
    judge: Path | None = None
    #: Where training is computed: local, kubernetes, skypilot or hosted.
    runner: RunnerKind = RunnerKind.LOCAL
    #: What the runner must know of its place; a copy of infra/runners/<runner>.yaml.
    runner_config: Path | None = None
    #: The runner `hosted` sends rows to this host and to no other; without it nothing leaves the machine.
    hosted_host: str | None = None
    #: What retrieval compares texts by, beside their names: static (a model that comes along), none, or the address of
    #: a server with OpenAI's embeddings, such as http://127.0.0.1:8001/v1, with the model's name and its key's file.
    embedding: str = "static"
    embedding_model: str | None = None
    embedding_key_file: Path | None = None
    #: Texts go to a machine other than this one only when it is named here, too.
    embedding_host: str | None = None
    #: INSTALLATION=CRON, with a semicolon between several; in UTC.
    schedules: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_schedules)] = ()

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    #: GitHub's own limit for a payload is 25 MB.
    body_limit_bytes: int = Field(default=25 * 1024 * 1024, gt=0)
    #: Of all bodies together whose signature is not checked yet; what is over is told 503 and comes again.
    unverified_limit_bytes: Annotated[int, Field(gt=0, validate_default=True)] = 200 * 1024 * 1024
    #: Connections answered at once; one more is told 503.
    connections: int = Field(default=100, gt=0)
    #: One line an event, as text or as JSON.
    log_format: LogFormat = LogFormat.TEXT
    #: Bearer token of /metrics; without one it answers callers on this machine alone.
    metrics_token: Annotated[SecretStr | None, BeforeValidator(_none_if_empty)] = None
    #: What this process is there for: all, web, worker or gpu. Several processes need PostgreSQL.
    role: Role = Role.ALL
    #: How long an enqueued workflow may lie before it is noticed.
    polling_seconds: float = Field(default=0.2, gt=0)
    #: How long finished workflows and the bodies of handled deliveries are kept.
    retention_days: int = Field(default=30, ge=1)
    #: How long it is known that a delivery came and when a review was asked for, and how long workflows that failed and
    #: folders of training runs that nothing stands on are kept.
    records_days: int = Field(default=365, ge=90)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_what_a_trainer_lacks(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Role gpu answers nobody and asks no GitHub, so it should not be given what opens either: in place of a secret
        it lacks stands one that nobody knows, in place of the key a file without one."""
        if given.get("role") != Role.GPU:
            return given
        unknown = secrets.token_hex(32)
        return {"webhook_secrets": unknown, "operator_token": unknown, "private_key_file": os.devnull} | given

    @field_validator("webhook_secrets")
    @classmethod
    def _check_secrets(cls, given: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in given:
            cls._check_length(secret)
        return given

    @field_validator("operator_token")
    @classmethod
    def _check_length(cls, secret: SecretStr) -> SecretStr:
        check_secret_length(secret.get_secret_value())
        return secret

    @field_validator("metrics_token")
    @classmethod
    def _check_metrics_token(cls, secret: SecretStr | None) -> SecretStr | None:
        return None if secret is None else cls._check_length(secret)

    @field_validator("role")
    @classmethod
    def _check_role(cls, role: Role, given: ValidationInfo) -> Role:
        if role is not Role.ALL and str(given.data.get("database_url", "")).startswith("sqlite"):
            raise ValueError("is for several processes, which need PostgreSQL; set UNDERSTUDY_DATABASE_URL, or say all")
        return role

    @field_validator("unverified_limit_bytes")
    @classmethod
    def _check_room(cls, room: int, given: ValidationInfo) -> int:
        if room < given.data.get("body_limit_bytes", 0):
            raise ValueError("has no room for one webhook; set it to UNDERSTUDY_BODY_LIMIT_BYTES at least")
        return room

    @field_validator("runner_config")
    @classmethod
    def _check_place(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError("names no file; copy the runner's template from infra/runners and change what you need")
        return path

    @field_validator("training_config")
    @classmethod
    def _check_file(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError("names no file; copy training/configs/default.yaml and change what you need")
        return path

    @field_validator("judge")
    @classmethod
    def _check_judge(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            said = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError:
            raise ValueError("names no file; docs/proving.md shows what it holds") from None
        except (yaml.YAMLError, UnicodeDecodeError):
            raise ValueError("holds no YAML; docs/proving.md shows what it holds") from None
        if isinstance(said, dict) and said.get("cache") is not None:
            raise ValueError("names a judge with a cache: no erasure would find what it keeps; leave the key cache out")
        return path

    @field_validator("gate_policy")
    @classmethod
    def _check_policy(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            GatePolicy.model_validate_json(path.read_bytes())
        except OSError:
            raise ValueError("names no file that can be read; docs/proving.md shows what it holds") from None
        except ValidationError as error:
            wrong = explain(error, whole="the document")
            raise ValueError(f"is no gate policy: {wrong.field}: {wrong.words}") from None
        return path

    @property
    def github_host(self) -> str:
        """The host that every GUID, Example and review id begins with."""
        return httpx.URL(self.github_git_url).host

    def read_private_key(self) -> str:
        """As `read_private_key`."""
        return read_private_key(self.private_key_file)


class ReadingSettings(BaseSettings):
    """What reading a live repository needs: a token of somebody's own, or the App and its key. No secret of a service
    that runs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    #: A token that may read metadata, contents and pull requests; it is enough by itself.
    github_token: Annotated[SecretStr | None, BeforeValidator(_none_if_empty)] = None
    app_id: int | None = Field(default=None, gt=0)
    private_key_file: Path | None = None
    github_api_url: Address = "https://api.github.com"
    github_git_url: GitAddress = "https://github.com"
    ca_file: Annotated[Path | None, BeforeValidator(_none_if_empty)] = None


def read_private_key(path: Path) -> str:
    """The App's private key in PEM.

    Raises:
        UserError: when the file cannot be read or holds no private key.
    """
    try:
        pem = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UserError(
            f"expected the App's private key in {path} ({PREFIX}PRIVATE_KEY_FILE), "
            f"could not read it: {reason}; {_WHERE_THE_KEY_IS}"
        ) from None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # broken, encrypted, or of no kind that we know
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise UserError(
            f"expected an RSA private key in PEM, without a password, in {path}, "
            f"found something else; {_WHERE_THE_KEY_IS}"
        )
    return pem


def load_reading_settings() -> ReadingSettings:
    """Raises:
    UserError: as `load_settings`.
    """
    return _load(ReadingSettings)


def load_settings() -> Settings:
    """The settings of this process's environment, and of the environment file for what is not in it.

    Raises:
        UserError: naming every variable that is missing, wrong or no setting, and what came, and never a secret.
    """
    if os.environ.get(f"{PREFIX}QUEUES"):
        raise UserError(
            f"expected {PREFIX}ROLE (all, web, worker or gpu), got {PREFIX}QUEUES, which it replaces; a process that "
            "ignored it would take work that it was kept from"
        )
    return _load(Settings)


def known_names() -> frozenset[str]:
    """Every variable that anything of ours reads, without its prefix."""
    return frozenset((*BESIDE, *(name.upper() for form in (Settings, ReadingSettings) for name in form.model_fields)))


def _load(form: type[SettingsT]) -> SettingsT:
    file = existing_env_file()
    wrong, cure = _find_unknown(file), list[str]()
    try:
        found = form(_env_file=file)
    except ValidationError as error:
        place = (file or env_file()).absolute()
        wrong, cure = explain_wrong(error, form) + wrong, explain_missing(error, place, is_there=file is not None)
    if wrong:
        lines = ["expected other settings; these environment variables are missing or wrong:", *wrong, *cure]
        raise UserError("\n".join(lines))
    return found


def _find_unknown(file: Path | None) -> list[str]:
    """A misspelt name would leave a default in force that somebody thinks they changed."""
    known = known_names()
    lines = explain_unknown(select_unknown(os.environ, known), known, place="the environment")
    if file is None:
        return lines
    written = dotenv_values(file, encoding="utf-8", interpolate=False)
    return lines + explain_unknown(select_unknown(written, known), known, place=str(file))


def env_file() -> Path:
    """Where settings are read from beside the environment, and where the setup writes them: UNDERSTUDY_ENV_FILE."""
    return Path(os.environ.get(f"{PREFIX}ENV_FILE") or _DEFAULT_ENV_FILE)


def existing_env_file() -> Path | None:
    """The file that `env_file` names. None where there is none; one that was named and is not there is a mistake.

    Raises:
        UserError: naming it.
    """
    path = env_file()
    if path.is_file() and os.access(path, os.R_OK):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise UserError(
                f"expected lines NAME=value in UTF-8 in {path} ({PREFIX}ENV_FILE), got something that is no text; "
                "name the file that `.venv/bin/python -m app setup` wrote"
            ) from None
        return path
    if path != _DEFAULT_ENV_FILE or path.exists():
        raise UserError(
            f"expected a file that can be read at {path} ({PREFIX}ENV_FILE), found none; name the file that "
            "`.venv/bin/python -m app setup` wrote, and run as the user that owns it"
        )
    return None
