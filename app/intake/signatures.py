"""Is this body from GitHub, and from which? Pure."""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.domain.errors import Refused
from app.domain.tenants import Host

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
        expected = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
        authentic |= hmac.compare_digest(expected, signature)
    return authentic


@dataclass(frozen=True)
class Sender:
    """A GitHub, and the webhook secrets of our App there. No two have one in common."""

    host: Host
    secrets: tuple[str, ...] = field(repr=False)


def decide_sender(body: bytes, signature: str | None, senders: Iterable[Sender], claimed: str | None) -> Host:
    """Whose secret signed the body. What an Enterprise Server's header says besides must agree.

    Raises:
        Refused: `signature`, when nobody's did, or when another host is claimed.
    """
    signed = [sender.host for sender in senders if is_authentic(body, signature, sender.secrets)]
    if not signed:
        raise Refused("signature", "expected X-Hub-Signature-256 over this body with the App's webhook secret")
    if claimed is not None and claimed != signed[0].name:
        raise Refused(
            "signature",
            f"expected X-GitHub-Enterprise-Host: {signed[0].name}, whose webhook secret signed this body, "
            f"got {claimed[:200]}; the server's name is the host of its git address in the settings",
        )
    return signed[0]
