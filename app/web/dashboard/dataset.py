"""The dataset browser: lists within what the reader may see, one Example with its evidence, a person's word on it."""

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from sqlmodel import Session
from starlette.responses import Response

from app.curation.decision import Actor, Refusal
from app.curation.recording import Scope, is_private, record_dashboard
from app.domain.diff import Hunk
from app.domain.examples import Evidence, Example, ExampleKind
from app.domain.policies import Curation
from app.domain.written import WrittenExample, WrittenKind
from app.store.overviews import load_example, select_decisions
from app.store.searching import UNDECIDED, Key, Listed, Wanted, select_page
from app.store.tables import ApprovalRow, ExampleRow
from app.web.dashboard.desk import NOT_FOUND, Ended, Route, Visit

_SIZE = 50
KINDS = {
    "review_comment": "review comment",
    "clean_hunk": "hunk left alone",
    "pull_request": "description",
    "commit": "commit message",
    "docstring": "docstring",
}
DECISIONS = {"approve": "approved", "reject": "rejected", UNDECIDED: "undecided"}
EVIDENCE = {
    Evidence.SUGGESTION_APPLIED.value: "the suggestion stands in the code",
    Evidence.LINE.value: "the very line was changed",
    Evidence.NEAR.value: "a line within three was changed",
    Evidence.FILE.value: "the file was changed elsewhere",
    Evidence.UNCHANGED.value: "nothing was changed",
    Evidence.UNKNOWN.value: "git cannot tell",
}
_FILTERS = ("words", "repository", "decision", "evidence", "kind")
_LONGEST_QUERY = 200
_VERDICTS: dict[str, Literal["approve", "reject"]] = {"approve": "approve", "reject": "reject"}


async def browse(visit: Visit) -> Response:
    asked = {name: visit.query.get(name, "")[:_LONGEST_QUERY] for name in _FILTERS}
    if asked["repository"] and not visit.sight.shows(asked["repository"]):
        raise Ended(404, NOT_FOUND)
    wanted = Wanted(repositories=visit.sight.repositories, **asked)
    below = read_key(visit.query.get("below", ""))
    rows = await visit.read(lambda session: select_page(session, visit.sight.id, wanted, size=_SIZE + 1, below=below))
    shown, more = rows[:_SIZE], rows[_SIZE:]
    following = None
    if more:
        following = urlencode({**{name: text for name, text in asked.items() if text}, "below": write_key(shown[-1])})
    return visit.page(
        "examples.html",
        rows=shown,
        asked=asked,
        following=following,
        is_first=below is None,
        kinds=KINDS,
        decisions=DECISIONS,
        evidence=EVIDENCE,
    )


def write_key(row: Listed) -> str:
    return f"{row.created_at.isoformat()}|{row.hash}"


def read_key(text: str) -> Key | None:
    """None for the first page, and for a key that is none: addresses are typed by anybody."""
    moment, _, example_hash = text.partition("|")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return Key(at if at.tzinfo is not None else at.replace(tzinfo=UTC), example_hash)


class Line(NamedTuple):
    kind: str
    old: int | None
    new: int | None
    text: str
    marked: bool


def mark_lines(hunk: Hunk, example: Example) -> list[Line]:
    """The hunk's lines; marked are those that the comment stands on. Pure."""
    last = example.line
    first = example.start_line or last
    on_right = example.side == "RIGHT"

    def is_marked(number: int | None, kind: str) -> bool:
        fits = kind != ("removed" if on_right else "added")
        return fits and None not in (number, first, last) and (first or 0) <= (number or 0) <= (last or 0)

    return [
        Line(line.kind, line.old, line.new, line.text, is_marked(line.new if on_right else line.old, line.kind))
        for line in hunk.lines
    ]


