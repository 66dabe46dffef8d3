"""A GitHub App from its manifest: the code that GitHub sends back becomes the App's credentials, once, within an hour.

Docs: docs.github.com, "Registering a GitHub App from a manifest".
"""

import re

from githubkit import UnauthAuthStrategy
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from app.domain.errors import Refused
from app.github.auth import connect
from app.github.transport import Transport

_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")


class AppCredentials(BaseModel):
    """What GitHub tells once. `html_url` is the App's page; `webhook_secret` is None where GitHub made none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    slug: str
    name: str
    html_url: str
    pem: SecretStr
    webhook_secret: SecretStr | None
    client_id: str
    client_secret: SecretStr


async def convert_manifest(api_url: str, code: str) -> AppCredentials:
    """Exchange the code of a manifest's redirect.

    Raises:
        Refused: `not_found` for a code that is used, unknown or older than an hour; `code` for one that is none;
            `credentials` where the answer lacks some.
        RetryLater: where GitHub did not answer; the code may be used up.
    """
    if not _CODE.fullmatch(code):
        raise Refused("code", "expected the code that GitHub sends back, got something else")
    transport = Transport(connect(api_url, UnauthAuthStrategy()))
    answer = await transport.request("POST", f"/app-manifests/{code}/conversions")
    try:
        return AppCredentials.model_validate_json(answer.content)
    except ValidationError as error:
        lacking = sorted({".".join(map(str, item["loc"])) or "the document" for item in error.errors()})
        raise Refused("credentials", f"GitHub's answer lacks {', '.join(lacking)}") from None
