"""Whether: scores a drafted comment with the installation's AcceptanceFilter."""

from pathlib import Path

from app.domain.prompt import LINE_WIDTH
from app.inference.text_scores import Scorer, load_text_scores


class AcceptanceFilter(Scorer):
    """The probability that this team acts on a comment. One that learned too little lets every comment pass."""

    def score(self, line_text: str, body: str) -> float:
        """A probability in 0..1 for the words `body` about the line `line_text`.

        Its indentation, and what is past LINE_WIDTH characters, does not matter.
        """
        return self.scores.score({"line_text": [line_text.strip()[:LINE_WIDTH]], "body": [body]}, 1)[0]


def load_acceptance(path: Path) -> AcceptanceFilter:
    """Read an adapter folder's `filter.skops`.

    Raises:
        Refused: when the file holds more than plain data.
        UserError: when it is absent, damaged or of another schema.
    """
    return AcceptanceFilter(load_text_scores(path, "filter"))
