"""The running service of these settings, as the commands beside it ask it. Any program may have its port, so it must
prove what it is before the operator's token is sent."""

import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from app.domain.errors import UserError
from app.domain.proofs import prove
from app.settings import Settings

PROOF = "/operator/proof"


def own_host(settings: Settings) -> str:
    return "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  where it listens


def own_url(settings: Settings) -> str:
    host = own_host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


@contextmanager
def asking_own_service(settings: Settings, *, seconds: float) -> Iterator[httpx.Client]:
    """A client that sends the token, once what answers proved to know it.

    Raises:
        UserError: when it did not; the token was not sent.
        httpx.HTTPError: when nobody answers.
    """
    url, token = own_url(settings), settings.operator_token.get_secret_value()
    with httpx.Client(base_url=url, timeout=seconds, trust_env=False) as client:
        nonce = secrets.token_hex(32)
        if not _is_right(client.get(PROOF, params={"nonce": nonce}), prove(token, nonce, settings.port)):
            raise UserError(
                f"expected the service of these settings at {url}, but what answers there does not know their "
                "UNDERSTUDY_OPERATOR_TOKEN, or is of another version or role; nothing was sent to it"
            )
        client.headers["authorization"] = f"Bearer {token}"
        yield client


def _is_right(answer: httpx.Response, proof: str) -> bool:
    try:
        given = str(answer.json()["proof"])
    except (ValueError, KeyError, TypeError):
        return False
    return answer.status_code == httpx.codes.OK and hmac.compare_digest(given.encode(), proof.encode())
