"""The model card of a version: README.md with the YAML header that the Hugging Face hub reads. Pure."""

from typing import Any

import yaml

from app.domain.readable import code_span
from training.release.folder import RunFolder
from training.release.page import MEASURES, spell


def render_card(run: RunFolder) -> str:
    """Everything in it is a figure of the run or a hash; nothing is promised."""
    manifest = run.manifest
    header: dict[str, Any] = {
        "library_name": "peft",
        "base_model": manifest.base.name,
        "license": "unknown",
        "tags": ["code-review", "lora", "understudy"],
    }
    parts = [
        f"# {manifest.name}",
        f"Verdict of the gate: **{run.decision.verdict}**. A LoRA adapter (rank {manifest.rank}) of one team's review "
        "comments, with the Locator and the AcceptanceFilter that belong to it. It fits the base below and no other.",
        "**License: unknown.** It learned from code and words of the team whose repositories they come from. Ask its "
        "owners before you share it, and destroy it when what it learned from is erased.",
        "## Why the gate says so\n\n" + "\n".join(_reasons(run)),
        "## Figures\n\n" + "\n".join(_figures(run)),
        "## What it is made of\n\n" + "\n".join(_lineage(run)),
        "## What it does not do\n\n"
        "It writes a comment for a line that it is shown. It approves nothing, runs nothing, and knows nothing of code "
        "that is not in its prompt. Its figures hold for this team's later reviews as of the snapshot, and for "
        "no other team.",
    ]
    return f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n" + "\n\n".join(parts) + "\n"


def _reasons(run: RunFolder) -> list[str]:
    return [
        f"- {'advice' if reason.advisory else 'passed' if reason.passed else 'not passed'}, {reason.check}: "
        f"{code_span(reason.text)}"
        for reason in run.decision.reasons
    ]


def _figures(run: RunFolder) -> list[str]:
    lines = ["| arm | measure | value (95 % interval), rows |", "|---|---|---|"]
    for name, arm in run.arms.items():
        lines += [
            f"| {name} | {says} | {spell(figure)} |"
            for measure, says in MEASURES.items()
            if (figure := getattr(arm, measure)) is not None
        ]
    return lines


def _lineage(run: RunFolder) -> list[str]:
    base = run.manifest.base
    told = {
        "Base": f"{base.name} {base.revision}",
        "Base weights": base.weights_hash,
        "Tokenizer": base.tokenizer_hash,
        "Chat template": base.template_hash,
        "Snapshot": run.manifest.snapshot,
        "Suite": run.decision.suite,
        "Prompts": run.manifest.prompt_version,
        "Measured by": f"{run.candidate.engine}, {run.candidate.precision}",
        "Code": run.candidate.code_commit,
    }
    return [f"- {what}: {code_span(value)}" for what, value in told.items()]
