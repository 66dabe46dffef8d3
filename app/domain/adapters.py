"""What is trained, and what it fits: BaseCheckpoint, AdapterManifest, the states of an AdapterVersion.

An adapter folder is one version of where, what and whether together:

    adapter/adapter_config.json, adapter/adapter_model.safetensors     what  (PEFT LoRA)
    locator.skops                                                      where
    filter.skops                                                       whether
    probes.json                                                        stored log-probabilities for the serving probe
    goldens.json                                                       fixed texts and prompts as token ids
    manifest.json                                                      written last
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from app.domain.base import Record, content_hash
from app.domain.errors import Refused

#: Held in a training run's folder: by whoever trains there, and by the service's child from first to last moment (it
#: loads for seconds before it trains). Two names, for one process cannot take the same lock twice.
TRAINER_LOCK = ".lock"
CHILD_LOCK = "run.lock"
ADAPTER_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}--[0-9a-f]{12}$")


class BaseCheckpoint(Record):
    """A base by name and revision, and the fingerprints that prove it. All hashes are sha256 in hex."""

    name: str
    revision: str
    weights_hash: str
    tokenizer_hash: str
    template_hash: str


class AdapterState(StrEnum):
    CANDIDATE = "candidate"
    REJECTED = "rejected"
    PROMOTED = "promoted"
    RETIRED = "retired"
    #: its weights are destroyed: something it learned from was erased
    ERASED = "erased"


class AdapterManifest(Record):
    schema_version: Literal["adapter/1"] = "adapter/1"
    installation: str
    base: BaseCheckpoint
    prompt_version: str
    snapshot: str
    rank: int
    seed: int
    config: dict[str, Any]
    packages: dict[str, str]
    #: path inside the folder → sha256 of its bytes
    files: dict[str, str]
    created_at: datetime

    @property
    def name(self) -> str:
        """Immutable: `<installation>--<12 hex of the content>`; the moment of training is no content."""
        digest = content_hash("ad1", self.model_dump(mode="json", exclude={"created_at"})).split(":")[1]
        return f"{self.installation}--{digest[:12]}"


class Probe(Record):
    """A stored answer: mean log-probability per completion token, measured by transformers + PEFT at training.

    `tokens` is prompt + completion; the mean is over the last `completion_tokens` of them.
    """

    tokens: tuple[int, ...]
    completion_tokens: int
    adapter_logprob: float
    base_logprob: float


def check_base(manifest: AdapterManifest, served: BaseCheckpoint) -> None:
    """An adapter only fits the very base it was trained on.

    Raises:
        Refused: naming the first fingerprint that differs.
    """
    for field in ("name", "revision", "weights_hash", "tokenizer_hash", "template_hash"):
        wanted, found = getattr(manifest.base, field), getattr(served, field)
        if wanted != found:
            raise Refused(
                "other_base",
                f"adapter {manifest.name} was trained on a base with {field} {wanted}, but {found} is served; "
                "serve that base or retrain the adapter on this one",
            )
