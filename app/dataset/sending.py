"""The rows of a snapshot that go to a hosted service, and no others."""

from pathlib import Path

from app.dataset.formats import Format, render_line, spoken_rows
from app.dataset.reading import load_held
from app.dataset.refusing import refuse_secrets
from app.domain.errors import UserError
from app.screening.secrets import find_secret


def render_sent_rows(folder: Path) -> bytes:
    """The training part in OpenAI's chat format, a row a line, without rows that hold a secret. The held-out part
    stays here: what it is for is to measure what comes back.

    Raises:
        UserError: when `folder` is no snapshot, was changed, or nothing is left of it.
    """
    refusal = refuse_secrets(load_held(folder), find_secret)
    rows = [render_line(row, Format.OPENAI) for row in spoken_rows(refusal.held, "train")]
    if not rows:
        raise UserError(f"expected rows to train on in {folder}, got none that hold no secret")
    return b"".join(rows)
