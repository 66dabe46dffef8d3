"""Assembles an AdapterVersion: where, what and whether in one folder, probes beside them, the manifest last."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.domain.adapters import AdapterManifest, Probe
from app.domain.goldens import FILE as GOLDENS
from app.domain.goldens import Goldens
from app.domain.prompt import PROMPT_VERSION
from training.base.tokens import load_tokenizer
from training.evaluation.scoring import Scorer
from training.process.environment import read_packages
from training.process.files import hash_file, save_record, save_text
from training.process.runkey import RunKey
from training.recipes.adapter_files import CONFIG, WEIGHTS
from training.rows.snapshot import Snapshot
from training.rows.tokenising import encode_comment

PROBES = 3


def measure_probes(snapshot: Snapshot, base: Path, adapter: Path) -> list[Probe]:
    """Stored answers for the serving probe: three held-out rows, the shortest, for the probe runs at every load."""
    tokenizer = load_tokenizer(base)
    rows = sorted(
        (encode_comment(tokenizer, row) for row in snapshot.comments("heldout")),
        key=lambda row: (len(row.tokens), row.example),
    )[:PROBES]
    scorer = Scorer(base, adapter, tokenizer)
    adapted = scorer.logprobs(rows)
    with scorer.without_adapter():
        bare = scorer.logprobs(rows)
    return [
        Probe(
            tokens=row.tokens,
            completion_tokens=row.completion_tokens,
            adapter_logprob=round(ours, 6),
            base_logprob=round(theirs, 6),
        )
        for row, ours, theirs in zip(rows, adapted, bare, strict=True)
    ]


def assemble_version(
    out: Path,
    *,
    key: RunKey,
    adapter: Path,
    scores: Sequence[Path],
    probes: Sequence[Probe],
    goldens: Goldens,
    installation: str,
) -> AdapterManifest:
    """Build `out` beside its place and rename it there, so it is whole or absent."""
    beside = out.with_name(f".{out.name}.making")
    for old in (beside, out):
        shutil.rmtree(old, ignore_errors=True)
    (beside / "adapter").mkdir(parents=True)
    for name in (CONFIG, WEIGHTS):
        shutil.copyfile(adapter / name, beside / "adapter" / name)
    for path in scores:
        shutil.copyfile(path, beside / path.name)
    save_record(beside / GOLDENS, goldens)
    save_text(beside / "probes.json", json.dumps([probe.model_dump(mode="json") for probe in probes]) + "\n")
    manifest = AdapterManifest(
        installation=installation,
        base=key.base,
        prompt_version=PROMPT_VERSION,
        snapshot=key.snapshot,
        rank=key.config.rank,
        seed=key.config.seed,
        config=key.config.model_dump(mode="json"),
        packages=read_packages(),
        files={str(path.relative_to(beside)): hash_file(path) for path in sorted(beside.rglob("*")) if path.is_file()},
        created_at=datetime.now(UTC),
    )
    save_record(beside / "manifest.json", manifest)
    beside.rename(out)
    return manifest
