"""Who may decide, asked of GitHub now: one request a person, at most PEOPLE of one pull request."""

from collections.abc import Iterable

from app.curation.decision import UNREAD_ROLE, Actor
from app.github.client import GitHubClient
from app.github.harvested import Account

#: Outsiders can speak on a thread under any number of names; the API budget of one pull request is 12 requests.
PEOPLE = 8
#: What GitHub says of people who may well have write access. Private members of an organisation show as anything.
_NEAR = ("OWNER", "MEMBER", "COLLABORATOR")


class People:
    """Roles on one repository, each read once. Not kept longer than one reading of one pull request."""

    def __init__(self, client: GitHubClient, repository: str) -> None:
        self._client = client
        self._repository = repository
        self._roles: dict[str, str] = {}

    async def ask(self, accounts: Iterable[tuple[Account, str]]) -> None:
        """Read the roles of (account, association) pairs, those near the repository first, while the limit allows."""
        ranked = sorted(accounts, key=lambda pair: (pair[1] not in _NEAR, pair[0].login))
        for account, _ in ranked:
            if account.kind == "User" and account.login not in self._roles and len(self._roles) < PEOPLE:
                self._roles[account.login] = await self._client.fetch_permission(self._repository, account.login)

    def actor(self, account: Account) -> Actor:
        """What is known of a person; machines have no role here."""
        role = self._roles.get(account.login, UNREAD_ROLE) if account.kind == "User" else "none"
        return Actor(login=account.login, kind=account.kind, role=role)
