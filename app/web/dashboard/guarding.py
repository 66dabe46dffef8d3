"""Secrets, cookies and headers of the dashboard. Pure but for chance and the limiter's memory."""

import base64
import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import urlsplit

Kept = TypeVar("Kept")

#: How long a session lasts, and how long GitHub may take to send somebody back. Seconds.
SESSION_SECONDS = 8 * 3600
SIGN_IN_SECONDS = 600
SESSION, SIGN_IN = "understudy_session", "understudy_sign_in"

#: No script and no style but our two files, no frame around us, nothing kept by a cache. `same-origin` and not
#: `no-referrer`: under the latter browsers send `Origin: null` with our own forms.
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What the database keeps of a cookie: it is random, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def operator_key(secret: str, operator_token: str) -> str:
    """The same for an operator's session: it ends when the token is changed."""
    return hmac.new(operator_token.encode(), secret.encode(), hashlib.sha256).hexdigest()


def derive_csrf(secret: str) -> str:
    """The token of a session's forms: tells nothing of the cookie, and needs no place of its own."""
    return hmac.new(secret.encode(), b"understudy csrf", hashlib.sha256).hexdigest()


def derive_state_key(operator_token: str) -> bytes:
    """What states are signed with; the same in every process of the service."""
    return hmac.new(operator_token.encode(), b"understudy sign-in state", hashlib.sha256).digest()


def new_state(key: bytes, now: datetime) -> str:
    """A sign-in's state, `CHANCE.LAST_SECOND.SIGNATURE`: whether it is ours and lasts can be told without a row."""
    text = f"{new_secret()}.{int(now.timestamp()) + SIGN_IN_SECONDS}"
    return f"{text}.{_sign(key, text)}"


def is_fresh_state(key: bytes, state: str, now: datetime) -> bool:
    text, _, signature = state.rpartition(".")
    if not is_equal(signature, _sign(key, text)):
        return False
    return now.timestamp() < int(text.rpartition(".")[2])


def derive_verifier(key: bytes, state: str) -> str:
    """PKCE's verifier (RFC 7636, 4.1: 43 characters or more) of a state; whoever sees the state cannot tell it."""
    return _sign(key, f"verifier of {state}")


def _sign(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def is_equal(given: str, expected: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def challenge(verifier: str) -> str:
    """PKCE's S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def cookie_name(name: str, *, secure: bool) -> str:
    """With `__Host-` a browser takes it from this very host over TLS only, and for all of it."""
    return f"__Host-{name}" if secure else name


def is_own_form(headers: Mapping[str, str], public_url: str | None) -> bool:
    """Whether a form was sent from a page of ours, by what the browser itself says. One that says nothing is refused.

    Ours is the public address, and the one that was asked for: an operator may come through a tunnel.
    """
    origin = headers.get("origin") or headers.get("referer") or ""
    place = urlsplit(origin)
    if not place.netloc:
        return False
    public = urlsplit(public_url or "")
    is_public = bool(public.netloc) and (place.scheme, place.netloc) == (public.scheme, public.netloc)
    return is_public or place.netloc == headers.get("host")


class Limiter:
    """At most so many acts a minute under one key, and ten times as many under all; in this process's memory."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = per_minute
        self._clock = clock
        self._acts: deque[tuple[float, str]] = deque()

    def allows(self, key: str) -> bool:
        now = self._clock()
        while self._acts and self._acts[0][0] <= now - 60:
            self._acts.popleft()
        mine = sum(one == key for _, one in self._acts)
        if mine >= self._limit or len(self._acts) >= 10 * self._limit:
            return False
        self._acts.append((now, key))
        return True


class Memory(Generic[Kept]):
    """Figures for a short while, in this process; never words of other people, which an erasure could not reach."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, Kept]] = {}

    def find(self, key: str) -> Kept | None:
        kept = self._kept.get(key)
        return kept[1] if kept is not None and self._clock() - kept[0] < self._seconds else None

    def keep(self, key: str, value: Kept) -> None:
        now = self._clock()
        self._kept = {name: kept for name, kept in self._kept.items() if now - kept[0] < self._seconds}
        self._kept[key] = (now, value)
