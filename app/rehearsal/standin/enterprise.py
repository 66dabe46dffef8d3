"""What makes the stand-in an Enterprise Server: other paths and headers, no rate limits, API versions of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.rehearsal.standin.answers import Refusal, not_found


@dataclass(frozen=True)
class Enterprise:
    """Rate limits are off on a new Enterprise Server, and so they are here."""

    version: str = "3.17.4"
    api_versions: frozenset[str] = frozenset({"2022-11-28"})

    def prefix(self, template: str) -> str:
        """What stands before a path that github.com has without."""
        return "/api" if template == "/graphql" else "/api/v3"

    @property
    def answer_headers(self) -> dict[str, str]:
        return {"x-github-enterprise-version": self.version}

    def webhook_headers(self, host: str) -> dict[str, str]:
        return {"X-GitHub-Enterprise-Host": host, "X-GitHub-Enterprise-Version": self.version}

    def check_version(self, headers: Mapping[str, str]) -> None:
        """Raises:
        Refusal: 400, as a server does that does not know the API version asked for.
        """
        asked = headers.get("x-github-api-version")
        if asked is not None and asked not in self.api_versions:
            known = ", ".join(f'"{version}"' for version in sorted(self.api_versions))
            raise Refusal(
                400,
                f'The version you specified in the "X-GitHub-API-Version" request header, "{asked}", is not a '
                f"supported version. The following versions are currently supported: {known}.",
            )


def refuse_limits() -> Refusal:
    """The answer of /rate_limit where there are no limits."""
    refused = not_found()
    refused.message = "Rate limiting is not enabled."
    return refused
