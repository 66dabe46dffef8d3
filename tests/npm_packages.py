"""Public descriptions and recorded payloads of GitHub that the tests hold our code against, by exact version.

They are inputs of the tests, not dependencies of the service: fetched once by the ordinary npm client into the ignored
folder `.work/npm` of this checkout, and read from there ever after.
"""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

_CACHE = Path(__file__).resolve().parent.parent / ".work" / "npm"
_SECONDS = 180


@cache
def npm_package(name: str, version: str) -> Path:
    """Folder of one unpacked npm package, e.g. `npm_package("@octokit/webhooks-examples", "7.6.1")`.

    Install scripts never run. Several test processes may ask at once: a file lock lets one fetch and the others wait.
    Where npm or its registry cannot be had the calling test is skipped, and the reason says so.
    """
    home = _CACHE / f"{name.replace('/', '__')}@{version}"
    folder = home / "node_modules" / name
    done = home / "complete"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{home}.lock", timeout=_SECONDS):
        if not done.exists():
            _install(f"{name}@{version}", home)
            done.touch()
    return folder


def _install(package: str, home: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip(f"{package} is needed and npm is not on PATH: install Node.js with npm")
    home.mkdir(parents=True, exist_ok=True)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    command = ["npm", "install", *options, "--prefix", str(home), package]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{package} did not arrive within {_SECONDS} s")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{package} could not be installed by npm: {error.stderr.strip()[-500:]}")
