"""The page on the gate names every threshold there is, and no other."""

import re
from pathlib import Path

from app.domain.evals import GatePolicy

PAGE = Path(__file__).parents[2] / "docs" / "proving.md"


def test_every_key_of_the_policy_is_explained_and_none_is_invented() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    told = {key for row in rows for key in re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])}
    assert told == set(GatePolicy.model_fields)
