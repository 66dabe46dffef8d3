"""The real service, but for GitHub's edge: what a review of an installation without an adapter asks is answered here.

The client answers after a fixed latency and spends next to nothing, so that what is measured is the service's own
work: intake, dispatching, two workflows with their steps and rows for each pull request.
"""

import asyncio
import dataclasses
from typing import Any, cast

from app.github.client import GitHubClient
from app.github.policy_file import PolicyFile, ProposedPolicy
from app.main import boot, create_app, shutdown
from app.settings import load_settings
from app.web.listening import answer, reserve_address
from app.workflows.context import install, services

LATENCY_SECONDS = 0.05


class InstantGitHub:
    """Knows any repository; every pull request is open at the head that a delivery names."""

    async def fetch_granted(self) -> dict[str, str]:
        """As with a token at hand: nothing is asked. Contents can't be written, so nobody is asked for a yes."""
        return {"checks": "write", "contents": "read", "pull_requests": "write"}

    async def fetch_policy(self, _repository: str) -> PolicyFile:
        await asyncio.sleep(LATENCY_SECONDS)
        return PolicyFile()

    async def fetch_proposed_policy(self, _repository: str, _head_sha: str) -> ProposedPolicy:
        await asyncio.sleep(LATENCY_SECONDS)
        return ProposedPolicy(in_force=PolicyFile(), proposed=None, differs=False)

    async def fetch_pull(self, _repository: str, number: int) -> dict[str, Any]:
        await asyncio.sleep(LATENCY_SECONDS)
        return {"number": number, "state": "open", "draft": False, "head": {"sha": f"{number:040x}"}}

    async def find_check_run(self, _repository: str, _head_sha: str, **_asked: object) -> dict[str, Any]:
        """One stands, so that it is written anew: without an adapter none would be made, and less would be measured."""
        await asyncio.sleep(LATENCY_SECONDS)
        return {"id": 1}

    async def ensure_check_run(self, _repository: str, _head_sha: str, **_said: object) -> int:
        await asyncio.sleep(LATENCY_SECONDS)
        return 1


def main() -> None:
    settings = load_settings()
    github = cast(GitHubClient, InstantGitHub())
    with reserve_address(settings.host, settings.port) as address:
        boot(settings, scheduled=False)
        install(dataclasses.replace(services(), github=lambda _installation_id: github))
        try:
            answer(create_app(settings, booted=True), address, connections=settings.connections)
        finally:
            shutdown()


if __name__ == "__main__":
    main()
