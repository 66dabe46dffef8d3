"""Whether: what the version's AcceptanceFilter would have let pass of the held-out comments."""

from collections.abc import Sequence
from pathlib import Path

from app.domain.evals import AcceptanceRecord
from app.domain.snapshots import OutcomeRow
from training.evaluation.measures import share_figure
from training.scores.acceptance import KIND, read_texts
from training.scores.text_scores import TextScores, load_scores


def open_filter(adapter: Path) -> TextScores | None:
    """The version's own. None for an adapter that comes without one: then every comment passes."""
    stored = adapter / "filter.skops"
    return load_scores(stored, KIND) if stored.is_file() else None


def measure_whether(rows: Sequence[OutcomeRow], fitted: TextScores) -> AcceptanceRecord:
    """`rows`: what became of held-out comments, none of which the filter was fitted on."""
    texts = read_texts([row.line_text for row in rows], [row.body for row in rows])
    passes = fitted.score(texts, len(rows)) >= fitted.threshold if rows else ()
    judged = [(bool(passed), row.accepted) for passed, row in zip(passes, rows, strict=True)]
    return AcceptanceRecord(
        kept=share_figure([passed for passed, accepted in judged if accepted]),
        precision=share_figure([accepted for passed, accepted in judged if passed]),
        base_rate=share_figure([accepted for _, accepted in judged]),
    )
