"""Check runs: made, changed and listed by the App."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.rehearsal.standin.answers import Answer, Listing, Refusal, not_found, unprocessable
from app.rehearsal.standin.routing import Call, Route
from app.rehearsal.standin.site import runs_of
from app.rehearsal.standin.state import CheckRun, Repository

_TEXT_LIMIT = 65_535
_NOT_STRICT = ConfigDict(extra="ignore")
Status = Literal["queued", "in_progress", "completed"]
Conclusion = Literal["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"]


class Annotation(BaseModel):
    model_config = _NOT_STRICT
    path: str
    start_line: int
    end_line: int
    start_column: int | None = None
    end_column: int | None = None
    annotation_level: Literal["notice", "warning", "failure"]
    message: str = Field(max_length=65_536)
    title: str | None = Field(None, max_length=255)


class Output(BaseModel):
    model_config = _NOT_STRICT
    title: str
    summary: str = Field(max_length=_TEXT_LIMIT)
    text: str | None = Field(None, max_length=_TEXT_LIMIT)
    annotations: list[Annotation] = Field(default_factory=list, max_length=50)


class CheckRunRequest(BaseModel):
    model_config = _NOT_STRICT
    name: str | None = None
    head_sha: str | None = None
    external_id: str | None = None
    details_url: str | None = None
    status: Status | None = None
    conclusion: Conclusion | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    output: Output | None = None


def _create(call: Call) -> Answer:
    repository, given = call.repository, call.parse(CheckRunRequest)
    if not given.name or not given.head_sha:
        raise Refusal(422, 'Invalid request.\n\n"name", "head_sha" weren\'t supplied.')
    if repository.git.resolve(given.head_sha) != given.head_sha:
        raise unprocessable(f"No commit found for SHA: {given.head_sha}")
    run = CheckRun(
        id=call.site.new_id(),
        name=given.name,
        head_sha=given.head_sha,
        status="queued",
        conclusion=None,
        external_id="",
        details_url=None,
        started_at=call.site.clock(),
        completed_at=None,
        output={},
    )
    _apply(call, run, given)
    repository.check_runs[run.id] = run
    _note_pull(call, run)
    return Answer(201, call.site.check_run_json(repository, run))


def _update(call: Call) -> Answer:
    run = _find(call, call.repository)
    _apply(call, run, call.parse(CheckRunRequest))
    _note_pull(call, run)
    return Answer(200, call.site.check_run_json(call.repository, run))


def _apply(call: Call, run: CheckRun, given: CheckRunRequest) -> None:
    """A conclusion completes a run; completing one needs a conclusion."""
    if given.status == "completed" and given.conclusion is None and run.conclusion is None:
        raise unprocessable("conclusion is required when status is completed")
    run.name = given.name or run.name
    run.status = given.status or run.status
    run.external_id = run.external_id if given.external_id is None else given.external_id
    run.details_url = given.details_url or run.details_url
    run.started_at = given.started_at or run.started_at
    if given.conclusion is not None:
        run.conclusion, run.status = given.conclusion, "completed"
        run.completed_at = given.completed_at or call.site.clock()
    elif run.status != "completed":
        run.conclusion, run.completed_at = None, None
    if given.output is not None:
        shown: dict[str, Any] = given.output.model_dump(exclude_none=True, exclude={"annotations"})
        run.output = run.output | shown
        for one in given.output.annotations:
            if one.start_line != one.end_line and (one.start_column or one.end_column):
                raise unprocessable("start_column and end_column are for annotations of one line")
            run.annotations.append(one.model_dump())


def _find(call: Call, repository: Repository) -> CheckRun:
    run = repository.check_runs.get(call.number("check_run_id"))
    if run is None:
        raise not_found()
    _note_pull(call, run)
    return run


def _get(call: Call) -> Answer:
    return Answer(200, call.site.check_run_json(call.repository, _find(call, call.repository)))


def _annotations(call: Call) -> Listing:
    run, root = _find(call, call.repository), f"{call.site.base_url}/{call.repository.full_name}"
    more = {"raw_details": None}
    return Listing([one | more | {"blob_href": f"{root}/blob/{run.head_sha}/{one['path']}"} for one in run.annotations])


def _of_commit(call: Call) -> Listing:
    """`check_name`, `status`, `app_id` and `filter` (latest of a name by default, or all)."""
    repository, query = call.repository, call.query
    sha = repository.git.resolve(call.path["ref"])
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {call.path['ref']}")
    runs = [run for run in runs_of(repository, sha) if query.get("check_name") in (None, run.name)]
    runs = [run for run in runs if query.get("status") in (None, run.status)]
    if query.get("app_id") not in (None, str(call.site.app_id)):
        runs = []
    if query.get("filter", "latest") == "latest":
        runs = list({run.name: run for run in runs}.values())
    if runs:
        _note_pull(call, runs[0])
    return Listing([call.site.check_run_json(repository, run) for run in runs[::-1]], key="check_runs")


def _note_pull(call: Call, run: CheckRun) -> None:
    """Count the request for the pull request whose head the run is about."""
    numbers = [pull.number for pull in call.repository.pulls.values() if pull.head_sha == run.head_sha]
    call.pull_number = numbers[0] if numbers else None


_REPO = "/repos/{owner}/{repo}"
_RUN = _REPO + "/check-runs/{check_run_id}"
_READ, _WRITE = ("checks", "read"), ("checks", "write")
ROUTES = (
    Route("POST", _REPO + "/check-runs", _create, needs=_WRITE, creates_content=True),
    Route("GET", _RUN, _get, needs=_READ),
    Route("GET", _RUN + "/annotations", _annotations, needs=_READ),
    Route("PATCH", _RUN, _update, needs=_WRITE),
    Route("GET", _REPO + "/commits/{ref}/check-runs", _of_commit, needs=_READ),
)
