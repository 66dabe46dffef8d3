"""What the App asks of GitHub, one method each, as one installation. Raw JSON in, our records or plain dicts out."""

import asyncio
import functools
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx

from app.domain.errors import Refused, RetryLater
from app.github.auth import Installation
from app.github.harvested import GHOST, Account, HarvestedPull, parse_pull
from app.github.listed import (
    IssueComment,
    LabelEvent,
    ListedPage,
    MergedPage,
    MergedPull,
    RateLimit,
    RepositoryName,
    Timeline,
    parse_listed_pull,
    parse_rate_limit,
    read_moments,
)
from app.github.policy_file import PolicyFile, read_policy
from app.github.queries import HARVEST_PULL_REQUEST, MERGED_PULL_REQUESTS, REPOSITORY_POLICY, THREAD_COMMENTS
from app.github.transport import LIMIT_PAUSE

PAGE_SIZE = 100


class GitHubClient:
    """Safe to share between tasks and threads. At least `write_pause_seconds` lie between two writes."""

    def __init__(
        self,
        *,
        api_url: str,
        git_url: str,
        app_id: int,
        private_key_pem: str,
        installation_id: int,
        write_pause_seconds: float = 1.0,
    ) -> None:
        self.host = httpx.URL(git_url).host
        self._git_url = git_url.rstrip("/")
        self._app_id = app_id
        self._pause_seconds = write_pause_seconds
        self._next_write = 0.0
        self._installed_at: datetime | None = None
        self._lock = threading.Lock()
        self._installation = Installation(
            api_url=api_url, app_id=app_id, private_key_pem=private_key_pem, installation_id=installation_id
        )

    # Reading

    async def fetch_pull(self, repository: str, number: int) -> dict[str, Any]:
        return await self._read(f"/repos/{repository}/pulls/{number}")

    async def fetch_files(self, repository: str, number: int) -> list[dict[str, Any]]:
        """Every changed file, `patch` absent on binary and very large ones. GitHub lists 3,000 at most."""
        return [item async for item in self._pages(f"/repos/{repository}/pulls/{number}/files")]

    async def fetch_timeline(self, repository: str, number: int) -> Timeline:
        """True even when webhooks came late, twice or not at all."""
        items = [item async for item in self._pages(f"/repos/{repository}/issues/{number}/timeline")]
        labels = [
            LabelEvent(
                act=item["event"],
                label=item["label"]["name"],
                actor=Account(login=item["actor"]["login"], kind=item["actor"]["type"]),
                created_at=item["created_at"],
            )
            for item in items
            if item.get("event") in ("labeled", "unlabeled") and item.get("actor")
        ]
        return Timeline(
            labels=tuple(sorted(labels, key=lambda event: event.created_at)),
            force_pushed_at=read_moments(items, "head_ref_force_pushed"),
            renamed_at=read_moments(items, "renamed"),
        )

    async def fetch_permission(self, repository: str, login: str) -> str:
        """admin, write, read or none, as of now. GitHub maps maintain to write and triage to read."""
        try:
            answer = await self._read(f"/repos/{repository}/collaborators/{login}/permission")
        except Refused as error:
            if error.reason == "not_found":
                return "none"
            raise
        return str(answer["permission"])

    async def fetch_policy(self, repository: str) -> PolicyFile:
        """What the owners say on the default branch now."""
        owner, name = repository.split("/")
        data = await self._graphql("RepositoryPolicy", REPOSITORY_POLICY, {"owner": owner, "name": name})
        return read_policy(data["repository"]["policy"])

    async def fetch_installed_at(self) -> datetime:
        """When this installation began. Asked once: it does not change."""
        if self._installed_at is None:
            path = f"/app/installations/{self._installation.installation_id}"
            answer = (await self._installation.app.request("GET", path)).json()
            self._installed_at = datetime.fromisoformat(answer["created_at"])
        return self._installed_at

    async def fetch_harvest(self, repository: str, number: int) -> HarvestedPull:
        """Threads with all their comments: one request for up to 50 threads of up to 50 comments each."""
        owner, name = repository.split("/")
        variables: dict[str, Any] = {"owner": owner, "name": name, "number": number, "cursor": None}
        threads: list[dict[str, Any]] = []
        while True:
            data = await self._graphql("HarvestPullRequest", HARVEST_PULL_REQUEST, variables)
            found = data["repository"] and data["repository"]["pullRequest"]
            if not found:
                raise Refused("not_found", f"GitHub shows no pull request {repository}#{number}")
            threads += found["reviewThreads"]["nodes"]
            page = found["reviewThreads"]["pageInfo"]
            if not page["hasNextPage"]:
                break
            variables = {**variables, "cursor": page["endCursor"]}
        for thread in threads:
            await self._complete(thread)
        return parse_pull(self.host, data["repository"], threads)

    async def _complete(self, thread: dict[str, Any]) -> None:
        """Adds the comments of a long thread that the first page did not hold."""
        comments = thread["comments"]
        while comments["pageInfo"]["hasNextPage"]:
            variables = {"thread": thread["id"], "cursor": comments["pageInfo"]["endCursor"]}
            data = await self._graphql("ThreadComments", THREAD_COMMENTS, variables)
            rest = data["node"]["comments"]
            comments["nodes"] += rest["nodes"]
            comments["pageInfo"] = rest["pageInfo"]

    # Looking for work

    async def fetch_repositories(self, page: int) -> tuple[tuple[RepositoryName, ...], bool]:
        """A page (from 1) of up to 100 repositories the App is installed on, and whether more follow."""
        answer = await self._send("GET", "/installation/repositories", params={"per_page": PAGE_SIZE, "page": page})
        found = tuple(RepositoryName.model_validate(item) for item in answer.json()["repositories"])
        return found, "next" in answer.links

    async def is_installed(self) -> bool:
        """Whether the installation exists still, suspended or not."""
        try:
            await self._installation.app.request("GET", f"/app/installations/{self._installation.installation_id}")
        except Refused as error:
            if error.reason == "not_found":
                return False
            raise
        return True

    async def fetch_merged(self, repository: str, *, size: int, cursor: str | None) -> MergedPage:
        """Newest first, `size` of them: one request."""
        owner, name = repository.split("/")
        variables: dict[str, Any] = {"owner": owner, "name": name, "size": size, "cursor": cursor}
        data = await self._graphql("MergedPullRequests", MERGED_PULL_REQUESTS, variables)
        if data["repository"] is None:
            raise Refused("not_found", f"GitHub shows no repository {repository}")
        found = data["repository"]["pullRequests"]
        pulls = tuple(MergedPull(number=node["number"], head_sha=node["headRefOid"]) for node in found["nodes"])
        more = found["pageInfo"]
        return MergedPage(
            total=found["totalCount"], pulls=pulls, cursor=more["endCursor"] if more["hasNextPage"] else None
        )

    async def fetch_updated(self, repository: str, *, page: int = 1, etag: str | None = None) -> ListedPage:
        """A page (from 1) of up to 100 pull requests in any state, last updated first."""
        params: dict[str, str | int] = {"state": "all", "sort": "updated", "direction": "desc"}
        answer = await self._send(
            "GET", f"/repos/{repository}/pulls", params=params | {"per_page": PAGE_SIZE, "page": page}, etag=etag
        )
        if answer.status_code == 304:
            return ListedPage(pulls=None, etag=etag, has_more=False)
        pulls = tuple(parse_listed_pull(item) for item in answer.json())
        return ListedPage(pulls=pulls, etag=answer.headers.get("etag"), has_more="next" in answer.links)

    async def fetch_rate_limits(self) -> tuple[RateLimit, ...]:
        """What is left of the hour, from the route that costs nothing. Empty where the server sets no limits."""
        try:
            resources = (await self._read("/rate_limit"))["resources"]
        except Refused as error:
            if error.reason == "not_found":
                return ()
            raise
        return tuple(parse_rate_limit(name, resources[name]) for name in ("core", "graphql") if name in resources)

    # Git

    def git_url(self, repository: str) -> str:
        return f"{self._git_url}/{repository}.git"

    async def fetch_git_token(self) -> str:
        return await self._installation.fetch_token()

    # Reviews

    async def list_reviews(self, repository: str, number: int) -> list[dict[str, Any]]:
        return [item async for item in self._pages(f"/repos/{repository}/pulls/{number}/reviews")]

    async def list_review_comments(self, repository: str, number: int, review_id: int) -> list[dict[str, Any]]:
        path = f"/repos/{repository}/pulls/{number}/reviews/{review_id}/comments"
        return [item async for item in self._pages(path)]

    async def create_pending_review(
        self, repository: str, number: int, head_sha: str, body: str, comments: list[dict[str, Any]]
    ) -> int:
        """Without `event`, so it stays pending: GitHub allows one per user and pull request.

        Raises:
            Refused: "invalid" when a line is not in the diff or a pending review is there already.
            RetryLater: also when the review may have been created: list the reviews before creating again.
        """
        payload = {"commit_id": head_sha, "body": body, "comments": comments}
        return int((await self._write("POST", f"/repos/{repository}/pulls/{number}/reviews", payload))["id"])

    async def submit_review(self, repository: str, number: int, review_id: int, body: str) -> None:
        path = f"/repos/{repository}/pulls/{number}/reviews/{review_id}/events"
        await self._write("POST", path, {"event": "COMMENT", "body": body})

    async def delete_pending_review(self, repository: str, number: int, review_id: int) -> None:
        await self._write("DELETE", f"/repos/{repository}/pulls/{number}/reviews/{review_id}")

    async def ensure_check_run(
        self,
        repository: str,
        head_sha: str,
        *,
        external_id: str,
        conclusion: str | None,
        title: str,
        summary: str,
        name: str,
    ) -> int:
        """One check run per `external_id`: updated when it is there, created when not. None means still at work."""
        output = {"title": title, "summary": summary}
        payload: dict[str, Any] = {"name": name, "external_id": external_id, "output": output}
        payload |= {"status": "completed", "conclusion": conclusion} if conclusion else {"status": "in_progress"}
        listing = await self._read(
            f"/repos/{repository}/commits/{head_sha}/check-runs",
            {"check_name": name, "app_id": self._app_id, "filter": "all", "per_page": PAGE_SIZE},
        )
        standing = next((run for run in listing["check_runs"] if run.get("external_id") == external_id), None)
        if standing is None:
            path, method, payload = f"/repos/{repository}/check-runs", "POST", payload | {"head_sha": head_sha}
        else:
            path, method = f"/repos/{repository}/check-runs/{standing['id']}", "PATCH"
        return int((await self._write(method, path, payload))["id"])

    # Comments

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

    async def reply_to_review_comment(self, repository: str, number: int, root_id: int, body: str) -> int:
        """Answers on a thread, named by its first comment.

        Raises:
            RetryLater: also when it may have been written: read the thread before writing again.
        """
        path = f"/repos/{repository}/pulls/{number}/comments/{root_id}/replies"
        return int((await self._write("POST", path, {"body": body}))["id"])

    # Deliveries, as the App

    async def fetch_failed_deliveries(self) -> list[dict[str, Any]]:
        """GitHub never retries by itself; what it failed to deliver is listed here for a while."""
        answer = await self._installation.app.request(
            "GET", "/app/hook/deliveries", params={"status": "failure", "per_page": PAGE_SIZE}
        )
        return list(answer.json())

    async def redeliver(self, delivery_id: int) -> None:
        await self._installation.app.request("POST", f"/app/hook/deliveries/{delivery_id}/attempts")

    # One request

    async def _read(self, path: str, params: dict[str, str | int] | None = None) -> dict[str, Any]:
        return dict((await self._send("GET", path, params=params)).json())

    async def _pages(self, path: str, params: dict[str, str | int] | None = None) -> AsyncIterator[dict[str, Any]]:
        answer = await self._send("GET", path, params={"per_page": PAGE_SIZE, **(params or {})})
        while True:
            for item in answer.json():
                yield item
            following = answer.links.get("next")
            if following is None:
                return
            answer = await self._send("GET", following["url"])

    async def _write(self, method: str, path: str, payload: object = None) -> dict[str, Any]:
        with self._lock:
            start = max(time.monotonic(), self._next_write)
            self._next_write = start + self._pause_seconds
        await asyncio.sleep(max(0.0, start - time.monotonic()))
        answer = await self._send(method, path, json=payload)
        return dict(answer.json()) if answer.content else {}

    async def _graphql(self, name: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        payload = {"operationName": name, "query": query, "variables": variables}
        sent = await self._send("POST", self._installation.api.graphql_url, json=payload)
        answer = sent.json()
        errors = answer.get("errors") or []
        if any(error.get("type") in ("RATE_LIMIT", "RATE_LIMITED") for error in errors):
            raise RetryLater(f"GitHub's rate limit: {name}", _seconds_until_reset(sent.headers))
        if errors:
            missing = all(error.get("type") == "NOT_FOUND" for error in errors)
            raise Refused("not_found" if missing else "graphql", f"GitHub refused {name}: {errors[0].get('message')}")
        return dict(answer["data"])

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | int] | None = None,
        json: object = None,
        etag: str | None = None,
    ) -> httpx.Response:
        """With the installation's token; a refused one (401 has no effect) is fetched anew, once."""
        request = functools.partial(self._installation.api.request, method, path, params=params, json=json, etag=etag)
        try:
            return await request(token=await self.fetch_git_token())
        except Refused as error:
            if error.reason != "bad_credentials":
                raise
        self._installation.forget_token()
        return await request(token=await self.fetch_git_token())


def _seconds_until_reset(headers: httpx.Headers) -> float:
    """GraphQL says only in its headers when the next hour's budget begins."""
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not reset.isdigit():
        return LIMIT_PAUSE
    return max(1.0, int(reset) - time.time())
