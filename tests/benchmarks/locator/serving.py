"""What a line costs the service, from the stored file on."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.domain.lines import LineSite
from app.inference.locator import load_locator
from training.scores.text_scores import TextScores, save_scores

_LINES = 1000


def time_scoring(scores: TextScores, sites: Sequence[LineSite]) -> float:
    """Processor milliseconds to score 1,000 lines as the service does; the fastest of three."""
    with tempfile.TemporaryDirectory() as folder:
        save_scores(Path(folder) / "locator.skops", scores)
        locator = load_locator(Path(folder) / "locator.skops")
    asked = list(sites[:_LINES])
    spent = []
    for _ in range(3):
        began = time.process_time()
        locator.score(asked)
        spent.append(time.process_time() - began)
    return round(1000 * min(spent) * _LINES / len(asked), 1)
