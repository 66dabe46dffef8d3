"""Only GitHub's SHA-256 signature over exactly these bytes opens the door."""

import hashlib
import hmac

import pytest

from app.intake.signatures import is_authentic

_BODY = b"Hello, World!"
#: The example of GitHub's documentation.
_SECRET = "It's a Secret to Everybody"
_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_the_documented_example_is_authentic() -> None:
    assert is_authentic(_BODY, _SIGNATURE, [_SECRET])


@pytest.mark.parametrize("secrets", [["new", _SECRET], [_SECRET, "new"], ["a", _SECRET, "b"]])
def test_any_of_the_secrets_will_do_while_they_are_rotated(secrets: list[str]) -> None:
    assert is_authentic(_BODY, _SIGNATURE, secrets)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha1=" + hmac.new(_SECRET.encode(), _BODY, hashlib.sha1).hexdigest(),
        "sha256=" + hmac.new(_SECRET.encode(), _BODY, hashlib.sha1).hexdigest(),
        "SHA256=" + _SIGNATURE[7:],
        _SIGNATURE[7:],
        _SIGNATURE.upper(),
        _SIGNATURE + "00",
        _SIGNATURE[:-1],
        "sha256=" + "é" * 64,
        "sha512=" + hmac.new(_SECRET.encode(), _BODY, hashlib.sha512).hexdigest(),
    ],
)
def test_every_other_spelling_is_refused(signature: str | None) -> None:
    assert not is_authentic(_BODY, signature, [_SECRET])


def test_another_body_or_secret_is_refused() -> None:
    assert not is_authentic(_BODY + b"\n", _SIGNATURE, [_SECRET])
    assert not is_authentic(_BODY, _SIGNATURE, ["another"])
    assert not is_authentic(_BODY, _SIGNATURE, [])
