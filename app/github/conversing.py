"""What the App reads and writes in comments: on pull requests as a whole, on threads, and reactions to them."""

from datetime import UTC, datetime

from app.domain.errors import Refused
from app.github.asking import Asking
from app.github.harvested import GHOST, Account
from app.github.listed import IssueComment
from app.github.queries import SAID_COMMENT
from app.github.said import ListedComment, Reacted, Said, parse_listed_comment, parse_reacted, parse_said


class Conversing(Asking):
    """The part of GitHubClient that is about comments."""

    async def list_issue_comments(self, repository: str, number: int, *, since: datetime) -> list[IssueComment]:
        """Comments on the pull request as a whole that were written or changed since a moment, oldest first."""
        path = f"/repos/{repository}/issues/{number}/comments"
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return [
            IssueComment(
                comment_id=item["id"],
                author=Account(login=item["user"]["login"], kind=item["user"]["type"]) if item.get("user") else GHOST,
                body=item.get("body") or "",
            )
            async for item in self._pages(path, {"since": moment})
        ]

    async def create_issue_comment(self, repository: str, number: int, body: str) -> int:
        """Raises:
        RetryLater: also when it may have been written: list before writing again.
        """
        return int((await self._write("POST", f"/repos/{repository}/issues/{number}/comments", {"body": body}))["id"])

    async def update_issue_comment(self, repository: str, comment_id: int, body: str) -> None:
        await self._write("PATCH", f"/repos/{repository}/issues/comments/{comment_id}", {"body": body})

    async def list_line_comments(self, repository: str, number: int, login: str) -> dict[int, str]:
        """What an account's comments on lines of a pull request, and its answers there, say now, by id."""
        found = [item async for item in self._pages(f"/repos/{repository}/pulls/{number}/comments")]
        return {item["id"]: item.get("body") or "" for item in found if (item.get("user") or {}).get("login") == login}

    async def update_review_comment(self, repository: str, comment_id: int, body: str) -> None:
        """Raises:
        Refused: "not_found" when people deleted it.
        """
        await self._write("PATCH", f"/repos/{repository}/pulls/comments/{comment_id}", {"body": body})

    async def reply_to_review_comment(self, repository: str, number: int, root_id: int, body: str) -> int:
        """Answers on a thread, named by its first comment.

        Raises:
            RetryLater: also when it may have been written: read the thread before writing again.
        """
        path = f"/repos/{repository}/pulls/{number}/comments/{root_id}/replies"
        return int((await self._write("POST", path, {"body": body}))["id"])

    async def fetch_said(self, node_id: str) -> Said | None:
        """A comment as it is now; None when it is gone, or on no pull request."""
        try:
            data = await self._graphql("SaidComment", SAID_COMMENT, {"id": node_id})
        except Refused as error:
            if error.reason == "not_found":
                return None
            raise
        return parse_said(node_id, data["node"])

    async def add_reaction(self, said: Said, content: str) -> None:
        """GitHub keeps one of a kind for each who reacts, however often it is asked to."""
        kind = "issues" if said.root_id is None else "pulls"
        path = f"/repos/{said.repository}/{kind}/comments/{said.comment_id}/reactions"
        await self._write("POST", path, {"content": content})

    async def list_reactions(self, repository: str, comment_id: int) -> list[Reacted]:
        """Who reacted to a comment on a line, and how, oldest first. GitHub tells of reactions in no webhook."""
        path = f"/repos/{repository}/pulls/comments/{comment_id}/reactions"
        return [parse_reacted(item) async for item in self._pages(path)]

    async def list_comments_since(self, repository: str, since: datetime) -> list[ListedComment]:
        """What was written or changed since a moment, on lines and on pull requests and issues as a whole."""
        params: dict[str, str | int] = {"since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        paths = [f"/repos/{repository}/{kind}/comments" for kind in ("pulls", "issues")]
        return [parse_listed_comment(item) for path in paths async for item in self._pages(path, params)]

    async def list_answers(self, said: Said, login: str) -> list[str]:
        """Bodies of what an account wrote since a comment was, in the same place."""
        kind = "issues" if said.root_id is None else "pulls"
        params: dict[str, str | int] = {"since": said.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        path = f"/repos/{said.repository}/{kind}/{said.number}/comments"
        found = [item async for item in self._pages(path, params)]
        return [item.get("body") or "" for item in found if (item.get("user") or {}).get("login") == login]

    async def answer(self, said: Said, body: str) -> int:
        """On the comment's own thread, or on the pull request as a whole.

        Raises:
            RetryLater: also when it may have been written: list the answers before writing again.
        """
        if said.root_id is None:
            return await self.create_issue_comment(said.repository, said.number, body)
        return await self.reply_to_review_comment(said.repository, said.number, said.root_id, body)

    def comment_url(self, repository: str, number: int, comment_id: int) -> str:
        return f"{self._git_url}/{repository}/pull/{number}#discussion_r{comment_id}"
