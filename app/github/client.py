"""What the App asks of GitHub, one method each, as one installation. Raw JSON in, our records or plain dicts out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.domain.errors import Refused
from app.domain.policies import POLICY_PATH
from app.github.asking import PAGE_SIZE
from app.github.harvested import Account, HarvestedPull, parse_pull
from app.github.listed import (
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
from app.github.policy_file import PolicyFile, ProposedPolicy, read_policy
from app.github.proposing import Proposing
from app.github.queries import (
    AGENTS_FILES,
    FILE_TEXT,
    HARVEST_PULL_REQUEST,
    MERGED_PULL_REQUESTS,
    POLICY_AT_HEAD,
    REPOSITORY_POLICY,
    THREAD_COMMENTS,
)

#: Bytes of a file that is read whole; GitHub cuts the text of larger ones off.
LARGEST_TEXT = 200_000


class GitHubClient(Proposing):
    """Safe to share between tasks and threads. Writes keep the pace of `Pace`."""

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

    async def fetch_permission(
        self, repository: str, login: str, *, user_id: int | None = None, repository_id: int | None = None
    ) -> str:
        """admin, write, read or none, as of now. GitHub maps maintain to write and triage to read.

        With a `user_id` none, too, when the login is somebody else's by now, with a `repository_id` when the name is
        another repository's: both can be given up and taken.
        """
        try:
            answer = await self._read(f"/repos/{repository}/collaborators/{login}/permission")
            # Asked second: whoever has the name by now did not have it later than the permission was read.
            found = None if repository_id is None else (await self._read(f"/repos/{repository}"))["id"]
        except Refused as error:
            if error.reason == "not_found":
                return "none"
            raise
        if found != repository_id:
            return "none"
        if user_id is not None and (answer.get("user") or {}).get("id") != user_id:
            return "none"
        return str(answer["permission"])

    async def fetch_policy(self, repository: str) -> PolicyFile:
        """What the owners say on the default branch now."""
        owner, name = repository.split("/")
        data = await self._graphql("RepositoryPolicy", REPOSITORY_POLICY, {"owner": owner, "name": name})
        return read_policy(data["repository"]["policy"])

    async def fetch_proposed_policy(self, repository: str, head_sha: str) -> ProposedPolicy:
        """The file at a commit, which no default branch has yet, beside the one in force."""
        owner, name = repository.split("/")
        variables = {"owner": owner, "name": name, "head": f"{head_sha}:{POLICY_PATH}"}
        found = (await self._graphql("PolicyAtHead", POLICY_AT_HEAD, variables))["repository"]
        in_force, proposed = found["policy"], found["proposed"]
        return ProposedPolicy(
            in_force=read_policy(in_force),
            proposed=None if proposed is None else read_policy(proposed),
            differs=(in_force or {}).get("oid") != (proposed or {}).get("oid"),
        )

    async def fetch_agents_text(self, repository: str) -> str:
        """What AGENTS.md, else CLAUDE.md, else GitHub's own file for Copilot says on the default branch; or nothing."""
        owner, name = repository.split("/")
        found = (await self._graphql("AgentsFiles", AGENTS_FILES, {"owner": owner, "name": name}))["repository"]
        texts = (str((found[key] or {}).get("text") or "") for key in ("agents", "claude", "copilot"))
        return next((text for text in texts if text.strip()), "")

    async def fetch_text(self, repository: str, revision: str, path: str) -> str | None:
        """A file's text at a commit, or at `HEAD`, which is the default branch. None when there is no such file, it is
        binary, or has more than LARGEST_TEXT bytes. One request."""
        owner, name = repository.split("/")
        variables = {"owner": owner, "name": name, "at": f"{revision}:{path}"}
        found = (await self._graphql("FileText", FILE_TEXT, variables))["repository"]["file"] or {}
        if found.get("isBinary") or found.get("byteSize", 0) > LARGEST_TEXT:
            return None
        return None if found.get("text") is None else str(found["text"])

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
        annotations: Sequence[dict[str, Any]] = (),
    ) -> int:
        """One check run per `external_id`: updated when it is there, created when not. None means still at work.

        GitHub adds annotations to those that stand: one that has some keeps them.
        """
        output: dict[str, Any] = {"title": title, "summary": summary}
        payload: dict[str, Any] = {"name": name, "external_id": external_id, "output": output}
        payload |= {"status": "completed", "conclusion": conclusion} if conclusion else {"status": "in_progress"}
        standing = await self.find_check_run(repository, head_sha, external_id=external_id, name=name)
        if annotations and (standing is None or not standing["output"]["annotations_count"]):
            output["annotations"] = list(annotations)
        if standing is None:
            path, method, payload = f"/repos/{repository}/check-runs", "POST", payload | {"head_sha": head_sha}
        else:
            path, method = f"/repos/{repository}/check-runs/{standing['id']}", "PATCH"
        return int((await self._write(method, path, payload))["id"])

    async def find_check_run(
        self, repository: str, head_sha: str, *, external_id: str, name: str
    ) -> dict[str, Any] | None:
        """Our own of that id and name on a commit, None where there is none."""
        listing = await self._read(
            f"/repos/{repository}/commits/{head_sha}/check-runs",
            {"check_name": name, "app_id": self._app_id, "filter": "all", "per_page": PAGE_SIZE},
        )
        return next((run for run in listing["check_runs"] if run.get("external_id") == external_id), None)

    # Deliveries, as the App

    async def fetch_failed_deliveries(self) -> list[dict[str, Any]]:
        """GitHub never retries by itself; what it failed to deliver is listed here for a while."""
        answer = await self._installation.app.request(
            "GET", "/app/hook/deliveries", params={"status": "failure", "per_page": PAGE_SIZE}
        )
        return list(answer.json())

    async def redeliver(self, delivery_id: int) -> None:
        await self._installation.app.request("POST", f"/app/hook/deliveries/{delivery_id}/attempts")
