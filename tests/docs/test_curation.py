"""docs/curation.md and docs/reviewing.md say labels, commands and a policy file that work as written."""

import re
import shlex
from pathlib import Path

import yaml

from app.curation.decision import LABELS
from app.curation.label_commands import render_label_commands
from app.domain.commands import Verb, parse_command
from app.domain.policies import RepositoryPolicy, parse_policy
from app.domain.review_policy import DEFAULT_REVIEW, STARS, ReviewPolicy
from app.review.base_prompt import AGENTS_CHARACTERS
from app.review.messages import CHECK_NAME

REVIEWING = (Path(__file__).parents[2] / "docs" / "reviewing.md").read_text(encoding="utf-8")
TEXT = (Path(__file__).parents[2] / "docs" / "curation.md").read_text(encoding="utf-8")


def test_every_label_is_there() -> None:
    assert sorted(re.findall(r"^\| `(understudy:\w+)` \|", TEXT, re.MULTILINE)) == sorted(LABELS)


def test_the_lines_that_make_the_labels_are_those_of_the_setup() -> None:
    made = render_label_commands()
    assert tuple(re.findall(r"^    (gh label create .*)$", TEXT, re.MULTILINE)) == made
    assert [shlex.split(line)[3] for line in made] == list(LABELS)
    described = [shlex.split(line)[9] for line in made]
    assert all(len(words) <= 100 for words in described), "GitHub refuses longer ones"
    assert "Make them first" in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_check_run_is_called_as_the_quickstart_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "quickstart.md").read_text(encoding="utf-8")
    assert f"it has a check run, *{CHECK_NAME}*," in page


def test_every_command_is_there_and_understood() -> None:
    told = [parse_command(line.strip()) for line in re.findall(r"^    /understudy.*$", TEXT + REVIEWING, re.MULTILINE)]
    assert {command.verb for command in told if command is not None} == set(Verb) - {Verb.UNKNOWN}
    rows = re.findall(r"^\| `([a-z `,]+)` \|", REVIEWING, re.MULTILINE)
    explained = {Verb(verb) for row in rows for verb in row.split("`, `")}
    assert explained == set(Verb) - {Verb.KEEP, Verb.DROP, Verb.UNKNOWN}


def test_the_policy_file_is_valid_and_shows_every_key() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    said = yaml.safe_load(block)
    assert set(said) == set(RepositoryPolicy.model_fields) - {"review"}
    assert parse_policy(said).opt_out == ("octocat",)


def test_the_section_on_reviews_is_valid_and_shows_every_key_with_its_default() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", REVIEWING, re.DOTALL)
    said = yaml.safe_load(block)
    policy = parse_policy(said).review
    assert set(said["review"]) == set(ReviewPolicy.model_fields)
    shown = ("mode", "max_comments", "min_severity", "drafts", "without_adapter", "read_agents_file")
    assert {key: getattr(policy, key) for key in shown} == {key: getattr(DEFAULT_REVIEW, key) for key in shown}
    assert policy.decide_left_out("src/testdata/golden.py") is None
    assert policy.decide_left_out("src/testdata/other.py") == "ignored"
    assert f"first {AGENTS_CHARACTERS:,} characters" in REVIEWING
    assert f"at most {STARS} stars" in REVIEWING
