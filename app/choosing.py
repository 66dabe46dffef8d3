"""What the settings choose and no setting can be judged by alone: where training is computed, rounds by the clock, what
texts are compared by. `serve` and the doctor judge by the same code."""

from collections.abc import Callable
from typing import NamedTuple

from app.dataset.sending import render_sent_rows
from app.domain.errors import UserError
from app.inference.embeddings import Embedder, EmbeddingPlace, make_embedder
from app.runners.choosing import make_runner
from app.runners.running import Runner
from app.settings import Settings
from app.workflows.triggers import parse_schedules


class Chosen(NamedTuple):
    """`schedules`: installation → cron. `embedder` None: names alone are compared."""

    runner: Runner
    schedules: dict[int, str]
    embedder: Embedder | None


def choose(settings: Settings) -> Chosen:
    """Nothing is asked and nothing is begun.

    Raises:
        UserError: for the first choice that can't be had.
    """
    return Chosen(_choose_runner(settings), _choose_schedules(settings), _choose_embedder(settings))


def find_refused(settings: Settings) -> tuple[str, ...]:
    """Every choice that `choose` would refuse, in its words."""
    return tuple(words for one in _CHOICES if (words := _refuse(one, settings)) is not None)


def _refuse(choice: Callable[[Settings], object], settings: Settings) -> str | None:
    try:
        choice(settings)
    except UserError as error:
        return str(error)
    return None


def _choose_runner(settings: Settings) -> Runner:
    return make_runner(
        settings.runner,
        settings.runner_config,
        data=settings.data.absolute(),
        agreed_host=settings.hosted_host,
        rows=render_sent_rows,
        judged=settings.judge is not None,
    )


def _choose_schedules(settings: Settings) -> dict[int, str]:
    return parse_schedules(settings.schedules)


def _choose_embedder(settings: Settings) -> Embedder | None:
    place = (settings.embedding, settings.embedding_model, settings.embedding_key_file, settings.embedding_host)
    return make_embedder(EmbeddingPlace(*place))


#: As `choose` takes them.
_CHOICES = (_choose_runner, _choose_schedules, _choose_embedder)
