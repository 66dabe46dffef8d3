"""What a person and the service see of a training: human lines on stdout, the same as JSON lines in a file."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path


class Progress:
    """Appends to `progress.jsonl`; a line is written whole or, after a crash, is the last one and half."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._started = time.monotonic()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)

    def say(self, text: str) -> None:
        """For the reader only."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def report(
        self,
        stage: str,
        step: int,
        total: int,
        *,
        loss: float | None = None,
        tokens_per_second: float | None = None,
        eta_seconds: float | None = None,
        text: str | None = None,
    ) -> None:
        """One step of a stage, to both readers. `eta_seconds` is the time left of this stage."""
        row = {
            "stage": stage,
            "step": step,
            "total": total,
            "loss": None if loss is None else round(loss, 4),
            "tokens_per_second": None if tokens_per_second is None else round(tokens_per_second, 1),
            "eta_seconds": None if eta_seconds is None else round(eta_seconds, 1),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(row | ({"text": text} if text else {})) + "\n")
        self.say(text or _sentence(row))


def _sentence(row: dict[str, object]) -> str:
    parts = [f"{row['stage']} {row['step']}/{row['total']}"]
    if row["loss"] is not None:
        parts.append(f"loss {row['loss']:.3f}")
    if row["tokens_per_second"] is not None:
        parts.append(f"{row['tokens_per_second']:.0f} tokens/s")
    if row["eta_seconds"] is not None:
        parts.append(f"{row['eta_seconds']:.0f} s left")
    return " · ".join(parts)
