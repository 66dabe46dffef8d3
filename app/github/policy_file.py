"""Reading `.github/understudy.yml`, with the place of everything in it. A file that can't be read changes nothing."""

import logging
from typing import Any

import yaml
from pydantic import Field

from app.domain.base import Record
from app.domain.policies import RepositoryPolicy, check_policy, dotted

_log = logging.getLogger(__name__)
#: A policy is a few lines; whatever is larger is none.
LARGEST_BYTES = 16_384
_DEEPEST = 10
_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
#: Problems told in one sentence.
_TOLD = 5
_NO_YAML = "expected YAML, got a text that is none; check its indentation and quotes"


class PlacedProblem(Record):
    """`line` and `column`, both from 1, of what is wrong; None when it is the whole file."""

    text: str
    line: int | None = None
    column: int | None = None

    @property
    def told(self) -> str:
        return self.text if self.line is None else f"line {self.line}, column {self.column}: {self.text}"


class PolicyFile(Record):
    """`problems` say why the default policy is in force although there is a file. `lines`: the line of each key that
    the file has, `review.mode` for one of a section."""

    policy: RepositoryPolicy = RepositoryPolicy()
    problems: tuple[PlacedProblem, ...] = ()
    lines: dict[str, int] = Field(default_factory=dict)

    @property
    def problem(self) -> str | None:
        """The first problems, for people to read."""
        return "; ".join(problem.told for problem in self.problems[:_TOLD]) or None


class ProposedPolicy(Record):
    """`proposed`: the file at a head commit, None where it has none. `differs`: from the one in force, byte by byte."""

    in_force: PolicyFile
    proposed: PolicyFile | None
    differs: bool


class _Unreadable(Exception):
    def __init__(self, problem: PlacedProblem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def read_policy(blob: dict[str, Any] | None) -> PolicyFile:
    """From GraphQL's `object(expression: "HEAD:…") { ... on Blob { text byteSize } }`; absent is the default.

    Whatever the text is, this answers: everything that is done for a repository begins with its policy.
    """
    if not blob:
        return PolicyFile()
    try:
        return _read(blob)
    except _Unreadable as error:
        return PolicyFile(problems=(error.problem,))
    except Exception as error:  # noqa: BLE001 - anybody may bring a text on which the parser fails in a way of its own
        _log.warning("a policy file made its reader fail: %s", type(error).__name__)
        return PolicyFile(problems=(PlacedProblem(text=_NO_YAML),))


def _read(blob: dict[str, Any]) -> PolicyFile:
    node, value = _parse_yaml(blob)
    policy, problems = check_policy(value)
    placed = (_placed(problem.text, _mark(node, problem.place, is_key=problem.is_key)) for problem in problems)
    found = sorted(placed, key=lambda one: (one.line or 0, one.column or 0))
    return PolicyFile(policy=policy, problems=tuple(found), lines={} if found else _lines(node))


def _parse_yaml(blob: dict[str, Any]) -> tuple[yaml.Node | None, object]:
    text = blob.get("text")
    if text is None or int(blob.get("byteSize") or 0) > LARGEST_BYTES:
        told = f"expected a text of at most {LARGEST_BYTES} bytes, got a larger or a binary file"
        raise _Unreadable(PlacedProblem(text=told))
    try:
        _refuse_hostile(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        _refuse_twins(node)
        return node, None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        raise _Unreadable(_placed(_NO_YAML, getattr(error, "problem_mark", None))) from None


def _refuse_hostile(text: str) -> None:
    """Anybody's pull request brings such a text: one that grows, or that takes the parser seconds, ends here."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            told = "expected plain keys and values, got a YAML alias; write the value out"
            raise _Unreadable(_placed(told, token.start_mark))
        if isinstance(token, yaml.TagToken):
            told = "expected plain keys and values, got a YAML tag; write the value without it"
            raise _Unreadable(_placed(told, token.start_mark))
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEEPEST:
            raise _Unreadable(_placed(f"expected at most {_DEEPEST} levels, got more", token.start_mark))


def _refuse_twins(node: yaml.Node | None) -> None:
    """The parser would take the last of two and say nothing."""
    known: set[object] = set()
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is not None and name in known:
            raise _Unreadable(_placed(f"expected each key once, got {name[:40]} again", key.start_mark))
        known.add(name)
        _refuse_twins(value)


def _placed(text: str, mark: Any) -> PlacedProblem:  # noqa: ANN401  the library's marks have no public type
    if mark is None:
        return PlacedProblem(text=text)
    return PlacedProblem(text=text, line=mark.line + 1, column=mark.column + 1)


def _mark(node: yaml.Node | None, place: tuple[str | int, ...], *, is_key: bool) -> Any:  # noqa: ANN401  as above
    """Where a key or value begins; where its section does, when it is nowhere in the text."""
    if node is None:
        return None
    if not place:
        return node.start_mark
    first, rest = place[0], place[1:]
    if isinstance(node, yaml.SequenceNode) and isinstance(first, int) and first < len(node.value):
        return _mark(node.value[first], rest, is_key=is_key)
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == str(first):
            return key.start_mark if is_key and not rest else _mark(value, rest, is_key=is_key)
    return node.start_mark


def _lines(node: yaml.Node | None, above: tuple[str, ...] = ()) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        place = (*above, str(key.value))
        found[dotted(place)] = key.start_mark.line + 1
        found |= _lines(value, place)
    return found
