"""`python -m tests.docs.quickstart [--keep DIR]` follows docs/quickstart.md line by line in a fresh clone and times it.

Its commands are run by a shell as they stand on the page; a person's clicks are made in the machine's own Chromium; a
stand-in GitHub is in the place of github.com, which the setup page is told as an Enterprise Server. The packages are
not installed again: the clone gets this checkout's environment, and `make install` finds it done. Needs a committed
state, Chromium, and some 4 GB of memory. Status 1 when it took over ten minutes or no review came of it.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml
from playwright.sync_api import Page

from app.domain.policies import parse_policy
from app.rehearsal.standin import StandIn, StandInServer
from docs.website.blocks import read_blocks
from docs.website.lines import CHECKOUT, parse_line
from tests.browsing import browsing
from tests.integration.rehearsal.standin.world import REPO, Clock, Worktree, World
from tests.integration.setup.test_installing import create, fill
from tests.ports import free_port

PAGE = CHECKOUT / "docs" / "quickstart.md"
LIMIT_SECONDS = 600.0
#: Of one step, where something is waited for.
_PATIENCE_SECONDS = 900.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S+/")
BEFORE = 'def total(order):\n    """Sum of an order in cents."""\n    return sum(item.amount for item in order)\n'
AFTER = (
    BEFORE
    + """

def load(path, password="hunter2"):
    data = eval(open(path).read())
    try:
        return data["orders"]
    except:
        pass
"""
)


@dataclass
class Walk:
    """One person in one clone. `seconds`: what was done → how long it took."""

    clone: Path
    world: World
    page: Page
    port: int
    install_address: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """A person's, and a port that is free here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "PYTHON"))}
        return kept | {"UNDERSTUDY_PORT": str(self.port), "NO_COLOR": "1", "COLUMNS": "160"}

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[what] = time.monotonic() - began
        sys.stdout.write(f"{self.seconds[what]:7.1f} s  {what}\n")
        sys.stdout.flush()


def read_commands() -> list[str]:
    """Of the page, in order."""
    blocks = read_blocks(PAGE.read_text(encoding="utf-8"))
    return [command for block in blocks if block.by == "quickstart" for command in block.commands]


def follow(walk: Walk) -> list[str]:
    """What the review says; every block of the page, in order, then what the page asks to do on GitHub."""
    with ExitStack() as stack:
        for command in read_commands():
            with walk.timed(command):
                _STEPS.get(parse_line(command).name, _run)(walk, command, stack)
        with walk.timed("install the App, write the policy file, open a pull request, and read its review"):
            return _review(walk)


def _run(walk: Walk, command: str, _stack: ExitStack) -> None:
    """To its end, which must be a good one."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=walk.clone, env=walk.environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")


def _start(walk: Walk, command: str, stack: ExitStack) -> Path:
    """In the background until the end of the walk; returns its log."""
    log = walk.clone / f"{parse_line(command).name.replace(' ', '-')}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=walk.clone,
            env=walk.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack.callback(_stop, process)
    return log


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(120)


def _until(ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing came of it in {_PATIENCE_SECONDS:.0f} s:\n{log.read_text()[-4000:]}")
        time.sleep(0.2)


def _set_up(walk: Walk, command: str, stack: ExitStack) -> None:
    """A person at the setup page, and at GitHub's."""
    log = _start(walk, command, stack)
    _until(lambda: bool(_ADDRESS.search(log.read_text())), log)
    found = _ADDRESS.search(log.read_text())
    assert found is not None
    walk.page.goto(found[0])
    fill(walk.page, walk.world, walk.url)
    create(walk.page)
    link = walk.page.get_by_role("link", name="installations/new").get_attribute("href")
    walk.install_address = link or ""
    _until((walk.clone / "data" / "understudy.env").exists, log)


def _serve_model(walk: Walk, command: str, stack: ExitStack) -> None:
    log = _start(walk, command, stack)
    _until((walk.clone / "data" / "serving" / "front.json").exists, log)


def _serve(walk: Walk, command: str, stack: ExitStack) -> None:
    log = _start(walk, command, stack)
    _until(lambda: _answers(f"{walk.url}/readyz"), log)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


#: By the command's name; what is not named is run to its end.
_STEPS: dict[str, Callable[[Walk, str, ExitStack], None]] = {
    "app setup": _set_up,
    "serving run": _serve_model,
    "app serve": _serve,
}


def _review(walk: Walk) -> list[str]:
    """Install the App, put the page's file on the default branch, open a pull request; what came of it."""
    walk.page.goto(walk.install_address)
    walk.page.get_by_role("button", name="Install").click()
    standin, work = walk.world.standin, walk.world.work
    work.commit({".github/understudy.yml": read_policy()}, "Let the base speak", "main")
    head = work.commit({"orders.py": AFTER}, "Load orders", "feature", start="main")
    number = standin.open_pull_request(REPO, author="bob", title="Load orders", head_ref="feature")

    def runs() -> list[str]:
        found = standin.check_runs(REPO, head)
        return [f"{one['name']}: {one['conclusion']}: {one['output']['title']}" for one in found if one["conclusion"]]

    _until(lambda: bool(runs()), walk.clone / "app-serve.log")
    comments = standin.review_comments(REPO, number)
    return [*runs(), *(f"{one['path']}:{one['line']}: {one['body'].splitlines()[0]}" for one in comments)]


def read_policy() -> str:
    """The page's own file, which lets the base review."""
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    if parse_policy(yaml.safe_load(text)).review.without_adapter != "base":
        raise SystemExit("expected the page's policy file to let the base review")
    return str(text)


@contextmanager
def started(folder: Path) -> Iterator[Walk]:
    """A fresh clone of what is committed here, a GitHub with one repository, and a browser."""
    clone = folder / "understudy"
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
    (clone / ".venv").symlink_to((CHECKOUT / ".venv").resolve())
    for name in ("requirements.txt", "requirements-torch.txt"):  # as old as the environment that holds them
        os.utime(clone / name, (0, 0))
    standin = StandIn(folder / "hub", webhook_secret="unused: the setup makes its own")
    bare, work = folder / "seed.git", folder / "work"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True)
    first = Worktree(work, bare).commit({"orders.py": BEFORE}, "Begin", "main")
    standin.add_repository(REPO, bare=bare)
    standin.add_collaborator(REPO, "ann", "admin")
    standin.add_collaborator(REPO, "bob", "write")
    with StandInServer(standin) as server, browsing() as page:
        world = World(standin, server, Clock(), Worktree(work, standin.bare_path(REPO)), first, first)
        yield Walk(clone, world, page, free_port())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="work in this new folder, and leave it there")
    folder = parser.parse_args().keep or Path(tempfile.mkdtemp(prefix="understudy-quickstart-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with started(folder) as walk:
            said = follow(walk)
    finally:
        if parser.parse_args().keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    took = sum(walk.seconds.values())
    sys.stdout.write("".join(f"{line}\n" for line in said))
    sys.stdout.write(f"{took:7.1f} s together, of {LIMIT_SECONDS:.0f}\n")
    return 0 if took <= LIMIT_SECONDS and said else 1


if __name__ == "__main__":
    sys.exit(main())
