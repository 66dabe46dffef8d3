"""What a repository's owners say of learning and reviewing, in `.github/understudy.yml` of the default branch. Pure."""

import json
from enum import StrEnum
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from app.domain.base import Record
from app.domain.errors import UserError
from app.domain.findings import Severity
from app.domain.review_policy import DEFAULT_REVIEW, STARS, ReviewMode, ReviewPolicy, WithoutAdapter, unquoted_off

POLICY_PATH = ".github/understudy.yml"
SCHEMA_PATH = "docs/understudy.schema.json"


class Curation(StrEnum):
    """`MANUAL`: only what a person approves · `EVIDENCE`: strong evidence by a writer too · `OFF`: nothing at all."""

    MANUAL = "manual"
    EVIDENCE = "evidence"
    OFF = "off"


Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})(?:\[bot\])?$")]


class RepositoryPolicy(Record):
    """`opt_out`: people whose words are never learned. `summary`: whether a merged pull request gets a comment that
    lists its candidates. `history`: the owners' word that commit messages, docstrings and pull request descriptions
    may be learned from. `curation: off` ends reviews, too: who wants nothing kept wants no review kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[int, Field(ge=1, le=1)] = Field(1, description="of this file's form")
    curation: Annotated[Curation, Field(strict=False), BeforeValidator(unquoted_off)] = Field(
        Curation.MANUAL, description="who lets comments in: people only, strong evidence too, or nothing and nobody"
    )
    opt_out: Annotated[tuple[Login, ...], Field(strict=False, max_length=1_000)] = Field(
        (), description="people whose words and pull requests are never learned"
    )
    summary: bool = Field(default=True, description="one comment on a merged pull request that lists its candidates")
    history: bool = Field(
        default=False, description="commit messages, docstrings and descriptions of pull requests may be learned from"
    )
    review: ReviewPolicy = Field(DEFAULT_REVIEW, description="how reviews are made")

    @property
    def is_history_open(self) -> bool:
        """`curation: off` says that nothing at all is learned, whatever else the file says."""
        return self.history and self.curation is not Curation.OFF

    @property
    def is_reviewing(self) -> bool:
        return self.curation is not Curation.OFF and self.review.mode is not ReviewMode.OFF

    def is_opted_out(self, login: str) -> bool:
        """GitHub's logins know no case."""
        return login.lower() in {one.lower() for one in self.opt_out}


class PolicyProblem(Record):
    """`place` leads from the file's top to what is wrong; `is_key` when the key itself is, not its value."""

    place: tuple[str | int, ...] = ()
    is_key: bool = False
    text: str


def parse_policy(value: object) -> RepositoryPolicy:
    """From the parsed file; an empty one is the default policy.

    Raises:
        UserError: naming every key that is unknown or has a value it can't have, for people to read.
    """
    policy, problems = check_policy(value)
    if problems:
        raise UserError("; ".join(problem.text for problem in problems[:5]))
    return policy


def check_policy(value: object) -> tuple[RepositoryPolicy, tuple[PolicyProblem, ...]]:
    """The policy, or the default one and what is wrong, in the file's order of keys."""
    if value is None:
        return RepositoryPolicy(), ()
    if not isinstance(value, dict):
        text = f"expected keys such as `curation: manual`, got {_kind(value)}; see the documentation"
        return RepositoryPolicy(), (PolicyProblem(text=text),)
    try:
        return RepositoryPolicy.model_validate(value), ()
    except ValidationError as error:
        return RepositoryPolicy(), tuple(_problem(item["type"], item["loc"]) for item in error.errors())


def render_schema() -> str:
    """The JSON Schema of the file, for editors; the same text whenever the types are the same."""
    shown: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": POLICY_PATH}
    schema = RepositoryPolicy.model_json_schema()
    shown |= {key: value for key, value in schema.items() if key != "title"}
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def dotted(place: tuple[str | int, ...]) -> str:
    """`review.mode`, without the number of an item of a list."""
    return ".".join(str(part)[:40] for part in place if isinstance(part, str))


_SECTIONS: dict[str, type[Record]] = {"": RepositoryPolicy, "review": ReviewPolicy}
_LIST_OF_PATTERNS = f"a list of patterns as .gitignore writes them, with at most {STARS} stars each"
_EXPECTED = {
    "version": "1",
    "curation": f"one of {', '.join(Curation)}",
    "opt_out": "a list of GitHub logins",
    "review": "keys such as `mode: post`",
    "review.mode": f"one of {', '.join(ReviewMode)}",
    "review.paths": _LIST_OF_PATTERNS,
    "review.ignore": _LIST_OF_PATTERNS,
    "review.max_comments": "a whole number from 1 to 20",
    "review.max_tokens": "a whole number from 1,000 to 1,000,000",
    "review.max_seconds": "a whole number from 10 to 3,600",
    "review.agreement": "a whole number from 1 to 5",
    "review.min_severity": f"one of {', '.join(get_args(Severity))}",
    "review.instructions": "a text of at most 2,000 characters",
    "review.tone": "a text of at most 200 characters",
    "review.without_adapter": f"one of {', '.join(WithoutAdapter)}",
    "review.holdback": "a number from 0 to 0.5",
}


def _problem(kind: str, place: tuple[int | str, ...]) -> PolicyProblem:
    """Keys of others are cut short, values are not repeated at all."""
    key, last = dotted(place), next(iter(place[-1:]), None)
    if last is None:
        return PolicyProblem(text="expected keys that are plain text, got one that is none; see the documentation")
    if kind in ("extra_forbidden", "invalid_key"):
        section = dotted(place[:-1])
        known = ", ".join(_SECTIONS[section].model_fields)
        inside = f" in {section}" if section else ""
        told = f"expected only the keys {known}{inside}, got {str(last)[:40]}"
        return PolicyProblem(place=place, is_key=True, text=told)
    item = f" (item {last + 1})" if isinstance(last, int) else ""
    return PolicyProblem(place=place, text=f"expected {key} to be {_EXPECTED.get(key, 'true or false')}{item}")


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "plain text" if isinstance(value, str) else "something else"
