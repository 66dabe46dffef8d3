"""Secrets in text: found by the formats of issuers, by a maintained scanner, and by names beside random strings.

An Example with a secret is dropped whole. Nothing is redacted, for what is left would still say where to look, and
what a pattern missed the next one would have kept. Not covered: secrets that read like words and stand beside no
telling name, and those split over several strings. ADR 0009 says how the parts were chosen.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeAlias

from detect_secrets.plugins.artifactory import ArtifactoryDetector as SlowArtifactoryDetector
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.cloudant import CloudantDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.ibm_cloud_iam import IbmCloudIamDetector
from detect_secrets.plugins.ibm_cos_hmac import IbmCosHmacDetector
from detect_secrets.plugins.jwt import JwtTokenDetector as SlowJwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.softlayer import SoftlayerDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

from app.screening.anchors import Anchors, lowered
from app.screening.formats import FORMATS
from app.screening.randomness import entropy, is_placeholder, is_random

#: A line of more characters is not read, and what holds one counts as if a secret had been found. The longest comment
#: that is learned from may be one line; code that people wrote never is.
LONGEST_LINE = 4_000
#: Characters of one text, some ten times the longest row.
LONGEST_TEXT = 500_000


class JwtTokenDetector(SlowJwtTokenDetector):
    """The scanner's finds the same, in time that grows with the square of the text's length: it tries from every `eyJ`,
    to the end of the word each time. This one tries from the first in each word."""

    denylist = [  # noqa: RUF012 - the base declares it so
        re.compile(
            r"(?<![A-Za-z0-9_=-])(?:(?!eyJ)[A-Za-z0-9_=-])*+"
            r"(eyJ[A-Za-z0-9_=-]++\.[A-Za-z0-9_=-]+\.?[A-Za-z0-9_.+/=-]*)"
        )
    ]


class ArtifactoryDetector(SlowArtifactoryDetector):
    """The scanner's looks on from every `artif` in 10,000 ways. This one looks back from what may be a password, and
    asks for the name within as many characters and lines, however they are shared out."""

    _TOKEN = re.compile(r'(?:\s|=|:|"|^)(AP[\dABCDEF][a-zA-Z0-9]{8,200})(?=\s|"|$)')
    _REACH = 210

    def analyze_string(self, string: str) -> Iterator[str]:  # type: ignore[override]  # nobody sends to it
        yield from self.denylist[0].findall(string)
        for match in self._TOKEN.finditer(string):
            before = lowered(string[max(0, match.start() - self._REACH) : match.start()])
            named = max(before.rfind(name) for name in ("artif", "jfrog", "buildkit"))
            if named >= 0 and before.count("\n", named) <= 2:
                yield match[1]


#: The scanner's detectors, each beside lower-case literals of which one is in everything it can find.
_SCANNER: tuple[tuple[type[RegexBasedDetector], tuple[str, ...]], ...] = (
    (ArtifactoryDetector, ("akc", "artif", "jfrog", "buildkit")),
    (AWSKeyDetector, ("aws", "akia", "asia", "abia", "acca", "a3t")),
    (AzureStorageKeyDetector, ("accountkey", "azure", "blob.core", "storage")),
    (CloudantDetector, ("cloudant",)),
    (GitHubTokenDetector, ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    (IbmCloudIamDetector, ("ibm", "bluemix", "iam")),
    (IbmCosHmacDetector, ("cos", "hmac", "s3")),
    (JwtTokenDetector, ("eyj",)),
    (MailchimpDetector, ("-us",)),
    (NpmDetector, ("npm_", "_authtoken", "npm token", "npm-token")),
    (PrivateKeyDetector, ("private key",)),
    (SendGridDetector, ("sg.",)),
    (SlackDetector, ("xox", "hooks.slack.com")),
    (SoftlayerDetector, ("softlayer", "sl_", "sl-")),
    (SquareOAuthDetector, ("sq0",)),
    (StripeDetector, ("k_live_",)),
    (TwilioKeyDetector, ("ac", "sk")),
)
#: A name that holds one of these is looked at together with what stands beside it.
_TELLING = ("pass", "pwd", "secret", "token", "credential", "bearer", "basic", "auth")
_KEY = "key"
#: A key alone is a map's; with one of these before it, it opens something.
_OPENING = (
    "api", "access", "private", "signing", "encryption", "account", "master", "client", "license", "service", "hmac",
    "shared", "storage", "webhook", "session", "deploy", "admin", "app",
)  # fmt: skip
#: From a telling word on: the rest of the name, something that assigns, and a string, quoted or bare.
_VALUE = re.compile(
    r"(?P<name>[\w.-]{0,40})[\"'`\])]*\s{0,8}(?:(?::\s?[\w<>\[\]|]{1,24}\s?)?={1,3}|!=|:=|=>|[:,(>]|\s)\s{0,8}"
    r"(?:\w{0,3}(?P<quote>[\"'`])(?P<quoted>[^\"'`\s]{8,200})(?P=quote)|(?P<bare>[^\s\"'`<>,;()]{8,200}))"
)
_NO_SECRET = re.compile(
    r"hash|digest|sha\d|md5|checksum|fingerprint|public|author(?!iz)|commit|ur[li]$|path$", re.IGNORECASE
)
_CODE_OR_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+|(?=.*/).*\..*")
_WEAK = re.compile(r"(password|passwd|pass|secret|admin|root|test|guest|user|postgres)\W?\w{0,4}", re.IGNORECASE)
_NAME_START = re.compile(r"[\w.-]{0,40}\Z")
_URL = "://"
_URL_PASSWORD = re.compile(r"://[^\s:/@\"'`<>]{0,64}:(?P<value>[^\s/@\"'`<>]{6,100})@")
_USER_OPTION = "-u"
_USER = re.compile(r"(?:-u|--user)[ =][\"']?[^\s:\"']{1,64}:(?P<value>[^\s\"']{8,100})")
_HEADER = re.compile(r"(?:bearer|basic|token)\s+(?P<value>[A-Za-z0-9+/_.~-]{20,}={0,2})", re.IGNORECASE)


def find_unread(text: str) -> str | None:
    """Why the text is too long to be looked through, in words for a person; None when it is not.

    Nobody before this one has to remember a bound, and what was not looked through is never called clean.
    """
    if len(text) > LONGEST_TEXT:
        return f"text of more than {LONGEST_TEXT} characters"
    if len(text) > LONGEST_LINE and max(map(len, text.split("\n"))) > LONGEST_LINE:
        return f"line of more than {LONGEST_LINE} characters"
    return None


def find_secret(text: str) -> str | None:
    """The kind of a secret in the text, in words for a person, never any part of it; None when none was found.

    What is too long to be looked through is a finding of its own (`find_unread`).
    """
    unread = find_unread(text)
    if unread is not None:
        return unread
    places = _anchors().find(text)
    return _find_format(text, places) or _find_scanned(text, places) or _find_placed(text, places)


#: Each anchor with where the text has it: what can only be found beside an anchor is not looked for without it.
_Places: TypeAlias = Mapping[str, list[int]]


@cache
def _anchors() -> Anchors:
    formats = (anchor for each in FORMATS for anchor in each.anchors)
    scanner = (anchor for _, anchors in _SCANNER for anchor in anchors)
    return Anchors([*formats, *scanner, *_TELLING, _KEY, _URL, _USER_OPTION])


def _find_format(text: str, places: _Places) -> str | None:
    near = (each for each in FORMATS if not places.keys().isdisjoint(each.anchors))
    found = (each.kind for each in near if any(_is_live(match.group()) for match in each.pattern.finditer(text)))
    return next(found, None)


def _find_scanned(text: str, places: _Places) -> str | None:
    near = (detector for detector, anchors in _detectors() if not places.keys().isdisjoint(anchors))
    return next((each.secret_type for each in near if any(map(_is_live, each.analyze_string(text)))), None)


def _find_placed(text: str, places: _Places) -> str | None:
    """A random string in a place that says what it is."""
    if _URL in places and any(_is_password(match["value"]) for match in _URL_PASSWORD.finditer(text)):
        return "password in an address"
    if _USER_OPTION in places and any(_is_password(match["value"]) for match in _USER.finditer(text)):
        return "password in a command"
    telling = list(_telling(text, places))
    headers = (_HEADER.match(text, start) for start in telling)
    if any(match is not None and is_random(match["value"]) for match in headers):
        return "authorization header"
    return "random string under a telling name" if any(map(is_random, _named(text, telling))) else None


@cache
def _detectors() -> tuple[tuple[RegexBasedDetector, tuple[str, ...]], ...]:
    return tuple((detector(), anchors) for detector, anchors in _SCANNER)


def _is_live(value: str) -> bool:
    return "EXAMPLE" not in value and entropy(value) >= 2.5 and "xxxxx" not in value.lower()


def _is_password(value: str) -> bool:
    """After a user's name the place alone says what it is, so it need not be random, only nothing from a manual."""
    chosen = value.islower() and value.isalpha()
    return not chosen and not is_placeholder(value) and entropy(value) >= 2.5 and _WEAK.fullmatch(value) is None


def _telling(text: str, places: _Places) -> Iterator[int]:
    for word in _TELLING:
        yield from places.get(word, ())
    for at in places.get(_KEY, ()):
        if lowered(text[max(0, at - 12) : at]).rstrip("_-").endswith(_OPENING):
            yield at


def _named(text: str, telling: list[int]) -> Iterator[str]:
    for start in telling:
        match = _VALUE.match(text, start)
        if match is not None:
            before = _NAME_START.search(text, max(0, start - 40), start)
            value = match["quoted"] or match["bare"].rstrip(".:\\}])")
            code = match["quoted"] is None and _CODE_OR_PATH.fullmatch(value) is not None
            if not code and _NO_SECRET.search((before.group() if before else "") + match["name"]) is None:
                yield value
