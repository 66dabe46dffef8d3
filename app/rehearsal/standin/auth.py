"""Who is asking: an App by its signed token, an installation by its one-hour token, and what it may do."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.rehearsal.standin.answers import Refusal
from app.rehearsal.standin.state import Grant, Repository

_LEVELS = ("read", "write", "admin")
_TOKEN_LIFE = timedelta(hours=1)
_JWT_LIFE_SECONDS = 600
_DRIFT_SECONDS = 60


class AppKey:
    """The App's key pair. GitHub keeps the public half; the private one is given to the App once."""

    def __init__(self) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._public = private.public_key()
        self.pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def check(self, token: str, *, app_id: int, now: datetime) -> None:
        """Accept an App token as GitHub does.

        Raises:
            Refusal: 401, with GitHub's reason.
        """
        claims = self._claims(token)
        moment = now.timestamp()
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(expires, int | float) or expires <= moment:
            raise Refusal(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future time "
                "at which the assertion expires",
            )
        if expires - moment > _JWT_LIFE_SECONDS:
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
        if not isinstance(issued, int | float) or issued > moment + _DRIFT_SECONDS:
            raise Refusal(
                401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            )
        if str(claims.get("iss")) != str(app_id):
            raise Refusal(404, "Integration not found")

    def _claims(self, token: str) -> dict[str, Any]:
        unchecked = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
        try:
            claims: dict[str, Any] = jwt.decode(token, self._public, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
        except jwt.PyJWTError as error:
            raise Refusal(401, "A JSON web token could not be decoded") from error
        return claims


#: What an App must be allowed to read before GitHub tells it of an event. A comment on a pull request as a whole is one
#: on an issue to GitHub, and of those it tells only who may read issues.
EVENT_NEEDS = {
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests",
    "pull_request_review_thread": "pull_requests",
    "issue_comment": "issues",
    "push": "contents",
}


class Grants:
    """The installation tokens that were given out."""

    def __init__(self) -> None:
        self._by_token: dict[str, Grant] = {}

    def issue(self, now: datetime, permissions: Mapping[str, str], repository_ids: frozenset[int] | None) -> Grant:
        token = f"ghs_{secrets.token_hex(18)}"
        expires = (now + _TOKEN_LIFE).replace(microsecond=0)
        self._by_token[token] = Grant(token, expires, dict(permissions), repository_ids)
        return self._by_token[token]

    def check(self, token: str, now: datetime) -> Grant:
        grant = self._by_token.get(token)
        if grant is None or now >= grant.expires_at:
            raise Refusal(401, "Bad credentials")
        return grant

    def revoke(self, token: str) -> None:
        self._by_token.pop(token, None)

    def revoke_all(self) -> None:
        self._by_token.clear()


def narrow_permissions(asked: Mapping[str, str] | None, granted: Mapping[str, str]) -> dict[str, str]:
    """Permissions of a new token: all that were granted, or fewer when asked.

    Raises:
        Refusal: 422 when more is asked than was granted.
    """
    if asked is None:
        return dict(granted)
    for name, level in asked.items():
        if not allows(granted, name, level):
            raise Refusal(422, "The permissions requested are not granted to this installation.")
    return {"metadata": "read", **asked}


def allows(permissions: Mapping[str, str], name: str, level: str) -> bool:
    held = permissions.get(name)
    return held in _LEVELS and level in _LEVELS and _LEVELS.index(held) >= _LEVELS.index(level)


def reaches(grant: Grant, repository: Repository) -> bool:
    """Whether a token can see a repository at all."""
    return repository.installed and (grant.repository_ids is None or repository.id in grant.repository_ids)
