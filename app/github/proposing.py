"""What the App does with `contents: write`, where it was granted: one branch, one file, one pull request.

GitHub has no idempotency keys for them: each is looked for before it is made, and a second pull request of a branch is
refused by GitHub itself.
"""

import base64
from collections.abc import Mapping
from typing import Any

from app.domain.errors import Refused
from app.domain.onboarding import Proposal
from app.github.conversing import Conversing


class Proposing(Conversing):
    """The part of GitHubClient that proposes a file."""

    async def fetch_granted(self) -> Mapping[str, str]:
        """The installation's permissions, as its newest token states them: at most an hour old."""
        await self._installation.fetch_token()
        return self._installation.granted

    async def find_proposal(self, repository: str, branch: str, *, login: str, marker: str) -> Proposal | None:
        """The newest pull request of this branch that the account opened with this mark in its text, in any state."""
        head = f"{repository.split('/', maxsplit=1)[0]}:{branch}"
        listed = [one async for one in self._pages(f"/repos/{repository}/pulls", {"state": "all", "head": head})]
        by_us = [one for one in listed if (one.get("user") or {}).get("login") == login]
        ours = [one for one in by_us if marker in (one.get("body") or "")]
        if not ours:
            return None
        newest = max(ours, key=lambda one: int(one["number"]))
        return Proposal(
            number=int(newest["number"]), is_open=newest["state"] == "open", is_merged=newest["merged_at"] is not None
        )

    async def ensure_branch(self, repository: str, branch: str) -> str:
        """Begun at the default branch unless it is there; returns the default branch's name."""
        default = str((await self._read(f"/repos/{repository}"))["default_branch"])
        if await self._find_ref(repository, branch) is None:
            sha = await self._find_ref(repository, default)
            if sha is None:
                raise Refused("empty", f"{repository} has no commit on {default} yet; its first one must come first")
            await self._write("POST", f"/repos/{repository}/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
        return default

    async def create_file(self, repository: str, branch: str, path: str, text: str, *, message: str) -> None:
        """One commit on a branch.

        Raises:
            Refused: `invalid` where the file is there already.
        """
        content = base64.b64encode(text.encode()).decode()
        payload = {"message": message, "content": content, "branch": branch}
        await self._write("PUT", f"/repos/{repository}/contents/{path}", payload)

    async def create_pull(self, repository: str, *, head: str, base: str, title: str, body: str) -> int:
        """Its number.

        Raises:
            Refused: `invalid` where there is one of this branch.
        """
        payload: dict[str, Any] = {"title": title, "head": head, "base": base, "body": body}
        return int((await self._write("POST", f"/repos/{repository}/pulls", payload))["number"])

    async def _find_ref(self, repository: str, branch: str) -> str | None:
        try:
            found = await self._read(f"/repos/{repository}/git/ref/heads/{branch}")
        except Refused as error:
            if error.reason in ("not_found", "conflict"):  # conflict: GitHub's word for an empty repository
                return None
            raise
        return str(found["object"]["sha"])
