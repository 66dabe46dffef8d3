"""Reads the scopes of a stranger's file in a child process."""

import asyncio
import json
import logging
import sys
from collections.abc import Collection, Mapping

from app.domain.scopes import Scope
from app.history.child_reader import CHILDREN, ask_child, limit_child
from app.history.enclosing import LARGEST_SOURCE, find_scopes
from app.history.languages import select_language

_log = logging.getLogger(__name__)


async def read_scopes(path: str, source: str, rows: Collection[int]) -> Mapping[int, tuple[Scope, ...]] | None:
    """As `find_scopes`; None as well when the child came to its limits, which is logged."""
    if select_language(path) is None or len(source) > LARGEST_SOURCE:
        return find_scopes(path, source, rows)
    asked = json.dumps({"path": path, "source": source, "rows": sorted(rows)}).encode()
    told = await asyncio.get_running_loop().run_in_executor(CHILDREN, ask_child, __name__, asked)
    if told.status != 0:
        _log.warning("the syntax tree of a file was given up: the reader ended with %s", told.status)
        return None
    found = json.loads(told.said)
    return None if found is None else {int(row): tuple(Scope(*one) for one in scopes) for row, scopes in found.items()}


def main() -> None:
    """In the child: one request on standard input, its answer on standard output."""
    limit_child()
    asked = json.load(sys.stdin)
    json.dump(find_scopes(asked["path"], asked["source"], asked["rows"]), sys.stdout)


if __name__ == "__main__":
    main()
