"""What OpenAI's and Together's fine-tuning services want to be told, and what their answers mean. Pure.

OpenAI: https://platform.openai.com/docs/api-reference/fine-tuning, and the types of its package `openai` 3.54.
Together: https://docs.together.ai/reference, and the types of its package `together` 3.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from app.domain.errors import UserError
from app.runners.places import HostedPlace
from app.runners.progress import TrainingProgress

#: https://platform.openai.com/docs/deprecations: no new jobs for anybody from the day after.
OPENAI_LAST_DAY = date(2027, 1, 6)
OPENAI_CLOSES = f"OpenAI takes new fine-tuning jobs until {OPENAI_LAST_DAY}, and from many organisations none now"
_OPENAI_HOST = "api.openai.com"


class HostedState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_STATES = {
    "succeeded": HostedState.SUCCEEDED,
    "completed": HostedState.SUCCEEDED,
    "failed": HostedState.FAILED,
    "error": HostedState.FAILED,
    "user_error": HostedState.FAILED,
    "cancelled": HostedState.FAILED,
}


@dataclass(frozen=True)
class HostedJob:
    """A job as either service tells it. `model` is set once it succeeded."""

    id: str
    state: HostedState
    status: str
    model: str | None
    reason: str
    trained_tokens: int | None
    eta_seconds: float | None


def check_open(place: HostedPlace, today: date) -> None:
    """Raises:
    UserError: when the service takes no more jobs.
    """
    if place.host == _OPENAI_HOST and today > OPENAI_LAST_DAY:
        raise UserError(f"expected a service that trains, but {OPENAI_CLOSES}; take another runner")


def jobs_path(place: HostedPlace) -> str:
    return "/fine_tuning/jobs" if place.dialect == "openai" else "/fine-tunes"


def render_request(place: HostedPlace, *, file: str, name: str, seed: int) -> dict[str, Any]:
    """The body that creates a job. `name` marks it as ours, so that it is found again."""
    common = {"training_file": file, "model": place.model, "suffix": name}
    if place.dialect == "openai":
        method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": place.epochs}}}
        return {**common, "seed": seed, "method": method, "metadata": {"understudy_run": name}}
    return {
        **common,
        "n_epochs": place.epochs,
        "learning_rate": place.learning_rate,
        "warmup_ratio": 0.05,
        "max_grad_norm": 1.0,
        "weight_decay": 0.0,
        "batch_size": "max",
        "random_seed": seed,
        "training_type": {"type": "Lora", "lora_r": place.rank, "lora_alpha": 2 * place.rank},
        "training_method": {"method": "sft", "train_on_inputs": False},
    }


def parse_job(body: dict[str, Any]) -> HostedJob:
    """Raises:
    KeyError: when it is no job of either service.
    """
    error = body.get("error") or {}
    progress = body.get("progress") or {}
    return HostedJob(
        id=str(body["id"]),
        state=_STATES.get(str(body["status"]), HostedState.RUNNING),
        status=str(body["status"]),
        model=body.get("fine_tuned_model") or body.get("model_output_name"),
        reason=str(error.get("message") or "no reason given")[:500] if isinstance(error, dict) else str(error)[:500],
        trained_tokens=body.get("trained_tokens") or body.get("token_count"),
        eta_seconds=float(progress["seconds_remaining"]) if progress.get("estimate_available") else None,
    )


def select_ours(bodies: Sequence[dict[str, Any]], name: str, told: Sequence[str]) -> HostedJob | None:
    """The newest job that carries our name and whose end was not told yet."""
    ours = [body for body in bodies if name in _marks(body) and str(body["id"]) not in told]
    newest = max(ours, key=lambda body: str(body.get("created_at", "")), default=None)
    return None if newest is None else parse_job(newest)


def _marks(body: dict[str, Any]) -> tuple[str, ...]:
    return ((body.get("metadata") or {}).get("understudy_run", ""), body.get("suffix") or "")


def select_file(bodies: Sequence[dict[str, Any]], filename: str, size: int) -> str | None:
    """The id of the file that was uploaded before; its name holds the hash of its bytes."""
    return next(
        (str(body["id"]) for body in bodies if body.get("filename") == filename and body.get("bytes") == size), None
    )


def parse_progress(events: Sequence[dict[str, Any]], job: HostedJob) -> TrainingProgress | None:
    """From the newest event that tells a step: OpenAI's in `data`, Together's beside the message."""
    for event in sorted(events, key=lambda one: str(one.get("created_at", "")), reverse=True):
        told = event.get("data") or event
        if isinstance(told, dict) and told.get("step") is not None:
            return TrainingProgress(
                stage="hosted",
                step=int(told["step"]),
                total=int(told.get("total_steps") or 0),
                loss=told.get("train_loss"),
                eta_seconds=job.eta_seconds,
            )
    return None
