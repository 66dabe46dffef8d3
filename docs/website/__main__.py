"""`python -m docs.website [--out DIR]`: write the pages that come from the code, and build the site."""

import argparse
import subprocess
import sys
from pathlib import Path

from docs.website.staging import CHECKOUT, stage
from docs.website.writing import render_pages, update_pages

_HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """The exit status of Sphinx, for which every warning is an error."""
    parser = argparse.ArgumentParser(prog="python -m docs.website", description=__doc__)
    parser.add_argument("--out", type=Path, default=CHECKOUT / ".work" / "site", help="folder of the built site")
    out = parser.parse_args(arguments).out.absolute()
    for page in update_pages():
        print(f"written anew: {page}")
    return build(out)


def build(out: Path) -> int:
    """The site in `out`, its sources and what Sphinx remembers beside it."""
    sources = out.with_name(f"{out.name}-sources")
    stage(sources, render_pages())
    done = run_sphinx(sources, out)
    if done == 0:
        print(f"the site is in {out}/index.html")
    return done


def run_sphinx(sources: Path, out: Path) -> int:
    """Its exit status; every link or anchor that leads nowhere makes it 1. A process of its own: what Sphinx and its
    extensions warn of each other is not ours."""
    options = ["-W", "--keep-going", "-q", "-E", "-c", str(_HERE), "-d", str(out.with_name(f"{out.name}-doctrees"))]
    command = [sys.executable, "-m", "sphinx", *options, str(sources), str(out)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
