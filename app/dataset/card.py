"""The dataset card of an export: README.md with the YAML header that the Hugging Face hub and `datasets` read. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from app.dataset.formats import CONVERSATION, Format
from app.domain.base import Record
from app.domain.readable import code_span
from app.domain.snapshots import SnapshotManifest

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


class CardConfig(Record):
    """A part of the export that is loaded as one: split → (file, rows)."""

    name: str
    splits: dict[str, tuple[str, int]]


def render_card(
    manifest: SnapshotManifest,
    form: Format,
    configs: Sequence[CardConfig],
    *,
    refused: Mapping[str, int],
    scanned: bool,
) -> str:
    """`refused` counts the rows that were left out for a secret; `scanned` says whether anybody looked."""
    header = yaml.safe_dump(_header(configs), sort_keys=False, allow_unicode=True)
    body = "\n\n".join([_title(manifest), _contents(configs), _carried(form), _origin(manifest, refused, scanned)])
    return f"---\n{header}---\n{body}\n"


def _header(configs: Sequence[CardConfig]) -> dict[str, Any]:
    rows = sum(count for config in configs for _, count in config.splits.values())
    listed = []
    for number, config in enumerate(configs):
        # A file without rows has no types to infer, and would stop the others from loading.
        files = [{"split": split, "path": path} for split, (path, count) in config.splits.items() if count]
        if files:
            default = {"default": True} if number == 0 else {}
            listed.append({"config_name": config.name, "data_files": files, **default})
    return {
        "pretty_name": "Review comments of one team",
        "license": "unknown",
        "language": ["code", "und"],
        "task_categories": ["text-generation"],
        "size_categories": [next((name for limit, name in _SIZES if rows < limit), "n>1M")],
        "tags": ["code-review", "understudy"],
        "configs": listed,
    }


def _title(manifest: SnapshotManifest) -> str:
    return (
        f"# Review comments of installation {code_span(manifest.installation)}\n\n"
        f"Snapshot {code_span(manifest.id)}, made {manifest.created_at:%Y-%m-%d}, prompts of version "
        f"{code_span(manifest.prompt_version)}. What reviewers said of lines of code, and what became of it.\n\n"
        "**License: unknown.** The rows hold code, words and login names of the team whose repositories they come "
        "from. Ask its owners before you share them, and honour erasure: rows that were erased there must go here too."
    )


def _contents(configs: Sequence[CardConfig]) -> str:
    lines = ["## Contents", "", "| config | split | file | rows |", "|---|---|---|---|"]
    for config in configs:
        lines += [f"| {config.name} | {split} | {path} | {n} |" for split, (path, n) in config.splits.items()]
    return "\n".join(lines)


def _carried(form: Format) -> str:
    if form is Format.PARQUET:
        what = (
            "Every table of the snapshot is here with its own columns: what to say (`comments`, `written`), where "
            "reviewers spoke and kept silent (`lines`), whether the team acted (`outcomes`)."
        )
    else:
        what = (
            f"The lines of this format carry questions and answers only ({_column(form)}). They do **not** carry where "
            "reviewers kept silent, nor whether the team acted: those rows lie unchanged in `snapshot/`."
        )
    return (
        f"## What {code_span(form.value)} carries\n\n{what}\n\n"
        "**Lossless** means here: `.venv/bin/python -m app dataset import` of this whole folder makes the snapshot "
        "again, byte for byte and with the same id. A single file of it gives its own rows back whole and nothing "
        "else, so the snapshot that is made of one file has another id."
    )


def _column(form: Format) -> str:
    return "`prompt`, `completion`" if form is Format.TRL else f"`{CONVERSATION[form]}`"


def _origin(manifest: SnapshotManifest, refused: Mapping[str, int], scanned: bool) -> str:
    lines = [
        "## Where it comes from",
        "",
        f"- Source: {code_span(manifest.source)}",
        f"- Split: {code_span(manifest.split)}",
    ]
    lines += [f"- Left out, {code_span(reason)}: {count} rows" for reason, count in manifest.left_out.items()]
    if scanned:
        lines.append(f"- Scanned for secrets at export: {sum(refused.values())} rows refused")
    else:
        lines.append("- **Not** scanned for secrets at export")
    return "\n".join(lines)
