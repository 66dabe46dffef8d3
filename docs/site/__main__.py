"""`python -m docs.site [--out DIR]`: write the pages that come from the code, and build the site."""

import argparse
import sys
from pathlib import Path

from docs.site.staging import CHECKOUT, stage
from docs.site.writing import render_pages, update_pages

_HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """The exit status of Sphinx, for which every warning is an error."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=CHECKOUT / ".work" / "site", help="folder of the built site")
    out = parser.parse_args(arguments).out.absolute()
    for page in update_pages():
        print(f"written anew: {page}")
    return build(out)


def build(out: Path) -> int:
    """The site in `out`, its sources and what Sphinx remembers beside it."""
    from sphinx.cmd.build import main as sphinx

    sources = out.with_name(f"{out.name}-sources")
    stage(sources, render_pages())
    done = sphinx(["-W", "--keep-going", "-q", "-E", "-c", str(_HERE), "-d", f"{out}-doctrees", str(sources), str(out)])
    if done == 0:
        print(f"the site is in {out}/index.html")
    return done


if __name__ == "__main__":
    sys.exit(main())
