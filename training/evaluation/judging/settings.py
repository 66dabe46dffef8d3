"""Who may judge, at what cost: a person's file. Without one nobody is asked and nothing leaves this machine."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import Field, ValidationError, model_validator

from app.domain.adapters import ADAPTER_NAME, BaseCheckpoint
from app.domain.base import Record
from app.domain.errors import Refused, UserError
from app.domain.explaining import explain
from app.domain.serving import BASE_NAME

_ANTHROPIC = "https://api.anthropic.com"


class JudgeSettings(Record):
    """`endpoint` anthropic needs `send_code_to_anthropic: true`, for the prompts hold the team's code and words.

    `local` is any server with `/v1/messages` that the operator names (vLLM has it). `cache` keeps answers by what was
    asked. `max_calls` and `max_tokens` (in and out) bound one evaluation; what is over stays unanswered.
    """

    endpoint: Literal["anthropic", "local"]
    model: str = Field(min_length=1)
    key_file: Path
    url: str | None = None
    send_code_to_anthropic: bool = False
    #: the adapter's own base rates its own comments nearly at random; only for those who know that
    own_base_may_judge: bool = False
    #: also ask for marks 1..5, which doubles the calls
    rubric: bool = True
    cache: Path | None = None
    max_calls: int = Field(default=2_000, gt=0)
    max_tokens: int = Field(default=3_000_000, gt=0)
    answer_tokens: int = Field(default=400, gt=0)
    at_once: int = Field(default=4, gt=0, le=32)
    #: tries after the first, with the SDK's growing pauses, on 408, 409, 429, 5xx (529 too) and lost connections
    retries: int = Field(default=4, ge=0)
    timeout_seconds: float = Field(default=120.0, gt=0)

    @model_validator(mode="after")
    def _check_endpoint(self) -> Self:
        host = urlsplit(self.url or "").hostname or ""
        if self.endpoint == "local" and not host:
            raise ValueError("url: expected the address of the local endpoint, got none")
        if self.endpoint == "local" and host.endswith("anthropic.com"):
            raise ValueError("endpoint: expected anthropic for a url of Anthropic, got local")
        if self.endpoint == "anthropic" and not self.send_code_to_anthropic:
            raise ValueError("send_code_to_anthropic: expected true, for a judge there reads the team's code")
        return self

    @property
    def address(self) -> str:
        """Where it listens, without the route."""
        return (self.url or _ANTHROPIC).rstrip("/")

    def read_key(self) -> str:
        """The key, from its own file and never from the environment.

        Raises:
            UserError: when there is none.
        """
        try:
            key = self.key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UserError(f"expected the judge's key in {self.key_file}, got {error.strerror!r}") from error
        if not key:
            raise UserError(f"expected the judge's key in {self.key_file}, got an empty file")
        return key


def load_judge(path: Path) -> JudgeSettings:
    """Settings from a YAML file; relative paths in it start at its folder.

    Raises:
        UserError: naming the file and the key that is unknown, missing or wrong.
    """
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        settings = JudgeSettings.model_validate(said)
    except OSError as error:
        raise UserError(f"expected a judge's settings at {path}, got {error.strerror!r}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: expected YAML, got text that is none ({error})") from error
    except ValidationError as error:
        wrong = explain(error, whole="the document")
        raise UserError(f"{path}: {wrong.field}: {wrong.words}") from error
    folder = path.parent
    cache = None if settings.cache is None else folder / settings.cache
    return settings.model_copy(update={"key_file": folder / settings.key_file, "cache": cache})


def check_judge(settings: JudgeSettings, base: BaseCheckpoint) -> None:
    """By name only: a server that gives the base another name is not seen through.

    Raises:
        Refused: when the judge is the base that is judged, or an adapter of it.
    """
    name = settings.model.rsplit("/", 1)[-1]
    own = name.lower() in (BASE_NAME, base.name.lower()) or ADAPTER_NAME.match(name) is not None
    if settings.endpoint == "local" and own and not settings.own_base_may_judge:
        raise Refused(
            "own_judge",
            f"expected another model than {settings.model} to judge comments of base {base.name}: a model rates its "
            "own words nearly at random; name another, or set own_base_may_judge and read its marks as noise",
        )
