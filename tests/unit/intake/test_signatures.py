"""Only GitHub's SHA-256 signature over exactly these bytes opens the door."""

import hashlib
import hmac

import pytest

from app.domain.errors import Refused
from app.domain.tenants import Host
from app.intake.signatures import Sender, decide_sender, is_authentic

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


_COM, _GHE = Host(0, "github.com", "understudy"), Host(2, "ghe.example", "reviews")
_SENDERS = (Sender(_COM, ("another secret of 16", _SECRET)), Sender(_GHE, ("the server's own secret",)))


def _signed(secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), _BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("claimed", [None, "ghe.example"])
def test_the_secret_tells_whose_a_delivery_is(claimed: str | None) -> None:
    assert decide_sender(_BODY, _signed("the server's own secret"), _SENDERS, claimed) == _GHE
    assert decide_sender(_BODY, _SIGNATURE, _SENDERS, None) == _COM


@pytest.mark.parametrize(
    ("secret", "claimed"),
    [(_SECRET, "ghe.example"), ("the server's own secret", "github.com"), ("the server's own secret", "third.example")],
)
def test_who_signs_as_one_host_and_claims_another_is_refused(secret: str, claimed: str) -> None:
    with pytest.raises(Refused, match=rf"expected X-GitHub-Enterprise-Host: .* got {claimed}") as refused:
        decide_sender(_BODY, _signed(secret), _SENDERS, claimed)
    assert refused.value.reason == "signature"


def test_nobodys_secret_is_refused_whatever_is_claimed() -> None:
    for claimed in (None, "github.com", "ghe.example"):
        with pytest.raises(Refused, match="expected X-Hub-Signature-256"):
            decide_sender(_BODY, _signed("nobody's secret at all"), _SENDERS, claimed)


def test_secrets_are_not_printed() -> None:
    assert "secret" not in repr(_SENDERS)
