"""Seals a finished run: page, card, the list of every file's hash, and the signature over that list."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from app.domain.releases import ReleaseManifest
from training.process.files import hash_file, save_record, save_text
from training.release.card import render_card
from training.release.folder import POLICY, SERVED, SERVED_DECISION, SPOT_CHECK, open_run
from training.release.page import render_page
from training.release.signing import ensure_key, sign

PAGE, CARD, RELEASE, SIGNATURE = "report.html", "card.md", "release.json", "release.sig.json"
_DECISIONS = (POLICY, "decision.json", SERVED_DECISION, SPOT_CHECK)
_SEALED = (*_DECISIONS, "run.json", "sft.json", "preflight.json", "estimate.json", PAGE, CARD)


def seal_run(folder: Path, key: Path | None) -> ReleaseManifest:
    """Write report.html, card.md and release.json; with a key also release.sig.json. Says what the run says now.

    Raises:
        UserError: when the run is not finished, or the key file holds no key.
    """
    run = open_run(folder)
    save_text(folder / PAGE, render_page(run))
    save_text(folder / CARD, render_card(run))
    release = ReleaseManifest(
        adapter=run.manifest.name,
        snapshot=run.manifest.snapshot,
        base=run.manifest.base,
        verdict=run.decision.verdict,
        files={str(path.relative_to(folder)): hash_file(path) for path in list_sealed(folder)},
        created_at=datetime.now(UTC),
    )
    (folder / SIGNATURE).unlink(missing_ok=True)  # the old one would be over other bytes
    save_record(folder / RELEASE, release)
    if key is not None:
        save_record(folder / SIGNATURE, sign(ensure_key(key), (folder / RELEASE).read_bytes()))
    return release


def list_sealed(folder: Path) -> Iterator[Path]:
    """All that a seal is over, as the folder is now; checkpoints and logs are not."""
    yield from (folder / name for name in _SEALED if (folder / name).is_file())
    for part in ("reports", SERVED, "version"):
        yield from sorted(path for path in (folder / part).rglob("*") if path.is_file())
