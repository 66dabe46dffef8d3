"""Rows that hold a secret do not leave, and do not come in. Pure: the scanner is given."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.dataset.folder import hash_bytes
from app.dataset.reading import Held
from app.domain.prompt import parse_completion

#: The kind of secret a text holds, None when it holds none.
Scanner = Callable[[str], str | None]
#: Hashes and words of ours: random by design, or from a fixed list, and never somebody's secret.
_OURS = frozenset({"example", "examples", "commit_sha", "kind", "role", "evidence", "created_at"})


@dataclass(frozen=True)
class Refusal:
    """What is left, and how many rows were refused by `<table>:<kind of secret>`."""

    held: Held
    refused: dict[str, int]


def refuse_secrets(held: Held, scanner: Scanner) -> Refusal:
    """The same snapshot without the rows that hold a secret; the very same where none does.

    A refused row is left out whole, never redacted: what surrounds a secret often tells it.
    """
    refused: Counter[str] = Counter()
    files = {name: _without_secrets(name, content, scanner, refused) for name, content in held.files.items()}
    if not refused:
        return Refusal(held, {})
    reasons = {f"export:secret:{what}": count for what, count in sorted(refused.items())}
    manifest = held.manifest.model_copy(
        update={
            "files": {name: hash_bytes(content) for name, content in files.items()},
            "counts": {name: content.count(b"\n") for name, content in files.items()},
            "left_out": {**held.manifest.left_out, **reasons},
            "source": f"{held.manifest.id} without rows that hold a secret",
        }
    )
    return Refusal(Held(manifest, files), dict(refused))


def _without_secrets(name: str, content: bytes, scanner: Scanner, refused: Counter[str]) -> bytes:
    kept: list[bytes] = []
    for line in content.split(b"\n"):
        found = scanner("\n".join(_texts(json.loads(line)))) if line.strip() else None
        if found is None:
            kept.append(line)
        else:
            refused[f"{name.removesuffix('.jsonl')}:{found}"] += 1
    return b"\n".join(kept)


def _texts(value: object) -> Iterator[str]:
    """Every text of a row that came from outside; an answer in JSON also as the words it says."""
    if isinstance(value, str):
        yield value
        said = parse_completion(value) if value.startswith("{") else None
        if said is not None:
            yield said
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _OURS:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
