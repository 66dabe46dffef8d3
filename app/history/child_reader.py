"""Parsers are run on strangers' files in child processes, for a parser can be made to eat all memory or to crash.

Twenty kilobytes of `a<` cost tree-sitter's Java grammar 936 MB and 2.4 s, and twice the text four times that. A child
has limits of its own and no secrets: it is given the text on its standard input and nothing of our environment.
"""

import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parents[2]
#: Of one child: bytes it may address, seconds of work, seconds until it is given up.
MEMORY, CPU_SECONDS, LIMIT_SECONDS = 768 << 20, 5, 20.0
#: Whoever asks a child does so here, however many installations are served: two children are at work at once.
CHILDREN = ThreadPoolExecutor(max_workers=2, thread_name_prefix="child-reader")


class Told(NamedTuple):
    """`status` is 0, or how the child failed: its exit code, or a signal's number below 0."""

    status: int
    said: bytes


def ask_child(module: str, asked: bytes) -> Told:
    """Runs the module as a child that is told `asked`; what it said before it came to a limit is returned as well.

    Blocks; to be called in one of the threads of `CHILDREN`.
    """
    command = (sys.executable, "-s", "-m", module)
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env={"PYTHONPATH": str(_ROOT)},
    ) as child:
        try:
            said, _ = child.communicate(asked, timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            said, _ = child.communicate()
        except BaseException:
            child.kill()
            raise
    return Told(child.returncode, said)


def limit_child() -> None:
    """In the child, before it reads. A terminal's or supervisor's wish to end is for the service, which ends its input:
    a child that died of it would look like one that a file killed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
