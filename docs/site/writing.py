"""What is written from the code: pages of the site alone, and pictures and tables that the checkout keeps."""

from pathlib import Path

from docs.site.pictures import render_pictures
from docs.site.staging import CHECKOUT


def render_pages() -> dict[str, str]:
    return {n: f"# {n}\n\ntext\n" for n in ("settings","policy-file","routes","commands")}


def update_pages() -> list[str]:
    """Write anew what the checkout keeps and the code no longer gives; their paths in the checkout."""
    written = {path: text for path, text in render_kept().items() if _read(CHECKOUT / path) != text}
    for path, text in written.items():
        (CHECKOUT / path).write_text(text, encoding="utf-8")
    return sorted(written)


def render_kept() -> dict[str, str]:
    """Path in the checkout → what should stand there."""
    return {f"docs/images/{name}": text for name, text in render_pictures().items()}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
