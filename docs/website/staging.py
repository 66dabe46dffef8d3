"""The site's sources, laid out as Sphinx reads them: the checkout's own pages with their links mended, a page for each
section, and the pages that are written from the code."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from docs.website.blocks import show_proofs
from docs.website.lines import show_told
from docs.website.links import FILES, Kind, mend_links
from docs.website.navigation import SECTIONS, Page, Section
from docs.website.proofs import NAMED

CHECKOUT = Path(__file__).parents[2]
_HOME = "docs/index.md"


def stage(target: Path, written: Mapping[str, str]) -> None:
    """Make `target` anew. `written` is name → text of every page without a source."""
    shutil.rmtree(target, ignore_errors=True)
    places = find_places()
    linked: set[str] = set()
    for source, place in places.items():
        if not source.endswith(".md"):
            _copy(source, target / place)
            continue
        text = (CHECKOUT / source).read_text(encoding="utf-8")
        mended = mend_links(show_told(show_proofs(text, NAMED)), source=source, name=place, places=places, kind=_kind)
        linked |= mended.files
        _write(target / place, mended.text + _contents(source))
    for source in linked:
        _copy(source, target / FILES / source)
    for section in SECTIONS:
        _write(target / f"{section.name}.md", _render_section(section))
    for name, text in written.items():
        _write(target / f"{name}.md", show_proofs(text, NAMED))


def find_places() -> dict[str, str]:
    """Path in the checkout → path in the site, of every page and picture that is there."""
    pages = [(page.source, f"{page.name}.md") for section in SECTIONS for page in section.pages]
    named = {
        source: place for source, place in [(_HOME, "index.md"), *pages] if source and (CHECKOUT / source).exists()
    }
    decisions = {f"docs/adr/{path.name}": f"adr/{path.name}" for path in CHECKOUT.glob("docs/adr/[0-9]*.md")}
    pictures = {f"docs/images/{path.name}": f"images/{path.name}" for path in CHECKOUT.glob("docs/images/*")}
    return {**named, **decisions, **pictures}


def _contents(source: str) -> str:
    """The table of contents that a page brings with it, unseen in the checkout."""
    if source == _HOME:
        return _toctree([section.name for section in SECTIONS], hidden=True)
    if source == "docs/adr/README.md":
        return _toctree(sorted(f"{path.stem}" for path in CHECKOUT.glob("docs/adr/[0-9]*.md")))
    return ""


def _render_section(section: Section) -> str:
    pages = [page for page in section.pages if _exists(page)]
    rows = "".join(f"{{doc}}`{page.title} <{page.name}>`\n: {page.about}\n\n" for page in pages)
    named = [f"{page.title} <{page.name}>" for page in pages]
    return f"# {section.title}\n\n{section.about}\n\n{rows}{_toctree(named, hidden=True)}"


def _exists(page: Page) -> bool:
    return page.source is None or (CHECKOUT / page.source).exists()


def _toctree(names: list[str], *, hidden: bool = False) -> str:
    options = ":hidden:\n" if hidden else ":maxdepth: 1\n"
    return "\n\n```{toctree}\n" + options + "\n" + "\n".join(names) + "\n```\n"


def _kind(path: str) -> Kind | None:
    there = CHECKOUT / path
    return "file" if there.is_file() else "folder" if there.is_dir() else None


def _copy(source: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CHECKOUT / source, target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
