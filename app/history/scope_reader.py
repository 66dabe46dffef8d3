"""Reads the scopes of a stranger's file in a child process, for a parser can be made to eat all memory.

Twenty kilobytes of `a<` cost tree-sitter's Java grammar 936 MB and 2.4 s, and twice the text four times that. The child
has limits of its own and no secrets: it is given the text on its standard input and nothing of our environment.
"""

import asyncio
import json
import logging
import resource
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from app.domain.scopes import Scope
from app.history.enclosing import LARGEST_SOURCE, find_scopes
from app.history.languages import select_language

_ROOT = Path(__file__).parents[2]
#: Of the child: bytes it may address, seconds of work, seconds until it is given up.
_MEMORY, _CPU_SECONDS, _LIMIT_SECONDS = 768 << 20, 5, 20.0
_log = logging.getLogger(__name__)


async def read_scopes(path: str, source: str, rows: Collection[int]) -> Mapping[int, tuple[Scope, ...]] | None:
    """As `find_scopes`; None as well when the child came to its limits, which is logged."""
    if select_language(path) is None or len(source) > LARGEST_SOURCE:
        return find_scopes(path, source, rows)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-s", "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT,
        env={"PYTHONPATH": str(_ROOT)},
    )
    asked = json.dumps({"path": path, "source": source, "rows": sorted(rows)})
    try:
        said, _ = await asyncio.wait_for(child.communicate(asked.encode()), _LIMIT_SECONDS)
    except TimeoutError:
        said = b""
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        _log.warning("the syntax tree of %r was given up: the reader ended with %s", path[:200], child.returncode)
        return None
    found = json.loads(said)
    return None if found is None else {int(row): tuple(Scope(*one) for one in scopes) for row, scopes in found.items()}


def main() -> None:
    """In the child: one request on standard input, its answer on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = json.load(sys.stdin)
    json.dump(find_scopes(asked["path"], asked["source"], asked["rows"]), sys.stdout)


if __name__ == "__main__":
    main()
