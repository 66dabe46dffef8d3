"""What is written from the code: pages of the site alone, and pictures and tables that the checkout keeps."""

from pathlib import Path

from docs.website.costs import fill_costs
from docs.website.pictures import render_pictures
from docs.website.reference.commands import render_commands
from docs.website.reference.policy_file import render_policy_file
from docs.website.reference.routes import render_routes
from docs.website.reference.settings import render_settings
from docs.website.staging import CHECKOUT

_COSTS = "docs/cost.md"


def render_pages() -> dict[str, str]:
    """Name of a page in the site → its text."""
    return {
        "settings": render_settings(),
        "policy-file": render_policy_file(),
        "routes": render_routes(),
        "commands": render_commands(),
    }


def update_pages() -> list[str]:
    """Write anew what the checkout keeps and the code no longer gives; their paths in the checkout."""
    written = {path: text for path, text in render_kept().items() if _read(CHECKOUT / path) != text}
    for path, text in written.items():
        (CHECKOUT / path).write_text(text, encoding="utf-8")
    return sorted(written)


def render_kept() -> dict[str, str]:
    """Path in the checkout → what should stand there."""
    pictures = {f"docs/images/{name}": text for name, text in render_pictures().items()}
    return {**pictures, _COSTS: fill_costs(_read(CHECKOUT / _COSTS) or "")}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
