"""What each runner must be told of its place: one YAML file each, unknown keys refused. Templates: infra/runners."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import httpx
import yaml
from pydantic import BaseModel, Field, StringConstraints, ValidationError, field_validator, model_validator

from app.domain.base import Record
from app.domain.errors import UserError
from app.domain.explaining import explain

PlaceT = TypeVar("PlaceT", bound=BaseModel)
#: RFC 1123 label, as Kubernetes wants it for namespaces and claims
DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
#: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, as far as anybody needs it here
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kMGT]i?)?$")]


class RunnerKind(StrEnum):
    LOCAL = "local"
    KUBERNETES = "kubernetes"
    SKYPILOT = "skypilot"
    HOSTED = "hosted"


class Toleration(Record):
    key: str
    operator: Literal["Exists", "Equal"] = "Exists"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


class KubernetesPlace(Record):
    """A cluster whose pods see the service's data folder: by a claim, or by a host path on a single node."""

    #: None inside the cluster: the pod's own service account is used
    url: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    namespace: DnsLabel
    #: holds the checkout in `checkout` and the packages of requirements.txt for `python`
    image: str = Field(min_length=1)
    checkout: str = "/app"
    python: str = "python"
    #: exactly one of both; its root is UNDERSTUDY_DATA
    claim: DnsLabel | None = None
    host_path: Path | None = None
    #: user and group that own the data; root is refused
    user: int = Field(gt=0)
    group: int = Field(gt=0)
    gpus: int = Field(default=1, ge=0)
    gpu_resource: str = "nvidia.com/gpu"
    cpu: Quantity = "4"
    memory: Quantity = "32Gi"
    #: of one pod's whole training, restarts included
    deadline_seconds: int = Field(default=86_400, gt=0)
    #: how often a pod may fail by itself; losing its node does not count
    retries: int = Field(default=2, ge=0)
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    pull_secret: DnsLabel | None = None

    @model_validator(mode="after")
    def _check_volume(self) -> "KubernetesPlace":
        if (self.claim is None) == (self.host_path is None):
            raise ValueError("expected one of claim and host_path")
        return self


class GitCheckout(Record):
    url: str
    ref: str


class SkyPilotPlace(Record):
    """What to rent, and the bucket that checkpoints and results go through."""

    #: such as L4:1; None for a machine without
    accelerators: str | None = "L4:1"
    #: such as aws, gcp/us-central1; None lets SkyPilot choose the cheapest
    infra: str | None = None
    spot: bool = True
    disk_gb: int = Field(default=100, gt=0)
    #: such as s3://name or gs://name; it must exist
    bucket: str = Field(pattern=r"^(s3|gs)://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")
    #: this checkout as a folder, or as a repository and revision
    checkout: Path | GitCheckout
    setup: str = Field(min_length=1)
    python: str = ".venv/bin/python"
    #: restarts after the program itself failed; losing the machine does not count
    retries: int = Field(default=2, ge=0)
    #: the program, where it is not on PATH
    program: str = "sky"


class HostedPlace(Record):
    """A service that trains for others. What is sent there leaves this machine."""

    dialect: Literal["openai", "together"]
    #: with the version, without a slash at the end, such as https://api.together.ai/v1
    url: str
    #: the service's name of the base to train
    model: str = Field(min_length=1)
    key_file: Path
    epochs: int = Field(default=2, ge=1, le=50)
    #: LoRA's rank; OpenAI knows no such thing
    rank: int = Field(default=16, gt=0)
    learning_rate: float = Field(default=2e-4, gt=0)
    deadline_seconds: int = Field(default=86_400, gt=0)

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise ValueError("expected an address such as https://api.together.ai/v1") from None
        if parsed.scheme != "https" and parsed.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("expected https, for what is sent there is confidential")
        return url.rstrip("/")

    @property
    def host(self) -> str:
        return httpx.URL(self.url).host


def load_place(path: Path, kind: type[PlaceT]) -> PlaceT:
    """Raises:
    UserError: naming the file and the first key that is missing, unknown or wrong.
    """
    try:
        return kind.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"expected the runner's settings in {path}, could not read it: {error}") from error
    except yaml.YAMLError as error:
        raise UserError(f"expected YAML in {path}, got a text that is none") from error
    except ValidationError as error:
        wrong = explain(error, whole="the file")
        raise UserError(f"{path}: {wrong.field}: {wrong.words}; see the templates in infra/runners") from error
