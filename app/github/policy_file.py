"""Reading `.github/understudy.yml` of the default branch. A file that can't be read changes nothing."""

from typing import Any

import yaml

from app.domain.base import Record
from app.domain.errors import UserError
from app.domain.policies import RepositoryPolicy, parse_policy

#: A policy is a few lines; whatever is larger is none.
LARGEST_BYTES = 16_384


class PolicyFile(Record):
    """`problem` says to a person why the default policy is in force although there is a file."""

    policy: RepositoryPolicy = RepositoryPolicy()
    problem: str | None = None


def read_policy(blob: dict[str, Any] | None) -> PolicyFile:
    """From GraphQL's `object(expression: "HEAD:…") { ... on Blob { text byteSize } }`; absent is the default."""
    if not blob:
        return PolicyFile()
    try:
        return PolicyFile(policy=parse_policy(_parse_yaml(blob)))
    except UserError as error:
        return PolicyFile(problem=str(error))


def _parse_yaml(blob: dict[str, Any]) -> object:
    text = blob.get("text")
    if text is None or int(blob.get("byteSize") or 0) > LARGEST_BYTES:
        raise UserError(f"expected a text of at most {LARGEST_BYTES} bytes, got a larger or a binary file")
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise UserError("expected plain keys and values, got a YAML alias; write the value out")
        parsed: object = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" at line {line + 1}"
        raise UserError(f"expected YAML, got a text that is none{where}; check its indentation and quotes") from None
    return parsed
