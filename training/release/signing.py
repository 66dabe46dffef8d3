"""Ed25519 over a release's manifest, so that a version copied to another machine still proves where it is from."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.domain.errors import Refused, UserError, spoken_place
from app.domain.releases import Signature


def ensure_key(path: Path) -> Ed25519PrivateKey:
    """The installation's signing key, made at the first call and readable by its owner only.

    Raises:
        UserError: when the file holds something else, or can't be written.
    """
    if not path.exists():
        _make_key(path)
    with spoken_place(path):
        content = path.read_bytes()
    try:
        key = load_pem_private_key(content, password=None)
    except ValueError as error:
        raise UserError(f"expected an Ed25519 private key in PEM at {path}, got something else ({error})") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"expected an Ed25519 private key at {path}, got a {type(key).__name__}")
    return key


def _make_key(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with spoken_place(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return  # another round made it at this very moment; its key is as good
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)


def sign(key: Ed25519PrivateKey, content: bytes) -> Signature:
    public = key.public_key().public_bytes_raw()
    return Signature(public_key=public.hex(), signature=key.sign(content).hex())


def check_signature(signature: Signature, content: bytes, expected_key: str | None) -> None:
    """`expected_key` in hex: whose signature it must be; None accepts any key, which only proves that nothing changed.

    Raises:
        Refused: when it is another's signature, or of other bytes.
    """
    if expected_key is not None and signature.public_key != expected_key:
        raise Refused("other_key", f"expected a signature by {expected_key}, found one by {signature.public_key}")
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.public_key))
        public.verify(bytes.fromhex(signature.signature), content)
    except (InvalidSignature, ValueError) as error:
        raise Refused("bad_signature", "the signature is not of this release.json: one of them was changed") from error
