"""The typed training configuration: a packaged file, a person's file over it, each value with its origin."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from app.domain.base import Record, content_hash
from app.domain.errors import UserError

PACKAGED = Path(__file__).parent / "configs"
DEFAULT = "default"


class TrainingConfig(Record):
    """Everything that decides what comes out of a training. Only what vLLM can serve can be said here:

    there is no DoRA, no bias, no `modules_to_save`, no initialisation that changes the base.
    """

    #: qlora holds the frozen weights in 4 bits (NF4) while training; auto asks memory and base
    method: Literal["auto", "lora", "qlora"]
    rank: Literal[1, 8, 16, 32, 64]
    #: scale of the update is alpha / rank
    alpha: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    target_modules: tuple[str, ...] = Field(min_length=1)
    learning_rate: float = Field(gt=0, lt=1)
    schedule: Literal["cosine", "linear", "constant_with_warmup"]
    #: share of the steps
    warmup: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    #: expected passes over a row of full weight
    epochs: float = Field(gt=0)
    batch_rows: int = Field(gt=0)
    accumulate: int = Field(gt=0)
    #: tokens of prompt + completion; longer rows are refused and counted, never cut
    max_length: int = Field(ge=64)
    #: share of rows over max_length above which training is refused
    overlong_share: float = Field(ge=0, le=1)
    #: rows below are left out; 0..1
    minimum_weight: float = Field(ge=0, le=1)
    #: rows of the newest training comments to take, 0 = all
    newest_rows: int = Field(ge=0)
    #: share of the trained tokens that are general ones, against forgetting
    general_share: float = Field(ge=0, le=0.4)
    #: most of the trained tokens that are the team's descriptions, commit messages and docstrings
    written_share: float = Field(ge=0, le=0.4)
    #: share of the comments, whole pull requests, that are set aside to tell when to stop; 0 = train to the end
    validation_share: float = Field(ge=0, le=0.3)
    #: checkpoints in a row that may be worse than the best one
    patience: int = Field(gt=0)
    #: rows of a trial before the first training of a base or format, 0 = none
    pilot_rows: int = Field(ge=0)
    #: kto: afterwards, move away from comments that were rejected
    preference: Literal["none", "kto"]
    preference_rate: float = Field(gt=0, lt=1)
    preference_epochs: float = Field(gt=0)
    seed: int
    #: how the frozen weights are held while training; auto = bfloat16 where the processor multiplies it natively
    weight_precision: Literal["auto", "float32", "bfloat16"]
    #: 0 = one per core
    threads: int = Field(ge=0)
    checkpoint_every_steps: int = Field(gt=0)
    #: rows answered by greedy generation in an evaluation
    generated_rows: int = Field(ge=0)
    #: tokens of an answer in an evaluation
    answer_tokens: int = Field(gt=0)
    #: rows of the held-out part that are scored, 0 = all
    heldout_rows: int = Field(ge=0)
    #: what needs no training and is measured beside the base: each costs a scoring of the held-out part, or more
    arms: tuple[Literal["nearest", "tfidf", "prompt", "few_shot", "retrieval"], ...]
    #: rows that arms with a longer prompt (prompt, few_shot, retrieval) are measured on, 0 = as many as the base
    compared_rows: int = Field(ge=0)
    #: past comments shown in a prompt, and the tokens that they may add to it
    shots: int = Field(ge=1)
    shot_tokens: int = Field(ge=1)
    #: share of clean hunks in which the Locator may point at a line
    alarms_per_clean_hunk: float = Field(gt=0, lt=1)
    #: share of posted comments that the AcceptanceFilter wants acted on
    acceptance_precision: float = Field(gt=0, lt=1)
    #: known problems whose solutions are scored, passages of general text that are, and problems whose answers are run
    #: as programs; 0 = none
    forgetting_problems: int = Field(ge=0)
    forgetting_passages: int = Field(ge=0)
    forgetting_programs: int = Field(ge=0)
    #: tokens of an answer that is run
    forgetting_answer_tokens: int = Field(gt=0)
    #: an MBPP file; "" = none
    mbpp: str
    #: rare strings of training comments that are asked for, 0 = none but those a file plants
    canaries: int = Field(ge=0)

    @property
    def hash(self) -> str:
        return content_hash("cf1", self.model_dump(mode="json"))


@dataclass(frozen=True)
class ResolvedConfig:
    """The configuration in force and, per key, the file that said so."""

    config: TrainingConfig
    origins: dict[str, str]

    def lines(self) -> list[str]:
        values = self.config.model_dump(mode="json")
        return [f"{key} = {values[key]}  ({self.origins[key]})" for key in TrainingConfig.model_fields]


def resolve_config(choice: str | None = None) -> ResolvedConfig:
    """`choice` is a packaged name (default, demo, smoke), a file, or None. What a file leaves out, default.yaml says.

    Raises:
        UserError: naming the file and the key that is unknown, missing or out of range.
    """
    files = [PACKAGED / f"{DEFAULT}.yaml"]
    if choice not in (None, DEFAULT):
        files.append(_locate(str(choice)))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for path in files:
        said = _read(path)
        values |= said
        origins |= dict.fromkeys(said, path.name)
    try:
        return ResolvedConfig(TrainingConfig.model_validate(values), origins)
    except ValidationError as error:
        detail = error.errors()[0]
        key = ".".join(str(part) for part in detail["loc"])
        source = origins.get(key.split(".", maxsplit=1)[0], files[-1].name)
        known = f"; known keys: {', '.join(TrainingConfig.model_fields)}" if detail["type"] == "extra_forbidden" else ""
        raise UserError(f"{source}: {key}: {detail['msg']}{known}") from error


def _locate(choice: str) -> Path:
    packaged = PACKAGED / f"{choice}.yaml"
    path = packaged if packaged.is_file() else Path(choice)
    if not path.is_file():
        names = ", ".join(sorted(item.stem for item in PACKAGED.glob("*.yaml")))
        raise UserError(f"expected a configuration file or one of {names}, found neither at {choice}")
    return path


def _read(path: Path) -> dict[str, Any]:
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{path}: expected YAML, got text that is none ({error})") from error
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise UserError(f"{path}: expected `key: value` lines, got a {type(said).__name__}")
    return {str(key): value for key, value in said.items()}
