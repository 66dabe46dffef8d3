"""Is this body from GitHub? Pure."""

import hashlib
import hmac
import re
from collections.abc import Sequence

#: SHA-256 only: `X-Hub-Signature` and a `sha1=` value are relics that GitHub still sends beside it.
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


def is_signature(signature: str | None) -> bool:
    """Whether it has the form of a signature at all: what has not is refused before its body is read."""
    return signature is not None and _SIGNATURE.fullmatch(signature) is not None


def is_authentic(body: bytes, signature: str | None, secrets: Sequence[str]) -> bool:
    """Whether `X-Hub-Signature-256` was made over exactly these bytes with one of the secrets.

    Every secret is tried in constant time, so that neither the value nor which secret fits can be timed.
    """
    if signature is None or not is_signature(signature):
        return False
    authentic = False
    for secret in secrets:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        authentic |= hmac.compare_digest(expected, signature)
    return authentic