def split_patch(text: str) -> list[Line]:
    """A hunk as text, line by line, without numbers. Pure."""
    kinds = {"+": "added", "-": "removed", "@": "header"}
    return [
        Line(kinds.get(line[:1], "context"), None, None, line[1:] if line[:1] in "+- " else line, False)
        for line in text.split("\n")
    ]


async def show(visit: Visit) -> Response:
    row, decisions = await _load(visit)
    context: dict[str, Any] = {"row": row, "decisions": decisions, "kinds": KINDS, "evidence": EVIDENCE}
    context["standing"] = decisions[0].decision if decisions else None
    if row.kind in {kind.value for kind in ExampleKind}:
        example = Example.model_validate(row.payload)
        fix = [] if example.fix is None else [split_patch(hunk) for hunk in example.fix.hunks]
        return visit.page("example.html", example=example, lines=mark_lines(example.hunk, example), fix=fix, **context)
    written = WrittenExample.model_validate(row.payload)
    is_patch = written.kind is not WrittenKind.DOCSTRING
    lines = (
        split_patch(written.context)
        if is_patch
        else [Line("context", None, None, line, False) for line in written.context.split("\n")]
    )
    return visit.page("written.html", written=written, lines=lines, **context)


async def _load(visit: Visit) -> tuple[ExampleRow, list[ApprovalRow]]:
    """The Example of the path, with every decision about it; of a repository that the viewer sees."""

    def look(session: Session) -> tuple[ExampleRow | None, list[ApprovalRow]]:
        key = (visit.sight.id, visit.path("hash"))
        return load_example(session, *key), select_decisions(session, *key)

    row, decisions = await visit.read(look)
    if row is None or not visit.sight.shows(row.repository):
        raise Ended(404, NOT_FOUND)
    return row, decisions


async def decide(visit: Visit) -> Response:
    """Approve or reject exactly this content. The permission is read at this moment; it is recorded as labels are."""
    row, _ = await _load(visit)
    sight, repository_id = visit.sight, visit.sight.ids.get(row.repository)
    role = await visit.desk.access.role(visit.viewer, sight.id, row.repository, repository_id=repository_id, fresh=True)
    actor = Actor(login=visit.viewer.login, kind="User", role=role)
    verdict = _VERDICTS.get(visit.form.get("verdict", ""))
    if verdict is None:
        raise Ended(400, "A decision is approve or reject.")
    if actor.may_decide:
        await _check_owners(visit, row.repository)

    at = visit.backstage.now(sight.id)

    def record(session: Session) -> Refusal | None:
        scope = Scope(installation_id=visit.sight.id, repository=row.repository, number=row.pull_request or 0)
        now = load_example(session, scope.installation_id, row.hash)
        # The role is that on the repository whose name it had: under another one it is another question.
        if is_private(session, scope) or now is None or now.repository != row.repository:
            raise Ended(409, "This content is gone or was changed since you saw it. Look at it again.")
        found = record_dashboard(session, scope, row.hash, verdict, actor, at=at)
        return found if isinstance(found, Refusal) else None

    refusal = await visit.call(visit.desk.write, record)
    if refusal is not None:
        raise Ended(
            409 if refusal.reason == "label_stands" else 403, f"{refusal.detail[:1].upper()}{refusal.detail[1:]}."
        )
    return visit.back(f"/examples/{row.hash}")


async def _check_owners(visit: Visit, repository: str) -> None:
    """What the owners of the repository say binds a decision here as it does a label there."""
    if not await visit.backstage.may_decide(visit.sight.id, repository):
        raise Ended(409, "The owners of this repository did not say yes to Understudy, so nothing is decided there.")
    if (await visit.backstage.policy(visit.sight.id, repository)).policy.curation is Curation.OFF:
        raise Ended(409, "This repository's policy says `curation: off`, so nothing is decided there.")


ROUTES = (
    Route("GET", "/{installation_id}/examples", browse),
    Route("GET", "/{installation_id}/examples/{hash}", show),
    Route("POST", "/{installation_id}/examples/{hash}/decision", decide),
)
