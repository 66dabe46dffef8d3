"""Where: scores the added lines of a pull request with the installation's Locator."""

from collections.abc import Sequence
from pathlib import Path

from app.domain.lines import LineSite, render_pairs
from app.inference.text_scores import Scorer, load_text_scores

#: Sites whose texts are held at once.
_BATCH = 256


class Locator(Scorer):
    """A probability per added line that this team's reviewers would comment on it. One that abstains never speaks."""

    def score(self, sites: Sequence[LineSite]) -> list[float]:
        """One probability in 0..1 per site, in order."""
        batches = (sites[start : start + _BATCH] for start in range(0, len(sites), _BATCH))
        return [score for batch in batches for score in self._score_batch(batch)]

    def _score_batch(self, sites: Sequence[LineSite]) -> list[float]:
        texts = {field: [_text(site, field) for site in sites] for field in self.scores.fields}
        return self.scores.score(texts, len(sites))


def load_locator(path: Path) -> Locator:
    """Read an adapter folder's `locator.skops`.

    Raises:
        Refused: when the file holds more than plain data.
        UserError: when it is absent, damaged or of another schema.
    """
    return Locator(load_text_scores(path, "locator"))


def _text(site: LineSite, field: str) -> str:
    return render_pairs(site) if field == "pairs" else str(getattr(site, field))
