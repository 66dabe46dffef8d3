"""What a repository's owners say about learning from it, in `.github/understudy.yml` on the default branch. Pure."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from app.domain.base import Record
from app.domain.errors import UserError

POLICY_PATH = ".github/understudy.yml"


class Curation(StrEnum):
    """`MANUAL`: only what a person approves · `EVIDENCE`: strong evidence by a writer too · `OFF`: nothing at all."""

    MANUAL = "manual"
    EVIDENCE = "evidence"
    OFF = "off"


Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})(?:\[bot\])?$")]


class RepositoryPolicy(Record):
    """`opt_out`: people whose words are never learned. `summary`: whether a merged pull request gets a comment that
    lists its candidates. `history`: the owners' word that commit messages, docstrings and pull request descriptions
    may be learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    curation: Annotated[Curation, Field(strict=False)] = Curation.MANUAL
    opt_out: Annotated[tuple[Login, ...], Field(strict=False, max_length=1_000)] = ()
    summary: bool = True
    history: bool = False

    @property
    def is_history_open(self) -> bool:
        """`curation: off` says that nothing at all is learned, whatever else the file says."""
        return self.history and self.curation is not Curation.OFF

    def is_opted_out(self, login: str) -> bool:
        """GitHub's logins know no case."""
        return login.lower() in {one.lower() for one in self.opt_out}


def parse_policy(value: object) -> RepositoryPolicy:
    """From the parsed file; an empty one is the default policy.

    Raises:
        UserError: naming every key that is unknown or has a value it can't have, for people to read.
    """
    if value is None:
        return RepositoryPolicy()
    if not isinstance(value, dict):
        raise UserError(f"expected keys such as `curation: manual`, got {_kind(value)}; see the documentation")
    if value.get("curation") is False:  # what YAML 1.1 makes of a bare `off`
        value = value | {"curation": Curation.OFF.value}
    try:
        return RepositoryPolicy.model_validate(value)
    except ValidationError as error:
        raise UserError("; ".join(_told(problem["type"], problem["loc"]) for problem in error.errors()[:5])) from None


_KNOWN = ", ".join(RepositoryPolicy.model_fields)
_EXPECTED = {
    "curation": f"one of {', '.join(Curation)}",
    "opt_out": "a list of GitHub logins",
    "summary": "true or false",
    "history": "true or false",
}


def _told(kind: str, place: tuple[int | str, ...]) -> str:
    """Keys of others are cut short, values are not repeated at all."""
    key = str(place[0])[:40] if place else "?"
    if kind == "extra_forbidden":
        return f"expected only the keys {_KNOWN}, got {key}"
    where = f" (item {int(place[1]) + 1})" if len(place) > 1 and isinstance(place[1], int) else ""
    return f"expected {key} to be {_EXPECTED.get(key, 'another value')}{where}"


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "plain text" if isinstance(value, str) else "something else"
