"""How the service shows that it knows the operator's token before anybody sends it. Pure."""

import hashlib
import hmac
import re

NONCE = re.compile(r"[0-9a-f]{32,128}")


def prove(token: str, nonce: str, port: int) -> str:
    """HMAC-SHA256 under the token, in hexadecimal. The port that was asked is in it: a program that took another one
    cannot pass the question on to the service and have its answer believed."""
    return hmac.new(token.encode(), f"understudy service {port} {nonce}".encode(), hashlib.sha256).hexdigest()
