"""Secrets in the formats that are live, made anew from a seed, so that no file of ours holds one."""

import base64
import random
import string
from collections.abc import Callable, Iterator

ALNUM = string.ascii_letters + string.digits
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"
UPPER = string.ascii_uppercase + string.digits
BASE32 = string.ascii_uppercase + "234567"
HEX = "0123456789abcdef"


def _some(chance: random.Random, alphabet: str, count: int) -> str:
    return "".join(chance.choices(alphabet, k=count))


def _base64(chance: random.Random, count: int) -> str:
    return base64.b64encode(chance.randbytes(count)).decode()


def _jwt(chance: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    claims = f'{{"sub":"{chance.randrange(10**9)}","exp":{chance.randrange(10**9)}}}'.encode()
    body = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    return f"{head}.{body}.{_some(chance, URLSAFE, 43)}"


def _pem(chance: random.Random) -> str:
    kind = chance.choice(["RSA ", "EC ", "OPENSSH ", ""])
    lines = [_some(chance, BASE64, 64) for _ in range(4)]
    return "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"])


def _database(chance: random.Random) -> str:
    scheme = chance.choice(["postgresql", "mysql", "mongodb+srv", "redis", "amqp"])
    return f"{scheme}://orders:{_some(chance, ALNUM, 14)}@db-7.internal.acme.io:5432/orders"


def _password(chance: random.Random) -> str:
    return _some(chance, ALNUM + "!#%*+-_@", 18)


def _slack_token(chance: random.Random) -> str:
    return f"xoxb-{_some(chance, string.digits, 12)}-{_some(chance, string.digits, 13)}-{_some(chance, ALNUM, 24)}"


def _slack_hook(chance: random.Random) -> str:
    parts = f"T{_some(chance, UPPER, 9)}/B{_some(chance, UPPER, 10)}/{_some(chance, ALNUM, 24)}"
    return f"https://hooks.slack.com/services/{parts}"


def _azure(chance: random.Random) -> str:
    key = _base64(chance, 64)
    return f"DefaultEndpointsProtocol=https;AccountName=acmefiles;AccountKey={key};EndpointSuffix=core.windows.net"


def _openai(chance: random.Random) -> str:
    prefix = chance.choice(["sk-", "sk-proj-", "sk-svcacct-"])
    length = 20 if prefix == "sk-" else 74
    return f"{prefix}{_some(chance, ALNUM, length)}T3BlbkFJ{_some(chance, ALNUM, length)}"


#: kind → the secret, and a name that code gives it
KINDS: dict[str, tuple[Callable[[random.Random], str], str]] = {
    "aws_key_id": (lambda chance: "AKIA" + _some(chance, BASE32, 16), "aws_access_key_id"),
    "aws_secret": (lambda chance: _some(chance, BASE64, 40), "aws_secret_access_key"),
    "github": (lambda chance: chance.choice(["ghp_", "gho_", "ghs_"]) + _some(chance, ALNUM, 36), "github_token"),
    "github_fine": (
        lambda chance: f"github_pat_{_some(chance, ALNUM, 22)}_{_some(chance, ALNUM, 59)}",
        "auth",
    ),
    "gitlab": (lambda chance: "glpat-" + _some(chance, URLSAFE, 20), "ci_auth"),
    "slack": (_slack_token, "bot"),
    "slack_hook": (_slack_hook, "notify_at"),
    "stripe": (lambda chance: chance.choice(["sk_live_", "rk_live_"]) + _some(chance, ALNUM, 24), "billing"),
    "google": (lambda chance: "AIza" + _some(chance, URLSAFE, 35), "maps"),
    "private_key": (_pem, "signing"),
    "jwt": (_jwt, "session"),
    "npm": (lambda chance: "npm_" + _some(chance, ALNUM, 36), "registry_auth"),
    "pypi": (lambda chance: "pypi-AgEIcHlwaS5vcmc" + _some(chance, URLSAFE, 96), "upload"),
    "sendgrid": (lambda chance: f"SG.{_some(chance, URLSAFE, 22)}.{_some(chance, URLSAFE, 43)}", "mail"),
    "twilio": (lambda chance: "SK" + _some(chance, HEX, 32), "twilio_key"),
    "azure": (_azure, "storage"),
    "openai": (_openai, "llm"),
    "anthropic": (lambda chance: f"sk-ant-api03-{_some(chance, URLSAFE, 93)}AA", "llm"),
    "database_url": (_database, "dsn"),
    "password": (_password, "db_password"),
    "twilio_auth": (lambda chance: _some(chance, HEX, 32), "twilio_auth_token"),
    "named_key": (lambda chance: _some(chance, ALNUM, 32), "hmac_key"),
    "command": (lambda chance: f"curl -u deploy:{_some(chance, ALNUM, 20)} https://ci.acme.io/run", "run"),
    "digitalocean": (lambda chance: "dop_v1_" + _some(chance, HEX, 64), "cloud"),
    "huggingface": (lambda chance: "hf_" + _some(chance, string.ascii_letters, 34), "hub"),
    "shopify": (lambda chance: "shpat_" + _some(chance, HEX, 32), "shop"),
    "telegram": (lambda chance: f"{chance.randrange(10**9, 10**10)}:AA{_some(chance, URLSAFE, 33)}", "telegram_bot"),
    "bearer": (lambda chance: f"Authorization: Bearer {_some(chance, ALNUM, 40)}", "header"),
}

#: How code holds a secret: {name} and {secret} are filled in.
SHAPES = (
    '{name} = "{secret}"',
    "{name}: '{secret}',",
    "{name}: {secret}",
    "export {NAME}={secret}",
    'private static final String {NAME} = "{secret}";',
    "const {name} = `{secret}`;",
    'client.configure("{name}", "{secret}")',
    '{{"{name}": "{secret}"}}',
    "# rotate me: {name} {secret}",
    '  --set {name}="{secret}" \\',
)
#: Where an unnamed random string is only told by the name beside it, the shapes that keep the two together.
NAMED = (0, 1, 2, 3, 4, 5, 7)


def plant(count: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """`count` times (kind, secret, line of code that holds it), every kind in turn."""
    chance = random.Random(seed)  # noqa: S311 - the same secrets in every run
    kinds = list(KINDS)
    for index in range(count):
        kind = kinds[index % len(kinds)]
        make, name = KINDS[kind]
        shapes = (
            [SHAPES[at] for at in NAMED]
            if kind in {"password", "aws_secret", "twilio_auth", "named_key"}
            else list(SHAPES)
        )
        secret = make(chance)
        yield kind, secret, chance.choice(shapes).format(name=name, NAME=name.upper(), secret=secret)
