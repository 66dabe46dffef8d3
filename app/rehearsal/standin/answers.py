"""What a handler is given and what it gives back; refusals carry GitHub's own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.errors import UnderstudyError

DOCUMENTATION = "https://docs.github.com/rest"


class Refusal(UnderstudyError):
    """An answer other than success, as GitHub words it."""

    def __init__(
        self, status: int, message: str, errors: list[Any] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, Any]:
        told: dict[str, Any] = {"message": self.message, "documentation_url": DOCUMENTATION, "status": str(self.status)}
        return told if self.errors is None else told | {"errors": self.errors}


def not_found() -> Refusal:
    """GitHub's answer for what does not exist and for what the caller may not know of."""
    return Refusal(404, "Not Found")


def unprocessable(*errors: str) -> Refusal:
    return Refusal(422, "Unprocessable Entity", list(errors))


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """A list to be cut into pages; `key` wraps it in an object with its `total_count`."""

    items: list[Any]
    key: str | None = None
