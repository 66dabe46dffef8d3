"""The page on the gate names every threshold there is, and no other."""

import re
from pathlib import Path

from app.domain.evals import GatePolicy
from training.evaluation.judging.settings import load_judge

PAGE = Path(__file__).parents[2] / "docs" / "proving.md"


def test_every_key_of_the_policy_is_explained_and_none_is_invented() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    told = {key for row in rows for key in re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])}
    assert told == set(GatePolicy.model_fields)


def test_the_judges_file_on_the_page_is_one_that_is_taken(tmp_path: Path) -> None:
    text = PAGE.read_text()
    (shown,) = re.findall(r"(?:^    \w+: .+\n)+", text, re.MULTILINE)
    (tmp_path / "judge.yaml").write_text("".join(line.strip() + "\n" for line in shown.splitlines()))
    settings = load_judge(tmp_path / "judge.yaml")
    assert (settings.endpoint, settings.key_file) == ("local", tmp_path / "judge.key")
    assert "send_code_to_anthropic: true" in text
