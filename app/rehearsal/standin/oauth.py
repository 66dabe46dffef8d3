"""GitHub's web flow: authorize and access_token, the codes and user tokens that they give out.

No page asks a person anything here: whoever `StandIn.browse_as` named has consented already, as on GitHub the second
time. Parameters, errors and the one use of a code are those of GitHub's documentation ("Generating a user access token
for a GitHub App").
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from app.rehearsal.standin.answers import Refusal
from app.rehearsal.standin.state import User

_CODE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class _Code:
    user: User
    challenge: str
    back: str
    expires_at: datetime


@dataclass
class UserGrants:
    """The App's OAuth client: its id and secret, where it may send people, and what it gave out."""

    client_id: str
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20))
    #: who sits before the browser
    browsing: User | None = None
    _codes: dict[str, _Code] = field(default_factory=dict)
    _tokens: dict[str, User] = field(default_factory=dict)

    def authorize(self, query: Mapping[str, str], now: datetime) -> str:
        """The address that the browser is sent back to."""
        back = query.get("redirect_uri", "")
        if query.get("client_id") != self.client_id or not urlsplit(back).scheme:
            raise Refusal(404, "Not Found")
        told = {"state": query["state"]} if "state" in query else {}
        if self.browsing is None:
            said = "The user has denied your application access."
            return f"{back}?{urlencode({'error': 'access_denied', 'error_description': said, **told})}"
        code = secrets.token_hex(10)
        self._codes[code] = _Code(self.browsing, query.get("code_challenge", ""), back, now + _CODE_LIFE)
        return f"{back}?{urlencode({'code': code, **told})}"

    def exchange(self, form: Mapping[str, str], now: datetime) -> dict[str, str]:
        """The body of the answer, which has status 200 also when it is an error."""
        if form.get("client_id") != self.client_id or form.get("client_secret") != self.client_secret:
            return {
                "error": "incorrect_client_credentials",
                "error_description": "The client_id and/or client_secret passed are incorrect.",
            }
        code = self._codes.pop(form.get("code", ""), None)
        is_proven = code is not None and (
            not code.challenge or _challenge(form.get("code_verifier", "")) == code.challenge
        )
        if code is None or not is_proven or code.back != form.get("redirect_uri") or now > code.expires_at:
            return {
                "error": "bad_verification_code",
                "error_description": "The code passed is incorrect or expired.",
            }
        token = f"ghu_{secrets.token_hex(18)}"
        self._tokens[token] = code.user
        return {"access_token": token, "scope": "", "token_type": "bearer"}

    def check(self, token: str) -> User:
        if token not in self._tokens:
            raise Refusal(401, "Bad credentials")
        return self._tokens[token]


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
