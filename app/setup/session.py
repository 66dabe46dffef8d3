"""One run of the setup page: what it waits for, and the two secrets that guard it.

The page's address holds one, so that no other user of this machine and no page of the web can drive it; GitHub is never
told that one. The other is the `state` that GitHub sends back, good for one manifest. Credentials that could not be
written stay here, in memory, until they can: GitHub tells them once.
"""

import hmac
import secrets
from pathlib import Path

from app.domain.errors import Refused, RetryLater, UserError
from app.github.registering import AppCredentials, convert_manifest
from app.setup.choice import Choice
from app.setup.storing import Stored, check_place, store_credentials


class Session:
    """Mutable on purpose: it is the one thing that the page's requests share."""

    def __init__(self, env_file: Path) -> None:
        self.env_file = env_file
        self.secret = secrets.token_urlsafe(24)
        self.choice: Choice | None = None
        self.made: AppCredentials | None = None
        self.stored: Stored | None = None
        self._state: str | None = None

    def choose(self, choice: Choice) -> str:
        """Take a choice, which replaces an earlier one; returns the `state` of its manifest.

        Raises:
            UserError: where the credentials could not be written, or an App was made already.
        """
        if self.made is not None:
            raise UserError(
                f"expected one App, and {self.made.name} was made already; start the setup again for another"
            )
        check_place(self.env_file, replace=choice.replace)
        self.choice, self._state = choice, secrets.token_urlsafe(24)
        return self._state

    def knows(self, state: str) -> bool:
        """Whether it is the `state` of the manifest that was sent last, and is good still."""
        return self._state is not None and hmac.compare_digest(state.encode(), self._state.encode())

    async def take_code(self, code: str, state: str) -> None:
        """Exchange what GitHub sent back and write it.

        Raises:
            UserError: saying what went wrong and what to do.
        """
        self.made = await self._convert(code, state)
        self.store()

    def store(self) -> Stored:
        """Once more, where it could not be written at first.

        Raises:
            UserError: where it can't be.
        """
        if self.choice is None or self.made is None:
            raise UserError("expected an App to have been made, but there is none yet; begin with the first page")
        if self.stored is None:
            self.stored = store_credentials(self.env_file, self.choice, self.made)
        return self.stored

    async def _convert(self, code: str, state: str) -> AppCredentials:
        if self.choice is None or not self.knows(state):
            raise UserError(
                "expected the state of the manifest that this page sent, got another; nothing was stored. Somebody "
                "else may have sent you here, or you went back: begin again at the address that the terminal shows"
            )
        try:
            made = await convert_manifest(self.choice.api, code)
        except RetryLater as error:  # the code may be good still, and so is the state
            raise UserError(
                f"expected an answer from {self.choice.api}, got none ({error}); see that this machine reaches it, "
                "and reload this page within the hour. If the code was used up meanwhile, delete the App at "
                f"{self.choice.host}/settings/apps and begin again"
            ) from error
        except Refused as refusal:
            self._state = None
            raise UserError(_explain(refusal, self.choice)) from refusal
        self._state = None
        return made


def _explain(refusal: Refused, choice: Choice) -> str:
    if refusal.reason == "not_found":
        return (
            "expected a code that GitHub still knows, got one that was used or is older than an hour; delete the "
            f"App at {choice.host}/settings/apps if it is there, and begin again"
        )
    if refusal.reason == "code":
        return f"{refusal}; begin again at the address that the terminal shows"
    return (
        f"expected the App's credentials from {choice.api}, got a refusal: {refusal}; if its API is at another "
        "address, begin again and name it"
    )
