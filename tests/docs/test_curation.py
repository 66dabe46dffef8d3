"""docs/curation.md says labels, commands and a policy file that work as written."""

import re
from pathlib import Path

import yaml

from app.curation.decision import LABELS
from app.domain.commands import Verb, parse_command
from app.domain.policies import RepositoryPolicy, parse_policy

TEXT = (Path(__file__).parents[2] / "docs" / "curation.md").read_text(encoding="utf-8")


def test_every_label_is_there() -> None:
    assert sorted(re.findall(r"^\| `(understudy:\w+)` \|", TEXT, re.MULTILINE)) == sorted(LABELS)


def test_every_command_is_there_and_understood() -> None:
    told = [parse_command(line.strip()) for line in re.findall(r"^    /understudy.*$", TEXT, re.MULTILINE)]
    assert {command.verb for command in told if command is not None} == set(Verb) - {Verb.UNKNOWN}
    assert len(told) == len(set(Verb)) - 1


def test_the_policy_file_is_valid_and_shows_every_key() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    said = yaml.safe_load(block)
    assert set(said) == set(RepositoryPolicy.model_fields)
    assert parse_policy(said).opt_out == ("octocat",)
