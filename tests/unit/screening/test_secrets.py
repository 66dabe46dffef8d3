"""Secrets are found wherever they stand, and what only looks like one is left alone."""

import hashlib
import random
import string
import time
import uuid

import pytest
from detect_secrets.plugins.artifactory import ArtifactoryDetector as ScannersArtifactoryDetector
from detect_secrets.plugins.jwt import JwtTokenDetector as ScannersJwtTokenDetector
from hypothesis import given
from hypothesis import strategies as st

from app.screening.randomness import entropy, is_random
from app.screening.secrets import (
    LONGEST_LINE,
    LONGEST_TEXT,
    ArtifactoryDetector,
    JwtTokenDetector,
    find_secret,
    find_unread,
)
from tests.planted_secrets import KINDS, plant

SURROUNDINGS = """\
 class Orders:
     def __init__(self, client):
         self._client = client
+        {line}
     def load(self, number):
         return self._client.get(f"/orders/{{number}}")
"""


def test_every_planted_secret_is_found() -> None:
    planted = list(plant(len(KINDS) * 40, seed=20_261_122))
    missed = [(kind, line) for kind, _, line in planted if find_secret(SURROUNDINGS.format(line=line)) is None]
    assert missed == []


def test_a_finding_names_the_kind_and_never_the_secret() -> None:
    for _, secret, line in plant(len(KINDS) * 4, seed=3):
        found = find_secret(line)
        assert found is not None
        assert not any(part in found for part in secret.split() if len(part) > 8)


@pytest.mark.parametrize("end", ["BEGIN", "END"])
def test_a_key_that_the_hunk_cuts_is_a_key(end: str) -> None:
    chance = random.Random(5)  # noqa: S311 - the same key in every run
    body = "\n".join("".join(chance.choices(string.ascii_letters + string.digits + "+/", k=64)) for _ in range(3))
    mark = f"-----{end} RSA PRIVATE KEY-----"
    assert find_secret(f"{mark}\n{body}" if end == "BEGIN" else f"{body}\n{mark}") == "private key"
    assert find_secret(mark) is None


def clean_lines() -> list[str]:
    """Code with strings that a machine drew and that open nothing."""
    chance = random.Random(11)  # noqa: S311 - the same lines in every run
    drawn = [chance.randbytes(32) for _ in range(12)]
    digest = hashlib.sha256(drawn[0]).hexdigest()
    return [
        f'EXPECTED_SHA256 = "{digest}"',
        f'"integrity": "sha512-{digest}{digest[:22]}==",',
        f"assert commit.sha == '{digest[:40]}'",
        f'order_id = UUID("{uuid.UUID(bytes=drawn[1][:16])}")',
        f"token_hash = '{digest}'",
        f'private static final String PASSWORD_DIGEST = "{digest[:32]}";',
        f'session_token = "{uuid.UUID(bytes=drawn[2][:16])}"',
        'FIXTURE = "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4"',
        "class AbstractSingletonProxyFactoryBeanDefinitionRegistryPostProcessor2:",
        "passwordEncoder = new BCryptPasswordEncoder(STRENGTH);",
        "token = request.headers.get('X-Request-Token')",
        "String token = tokenProvider.createTokenForUser(user, Duration.ofHours(2));",
        'password = os.environ["DATABASE_PASSWORD"]',
        "password: ${{ secrets.DEPLOY_PASSWORD }}",
        'api_key = "your-api-key-goes-here"',
        'secret = "change-me-in-production"',
        'const AUTH_HEADER_NAME = "X-Acme-Authorization-Token";',
        "AKIAIOSFODNN7EXAMPLE is what the manual prints",
        "url = 'postgresql://user:password@localhost/orders'",
        "DATABASE_URL=postgres://postgres:postgres@db:5432/test",
        "redis://:${REDIS_PASSWORD}@cache:6379/0",
        "git clone ssh://git@github.com:22/acme/store.git",
        "@Value('${spring.security.oauth2.client.registration.github.client-secret}')",
        "if token.kind is TokenKind.LEFT_PARENTHESIS_OR_BRACKET2: return",
        "Please read the token from the vault instead of hard-coding the password here.",
        "-----BEGIN CERTIFICATE-----",
    ]


