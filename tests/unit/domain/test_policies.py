"""What a policy file may say, and what its writer is told when it says something else."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from app.domain.errors import UserError
from app.domain.policies import SCHEMA_PATH, Curation, RepositoryPolicy, parse_policy, render_schema
from app.domain.review_policy import ReviewMode, ReviewPolicy, WithoutAdapter, is_held_back
from app.github.policy_file import LARGEST_BYTES, read_policy


def blob(text: str | None) -> dict[str, Any]:
    return {"text": text, "byteSize": len(text or "")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", RepositoryPolicy()),
        ("curation: off", RepositoryPolicy(curation=Curation.OFF)),
        ("curation: 'evidence'\nopt_out: [ada, Grace-H]\nsummary: false", RepositoryPolicy(
            curation=Curation.EVIDENCE, opt_out=("ada", "Grace-H"), summary=False)),
        ("history: true", RepositoryPolicy(history=True)),
        ("version: 1\nreview: {mode: off, max_comments: 20, holdback: 0}", RepositoryPolicy(
            review=ReviewPolicy(mode=ReviewMode.OFF, max_comments=20))),
        ("review:\n  paths: [src/]\n  without_adapter: base\n  tone: |\n    dry", RepositoryPolicy(
            review=ReviewPolicy(paths=("src/",), without_adapter=WithoutAdapter.BASE, tone="dry"))),
    ],
)  # fmt: skip
def test_what_can_be_said(text: str, expected: RepositoryPolicy) -> None:
    found = read_policy(blob(text))
    assert (found.policy, found.problem) == (expected, None)


REVIEW = ", ".join(ReviewPolicy.model_fields)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("curation: sometimes", "line 1, column 11: expected curation to be one of manual, evidence, off"),
        ("summary: true\ncuraton: off", "line 2, column 1: expected only the keys version, curation, opt_out, summary, "
         "history, review, got curaton"),
        ("version: 2", "line 1, column 10: expected version to be 1"),
        ("version: true", "line 1, column 10: expected version to be 1"),
        ("opt_out: ada", "line 1, column 10: expected opt_out to be a list of GitHub logins"),
        ("opt_out:\n  - ada\n  - a b", "line 3, column 5: expected opt_out to be a list of GitHub logins (item 2)"),
        ("summary: 1", "line 1, column 10: expected summary to be true or false"),
        ("history: 1", "line 1, column 10: expected history to be true or false"),
        ("1: 2", "line 1, column 1: expected only the keys version, curation, opt_out, summary, history, review, got "
         "1"),
        ("review: post", "line 1, column 9: expected review to be keys such as `mode: post`"),
        ("review:\n  mod: post", f"line 2, column 3: expected only the keys {REVIEW} in review, got mod"),
        ("review:\n  mode: loud\n  holdback: 0.6", "line 2, column 9: expected review.mode to be one of post, shadow, "
         "off; line 3, column 13: expected review.holdback to be a number from 0 to 0.5"),
        ("review: {max_comments: 21}", "line 1, column 24: expected review.max_comments to be a whole number from 1 to "
         "20"),
        ("review: {max_comments: true}", "line 1, column 24: expected review.max_comments to be a whole number from 1 "
         "to 20"),
        ("review:\n  ignore: ['!']", "line 2, column 12: expected review.ignore to be a list of patterns as .gitignore "
         "writes them, with at most 8 stars each (item 1)"),
        ("review:\n  paths: [src, '*********']", "line 2, column 16: expected review.paths to be a list of patterns as "
         ".gitignore writes them, with at most 8 stars each (item 2)"),
        ("- curation", "line 1, column 1: expected keys such as `curation: manual`, got a list; see the documentation"),
        ("summary: true\nsummary: false", "line 2, column 1: expected each key once, got summary again"),
        ("a: &x [1]\nb: *x", "line 2, column 4: expected plain keys and values, got a YAML alias; write the value out"),
        ("a: [", "line 1, column 5: expected YAML, got a text that is none; check its indentation and quotes"),
        ("!!python/object/apply:os.system [true]", "line 1, column 1: expected plain keys and values, got a YAML "
         "tag; write the value without it"),
        ("#" * (LARGEST_BYTES + 1), f"expected a text of at most {LARGEST_BYTES} bytes, got a larger or a binary file"),
        ("[" * 16_000, "line 1, column 11: expected at most 10 levels, got more"),
        ("- " * 8_000, "line 1, column 21: expected at most 10 levels, got more"),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_told_and_the_default_stays(text: str, problem: str) -> None:
    found = read_policy(blob(text))
    assert (found.policy, found.problem) == (RepositoryPolicy(), problem)


def test_the_history_is_closed_unless_the_owners_open_it_and_where_nothing_is_learned_at_all() -> None:
    texts = ("", "history: false", "history: true", "history: true\ncuration: off", "history: yes please")
    assert [read_policy(blob(text)).policy.is_history_open for text in texts] == [False, False, True, False, False]


def test_a_binary_file_is_none() -> None:
    assert read_policy(blob(None)).problem is not None


def test_values_are_not_repeated() -> None:
    with pytest.raises(UserError) as caught:
        parse_policy({"curation": "secret-value"})
    assert "secret-value" not in str(caught.value)


def test_every_key_that_is_said_has_its_line() -> None:
    found = read_policy(blob("curation: manual\n\nreview:\n  mode: shadow\n  ignore:\n    - a\n"))
    assert found.lines == {"curation": 1, "review": 3, "review.mode": 4, "review.ignore": 5}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("src/a.py", None),
        ("src/deep/a.py", None),
        ("src/gen/a.py", "ignored"),
        ("src/gen/keep.py", None),
        ("docs/a.py", "outside_paths"),
        ("a.py", "outside_paths"),
    ],
)
def test_patterns_are_read_as_git_reads_them(path: str, reason: str | None) -> None:
    policy = ReviewPolicy(paths=("/src/",), ignore=("**/gen/*", "!**/gen/keep.py"))
    assert policy.decide_left_out(path) == reason


def test_the_control_group_is_the_share_that_was_asked_for_and_grows_with_it() -> None:
    pulls = [(repository, number) for repository in range(40) for number in range(100)]
    held = {share: {one for one in pulls if is_held_back(share, *one)} for share in (0.0, 0.1, 0.5)}
    assert held[0.0] == set()
    assert held[0.1] < held[0.5]
    assert abs(len(held[0.1]) / len(pulls) - 0.1) < 0.02
    assert abs(len(held[0.5]) / len(pulls) - 0.5) < 0.03


def test_the_published_schema_is_that_of_the_types() -> None:
    published = Path(__file__).parents[3] / SCHEMA_PATH
    assert published.read_text(encoding="utf-8") == render_schema(), f"run: python -m app policy > {SCHEMA_PATH}"


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("curation: 'off'\nreview: {mode: shadow, holdback: 0.25}", True),
        ("version: 2", False),
        ("reviews: {}", False),
        ("review: {nope: 1}", False),
        ("review: {max_comments: 0}", False),
        ("opt_out: [a b]", False),
    ],
)
def test_the_schema_takes_what_the_parser_takes(text: str, is_valid: bool) -> None:
    judge = Draft202012Validator(json.loads(render_schema()))
    assert judge.is_valid(yaml.safe_load(text)) == is_valid
    assert (read_policy(blob(text)).problem is None) == is_valid


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: !!bool maybe", "a YAML tag"),
        ("version: !!int ''", "a YAML tag"),
        ("version: !!float ''", "a YAML tag"),
        ("version: !!timestamp x", "a YAML tag"),
        ("review: !!python/object:os.system x", "a YAML tag"),
        ("version: " + "1:" * 3_000 + "1.5", "expected YAML"),
        ('"\\ud800": "\\ud800"', "plain text"),
        ("? [a]\n: b", "expected YAML"),
    ],
)
def test_a_text_on_which_the_parser_fails_in_its_own_way_is_a_problem(text: str, told: str) -> None:
    found = read_policy(blob(text))
    assert told in (found.problem or "")
    assert found.policy == RepositoryPolicy()
