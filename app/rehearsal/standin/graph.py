"""`POST /graphql`: graphql-core over a part of GitHub's schema, so an answer holds just what was asked for."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import DocumentNode, GraphQLError, build_schema, execute_sync, parse, validate
from pydantic import BaseModel, ConfigDict

from app.rehearsal.standin.answers import Answer
from app.rehearsal.standin.auth import allows, reaches
from app.rehearsal.standin.graph_forms import (
    NotFoundError,
    comment_form,
    pull_form,
    remark_form,
    repository_form,
    thread_form,
)
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.routing import Call, Route
from app.rehearsal.standin.site import Site
from app.rehearsal.standin.state import Grant, PullRequest, Repository, Thread

SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8"))


class Operation(BaseModel):
    model_config = ConfigDict(extra="ignore")
    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 (GitHub's name)


class ForbiddenError(GraphQLError):
    """GitHub's FORBIDDEN."""


@lru_cache(maxsize=64)
def _checked(text: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(SCHEMA, document))


def _graphql(call: Call) -> Answer:
    operation = call.parse(Operation)
    document, problems = _checked(operation.query)
    if document is None or problems:
        return Answer(200, {"errors": [_error_json(problem) for problem in problems]})
    result = execute_sync(
        SCHEMA,
        document,
        root_value=_Root(call).fields(),
        variable_values=operation.variables,
        operation_name=operation.operationName,
    )
    body: Json = {"data": result.data}
    if result.errors:
        body["errors"] = [_error_json(error) for error in result.errors]
    return Answer(200, body)


_KINDS: dict[type[Exception], str] = {NotFoundError: "NOT_FOUND", ForbiddenError: "FORBIDDEN"}


class _Root:
    """The three entrances of a query, as this token may use them."""

    def __init__(self, call: Call) -> None:
        if call.grant is None:
            raise ForbiddenError("Resource not accessible by integration")
        self._call = call
        self._site: Site = call.site
        self._grant: Grant = call.grant

    def fields(self) -> Json:
        return {"repository": self.repository, "node": self.node, "rateLimit": self.rate_limit}

    def repository(self, _info: object, owner: str, name: str, followRenames: bool = True) -> Json:  # noqa: N803
        found = self._site.repositories.get(f"{owner}/{name}")
        if found is None or not reaches(self._grant, found):
            raise NotFoundError(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return self._guarded(found)

    def node(self, _info: object, id: str) -> Json:  # noqa: A002 (GitHub's name)
        for repository in self._site.repositories.values():
            if not reaches(self._grant, repository):
                continue
            for pull in repository.pulls.values():
                form = self._node_in(repository, pull, id)
                if form is not None:
                    self._call.pull_number = pull.number
                    return form
        raise NotFoundError(f"Could not resolve to a node with the global id of '{id}'")

    def rate_limit(self, _info: object, **_: object) -> Json:
        now = self._site.clock()
        shown = self._site.limits.graphql.json(now)
        resets = self._site.limits.graphql.roll(now)
        return {**shown, "cost": 1, "nodeCount": 0, "resetAt": resets.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _node_in(self, repository: Repository, pull: PullRequest, node_id: str) -> Json | None:
        if pull.node_id == node_id:
            self._must_read()
            return pull_form(self._site, repository, pull)
        found = self._said_in(repository, pull, node_id)
        if found is not None:
            self._must_read()
        return found

    def _said_in(self, repository: Repository, pull: PullRequest, node_id: str) -> Json | None:
        """A thread, one of its comments, or a comment on the whole."""
        for thread in pull.visible_threads():
            if thread.node_id == node_id:
                return self._thread(repository, pull, thread)
        for thread, comment in pull.comments():
            if comment.node_id == node_id:
                return comment_form(self._site, repository, pull, thread, comment)
        remark = next((one for one in pull.conversation if one.node_id == node_id), None)
        return None if remark is None else remark_form(self._site, repository, pull, remark)

    def _thread(self, repository: Repository, pull: PullRequest, thread: Thread) -> Json:
        return thread_form(self._site, repository, pull, thread)

    def _guarded(self, repository: Repository) -> Json:
        """A repository whose pull requests and files only a token with those permissions may read."""
        form = repository_form(self._site, repository)
        one, many, content = form["pullRequest"], form["pullRequests"], form["object"]

        def pull_request(info: object, number: int) -> Json:
            self._must_read()
            self._call.pull_number = number
            found: Json = one(info, number)
            return found

        def pull_requests(info: object, **given: object) -> Json:
            self._must_read()
            found: Json = many(info, **given)
            return found

        def git_object(info: object, **given: object) -> Json | None:
            self._must_read("contents")
            found: Json | None = content(info, **given)
            return found

        return form | {"pullRequest": pull_request, "pullRequests": pull_requests, "object": git_object}

    def _must_read(self, what: str = "pull_requests") -> None:
        if not allows(self._grant.permissions, what, "read"):
            raise ForbiddenError("Resource not accessible by integration")


def _error_json(error: GraphQLError) -> Json:
    """GitHub puts the kind of an error beside its message, not into `extensions`."""
    shown: Json = {"message": error.message}
    cause = error.original_error or error
    kind = _KINDS.get(type(cause))
    if kind is not None:
        shown["type"] = kind
    if error.path:
        shown["path"] = error.path
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return shown


ROUTES = (Route("POST", "/graphql", _graphql, resource="graphql"),)