@pytest.mark.parametrize("line", clean_lines())
def test_what_opens_nothing_is_left_alone(line: str) -> None:
    assert find_secret(SURROUNDINGS.format(line=line.replace("{", "{{").replace("}", "}}"))) is None


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    found = find_secret(text)
    assert found is None or found


CODE = st.text(alphabet=string.ascii_lowercase + " \n(){}=.;,İß", max_size=300)


@given(before=CODE, after=CODE, at=st.integers(0, len(KINDS) - 1))
def test_a_secret_is_found_wherever_it_stands(before: str, after: str, at: int) -> None:
    *_, (_, _, line) = plant(at + 1, seed=17)
    assert find_secret(f"{before}\n{line}\n{after}") is not None


@given(st.text(min_size=1))
def test_entropy_is_bits_per_character(text: str) -> None:
    assert 0 <= entropy(text) <= len(text).bit_length()
    assert entropy(text) == pytest.approx(entropy(text[::-1]))


def test_names_are_no_random_strings() -> None:
    assert not is_random("loadOrderByCustomerNumber2")
    assert not is_random("a" * 40)
    assert is_random(hashlib.sha256(b"drawn").hexdigest())


@pytest.mark.parametrize(
    "run", ["api_key", "secret=", "password ", "-----BEGIN PRIVATE KEY-----", "://a:", "sk-", "A1b2"]
)
def test_long_runs_take_no_longer_than_their_length(run: str) -> None:
    began = time.monotonic()
    find_secret(run * (100_000 // len(run)))
    assert time.monotonic() - began < 10


PARTS = st.lists(st.sampled_from(["eyJ", "eyJhIjoxfQ", "e", "a", ".", "-", "_", "=", " ", "+", "/", '"', "\n"]))


@given(PARTS)
def test_web_tokens_are_found_as_the_scanner_finds_them(parts: list[str]) -> None:
    text = "".join(parts)
    assert JwtTokenDetector.denylist[0].findall(text) == ScannersJwtTokenDetector.denylist[0].findall(text)


ARTIFACTORY = st.lists(
    st.sampled_from(["artif", "JFROG", "AP1", "APA", "a1B2c3D4", "=", " ", ":", '"', "x" * 60, "\n"])
)


@given(ARTIFACTORY)
def test_passwords_of_artifactory_are_found_where_the_scanner_finds_them(parts: list[str]) -> None:
    text = "".join(parts)
    assert set(ScannersArtifactoryDetector().analyze_string(text)) <= set(ArtifactoryDetector().analyze_string(text))


@pytest.mark.parametrize("run", ["artif ", "artif AP1EXAMPLE12 ", "eyJ-"])
def test_the_longest_text_is_read_in_seconds(run: str) -> None:
    text = (run * (LONGEST_LINE // len(run)) + "\n") * (LONGEST_TEXT // (LONGEST_LINE + 1))
    began = time.thread_time()
    find_secret(text)
    assert time.thread_time() - began < 8  # 28 s for the first


@pytest.mark.parametrize("run", ["eyJ", "eyJ-", "eyJa."])
def test_half_web_tokens_take_no_longer_than_their_length(run: str) -> None:
    began = time.thread_time()
    found = list(JwtTokenDetector().analyze_string(run * (400_000 // len(run))))
    assert time.thread_time() - began < 2  # the scanner's own: over a minute
    assert found == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = 1\n" + "eyJ-" * 100_000, f"line of more than {LONGEST_LINE} characters"),
        ("x = 1\n" * (LONGEST_TEXT // 6 + 1), f"text of more than {LONGEST_TEXT} characters"),
    ],
)
def test_what_is_too_long_to_be_read_is_not_called_clean(text: str, why: str) -> None:
    began = time.thread_time()
    assert find_secret(text) == why
    assert time.thread_time() - began < 1


def test_the_longest_comment_in_one_line_is_read() -> None:
    assert find_unread("x" * LONGEST_LINE) is None
    assert find_secret("word " * (LONGEST_LINE // 5)) is None
