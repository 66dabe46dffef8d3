"""Finding and deleting what is about a subject, in our tables. The job engine's are in app/workflows/engine.

Covered: Examples (what is searched of them goes with them), Rejections, approvals, audit, Findings, their feedback,
reviews, dismissals, pauses, what was indexed of documentation, all vectors, raw bodies of deliveries, sessions. Kept
without a word of content: that a delivery came (its GUID refuses a duplicate), that a head was reviewed and harvested
(or it would be again), and for a person's own decisions over others' Examples a key instead of the name.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.domain.erasure import ErasureKind, Subject
from app.domain.errors import RetryLater
from app.domain.tenants import split_tenant
from app.domain.written import WrittenKind
from app.store.columns import utc_now
from app.store.reference_tables import ReferenceFileRow, ReferenceRow, VectorRow
from app.store.tables import (
    AdapterPointerRow,
    AdapterVersionRow,
    ApprovalRow,
    AuditRow,
    DeliveryRow,
    DismissalRow,
    ExampleRow,
    FeedbackRow,
    FindingRow,
    HarvestedRow,
    InstallationRow,
    PauseRow,
    RejectionRow,
    RepositoryRow,
    ReviewAskRow,
    ReviewRow,
    SnapshotRow,
    TrainingRunRow,
)
from app.store.web_tables import SessionRow

_OF_COMMITS = frozenset({WrittenKind.COMMIT.value, WrittenKind.DOCSTRING.value})
#: Parameters of one statement: SQLite takes 32,766.
_CHUNK = 5_000
Item = TypeVar("Item")


@dataclass
class Doomed:
    """Keys of what is to go. `pulls` are those that the subject opened or that are the subject."""

    pulls: frozenset[tuple[str, int]] = frozenset()
    examples: list[str] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)
    approvals: list[int] = field(default_factory=list)
    audits: list[int] = field(default_factory=list)
    #: (review id, fingerprint)
    findings: list[tuple[str, str]] = field(default_factory=list)
    #: (repository, pull request, fingerprint)
    dismissals: list[tuple[str, int, str]] = field(default_factory=list)
    #: (repository, pull request)
    pauses: list[tuple[str, int]] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    #: (repository's id, content, position)
    references: list[tuple[int, str, int]] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)

    def count(self) -> dict[str, int]:
        named = {name: len(value) for name, value in vars(self).items() if name != "pulls"}
        return {name: number for name, number in named.items() if number}


def select_doomed(session: Session, installation_id: int, subject: Subject, commits: Collection[str] = ()) -> Doomed:
    """Everything of the installation that is about the subject. Changes nothing.

    `commits`: ids of those that its pull requests became, for a row about a commit names no pull request.
    """
    doomed = Doomed(pulls=select_opened_pulls(session, installation_id, subject))
    doomed.examples = [
        row.hash
        for row in _rows(session, ExampleRow, installation_id)
        if _concerns(subject, doomed.pulls, row.repository, row.pull_request, row.payload)
        or (row.kind in _OF_COMMITS and row.payload["commit_sha"] in commits)
    ]
    doomed.rejections = [
        row.id
        for row in _rows(session, RejectionRow, installation_id)
        if _concerns(subject, doomed.pulls, row.repository, row.pull_request, row.payload)
    ]
    _select_decisions(session, installation_id, subject, doomed)
    _select_reviews(session, installation_id, subject, doomed)
    _select_steering(session, installation_id, subject, doomed)
    doomed.references = [
        (row.repository_id, row.content, row.position)
        for row in _rows(session, ReferenceRow, installation_id)
        if _concerns(subject, frozenset(), row.repository, None, row.payload)
    ]
    doomed.deliveries = [
        row.guid for row in _deliveries(session, installation_id) if _tells_of(row.body, subject, doomed.pulls)
    ]
    return doomed


def select_opened_pulls(session: Session, installation_id: int, subject: Subject) -> frozenset[tuple[str, int]]:
    """Harvested pull requests, as repository and number, that the person opened; none for another kind of subject."""
    if subject.kind is not ErasureKind.AUTHOR:
        return frozenset()
    query = select(HarvestedRow.repository, HarvestedRow.pull_request).where(
        HarvestedRow.installation_id == installation_id, HarvestedRow.author == subject.key
    )
    return frozenset((repository, number) for repository, number in session.exec(query))


def _concerns(
    subject: Subject,
    pulls: frozenset[tuple[str, int]],
    repository: str,
    number: int | None,
    payload: object,
) -> bool:
    return subject.covers_pull(repository, number) or (repository, number) in pulls or subject.is_named_in(payload)


def _rows(session: Session, table: Any, installation_id: int) -> Iterator[Any]:  # noqa: ANN401 (several tables)
    query = select(table).where(table.installation_id == installation_id)
    yield from session.exec(query.execution_options(yield_per=500))


def _select_decisions(session: Session, installation_id: int, subject: Subject, doomed: Doomed) -> None:
    gone = set(doomed.examples)
    for row in _rows(session, ApprovalRow, installation_id):
        if row.example_hash in gone or _concerns(subject, doomed.pulls, row.repository, row.pull_request, None):
            doomed.approvals.append(row.id)
            gone.add(row.example_hash)
    places = {f"{repository}#{number}" for repository, number in doomed.pulls}
    known = (
        select_repository_names(session, installation_id) if subject.kind is ErasureKind.INSTALLATION else frozenset()
    )
    for audit in session.exec(_audits(installation_id).execution_options(yield_per=500)):
        place = str(audit.detail.get("pull_request") or audit.subject)
        about = place in places or _is_about(subject, place) or place.split("#", maxsplit=1)[0] in known
        whole = known and (
            audit.subject.startswith(f"{installation_id}--") or audit.detail.get("installation_id") == installation_id
        )
        if about or audit.subject in gone or whole:
            doomed.audits.append(int(audit.id or 0))


def _audits(installation_id: int) -> SelectOfScalar[AuditRow]:
    """Those of the tenant and, where it is of the first GitHub, those from before rows said of whom they are."""
    mine = col(AuditRow.installation_id) == installation_id
    if split_tenant(installation_id).number == 0:
        mine = mine | col(AuditRow.installation_id).is_(None)
    return select(AuditRow).where(mine)


def _is_about(subject: Subject, place: str) -> bool:
    """An audit row of a pull request names it as owner/name#number."""
    repository, mark, number = place.rpartition("#")
    whole = subject.kind is ErasureKind.INSTALLATION
    return bool(mark) and number.isdigit() and not whole and subject.covers_pull(repository, int(number))


def select_repository_names(session: Session, installation_id: int) -> frozenset[str]:
    """Every repository that the installation has rows of, and a name that none has, so that it is never empty."""
    tables = (ExampleRow, RejectionRow, ApprovalRow, ReviewRow, HarvestedRow)
    names = {"", *session.exec(select(RepositoryRow.full_name).where(RepositoryRow.installation_id == installation_id))}
    for table in tables:
        columns = sa.inspect(table).columns
        mine = sa.select(columns["repository"]).where(columns["installation_id"] == installation_id).distinct()
        names.update(session.connection().execute(mine).scalars())
    return frozenset(names)


def _select_reviews(session: Session, installation_id: int, subject: Subject, doomed: Doomed) -> None:
    told = {(row.review_id, row.fingerprint): row.line_text for row in _rows(session, FeedbackRow, installation_id)}
    for review in _rows(session, ReviewRow, installation_id):
        whole = _concerns(subject, doomed.pulls, review.repository, review.pull_request, review.coverage)
        if whole and review.coverage:
            doomed.reviews.append(review.id)
        for finding in session.exec(select(FindingRow).where(FindingRow.review_id == review.id)):
            line = told.get((review.id, finding.fingerprint), "")
            if whole or subject.is_named_in([finding.payload, line]):
                doomed.findings.append((review.id, finding.fingerprint))


def _select_steering(session: Session, installation_id: int, subject: Subject, doomed: Doomed) -> None:
    """What a person said goes with its words; that others' Findings stay dismissed is no word of theirs, see below."""
    doomed.dismissals = [
        (row.repository, row.pull_request, row.fingerprint)
        for row in _rows(session, DismissalRow, installation_id)
        if _concerns(subject, doomed.pulls, row.repository, row.pull_request, None)
    ]
    doomed.pauses = [
        (row.repository, row.pull_request)
        for row in _rows(session, PauseRow, installation_id)
        if _concerns(subject, doomed.pulls, row.repository, row.pull_request, {"actor": row.actor})
    ]


def _deliveries(session: Session, installation_id: int) -> Iterator[DeliveryRow]:
    query = select(DeliveryRow).where(
        DeliveryRow.installation_id == installation_id, sa.func.length(DeliveryRow.body) > 0
    )
    yield from session.exec(query.execution_options(yield_per=100))


def _tells_of(body: bytes, subject: Subject, pulls: frozenset[tuple[str, int]]) -> bool:
    try:
        payload = json.loads(body)
    except ValueError:
        return True  # what cannot be read cannot be judged, and is of no more use
    if not isinstance(payload, dict):
        return True
    repository = str((payload.get("repository") or {}).get("full_name") or "")
    number = (payload.get("pull_request") or payload.get("issue") or {}).get("number")
    listed = [item.get("full_name") for item in payload.get("repositories_removed") or ()]
    return (
        (bool(repository) and _concerns(subject, pulls, repository, number, None))
        or subject.kind is ErasureKind.INSTALLATION
        or (subject.kind is ErasureKind.REPOSITORY and subject.repository in listed)
        or subject.is_named_in(payload)
    )


def erase_doomed(
    session: Session, installation_id: int, subject: Subject, commits: Collection[str] = ()
) -> dict[str, int]:
    """Delete it, and say how many of each. `commits` as in `select_doomed`."""
    _overwrite_deleted(session)
    doomed = select_doomed(session, installation_id, subject, commits)
    mine = {"installation_id": installation_id}
    _delete(session, ExampleRow, "hash", doomed.examples, **mine)
    _delete(session, RejectionRow, "id", doomed.rejections, **mine)
    _delete(session, ApprovalRow, "id", doomed.approvals, **mine)
    _delete(session, AuditRow, "id", doomed.audits)
    for review_id, fingerprint in doomed.findings:
        _delete(session, FeedbackRow, "fingerprint", [fingerprint], review_id=review_id)
        _delete(session, FindingRow, "fingerprint", [fingerprint], review_id=review_id)
    for repository, number, fingerprint in doomed.dismissals:
        _delete(session, DismissalRow, "fingerprint", [fingerprint], repository=repository, pull_request=number, **mine)
    for repository, number in doomed.pauses:
        _delete(session, PauseRow, "pull_request", [number], repository=repository, **mine)
    for repository_id, content, position in doomed.references:
        _delete(session, ReferenceRow, "position", [position], content=content, repository_id=repository_id, **mine)
    # A vector says something of its text, and which text's it was is told by nothing but the text.
    session.connection().execute(sa.delete(VectorRow).where(col(VectorRow.installation_id) == installation_id))
    _end_sessions(session, installation_id, subject)
    _change(session, ReviewRow, "id", doomed.reviews, coverage={})
    _change(session, DeliveryRow, "guid", doomed.deliveries, body=b"")
    if subject.kind is ErasureKind.AUTHOR:
        _rename_actor(session, installation_id, subject)
    elif subject.kind is not ErasureKind.PULL_REQUEST:
        _forget_repositories(session, installation_id, subject)
    return doomed.count()


def _end_sessions(session: Session, installation_id: int, subject: Subject) -> None:
    """A person's sessions name them; whoever was let in by an installation or a repository that goes signs in anew."""
    for row in session.exec(select(SessionRow)):
        if row.is_operator or installation_id not in row.installations:
            continue  # of others, who may share a name
        is_theirs = subject.kind is ErasureKind.AUTHOR and row.login.lower() == subject.name.lower()
        if is_theirs or subject.kind in (ErasureKind.INSTALLATION, ErasureKind.REPOSITORY):
            session.delete(row)
    session.flush()


def _overwrite_deleted(session: Session) -> None:
    # Until the file is written anew, what is deleted here lies in it as zeros and not as text.
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("PRAGMA secure_delete=ON")


def has_unhandled(session: Session, guids: list[str]) -> bool:
    """Whether any of these deliveries still waits for its workflow."""
    waiting = (
        select(DeliveryRow.guid).where(col(DeliveryRow.guid).in_(chunk), col(DeliveryRow.handled_at).is_(None)).limit(1)
        for chunk in _chunks(guids)
    )
    return any(session.exec(query).first() is not None for query in waiting)


def _delete(session: Session, table: type[SQLModel], key: str, keys: Sequence[Any], **where: object) -> None:
    columns = sa.inspect(table).columns
    for chunk in _chunks(keys):
        fixed = [columns[name] == value for name, value in where.items()]
        session.connection().execute(sa.delete(table).where(columns[key].in_(chunk), *fixed))


def _change(session: Session, table: type[SQLModel], key: str, keys: Sequence[Any], **values: object) -> None:
    columns = sa.inspect(table).columns
    for chunk in _chunks(keys):
        session.connection().execute(sa.update(table).where(columns[key].in_(chunk)).values(values))


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _rename_actor(session: Session, installation_id: int, subject: Subject) -> None:
    """Their decisions over what others wrote stay valid, under a key; so does what the audit says they did."""
    same = sa.func.lower
    name = subject.name.lower()
    approvals = sa.update(ApprovalRow).where(
        col(ApprovalRow.installation_id) == installation_id, same(col(ApprovalRow.actor)) == name
    )
    session.connection().execute(approvals.values(actor=subject.key))
    for row in _rows(session, DismissalRow, installation_id):
        if row.actor.lower() == name or subject.is_named_in({"reason": row.reason}):
            row.reason, row.actor = "", subject.key if row.actor.lower() == name else row.actor
    session.flush()
    mine = list(session.exec(_audits(installation_id)))
    acted = [int(row.id or 0) for row in mine if row.actor.lower() == name]
    named = [int(row.id or 0) for row in mine if subject.is_named_in(row.detail)]
    _change(session, AuditRow, "id", acted, actor=subject.key)
    _change(session, AuditRow, "id", named, detail={})


def _forget_repositories(session: Session, installation_id: int, subject: Subject) -> None:
    """A whole repository or installation: nothing is to be done about its pull requests any more."""
    gone = sa.select(col(ReviewRow.id)).where(col(ReviewRow.installation_id) == installation_id)
    if subject.repository is not None:
        gone = gone.where(sa.func.lower(col(ReviewRow.repository)) == subject.repository.lower())
    session.connection().execute(sa.delete(ReviewAskRow).where(col(ReviewAskRow.review_id).in_(gone)))
    for table in (RepositoryRow, HarvestedRow, ReviewRow, ReferenceFileRow):
        name = "full_name" if table is RepositoryRow else "repository"
        columns = sa.inspect(table).columns
        statement = sa.delete(table).where(columns["installation_id"] == installation_id)
        if subject.repository is not None:
            statement = statement.where(sa.func.lower(columns[name]) == subject.repository.lower())
        session.connection().execute(statement)


def forget_installation(session: Session, installation_id: int) -> list[str]:
    """Its snapshots, training runs, pointer and adapters, and who it is. Returns the adapters' names.

    The row itself stays, as deleted: a late webhook would make it anew, and active.
    """
    names = [row.name for row in _rows(session, AdapterVersionRow, installation_id)]
    for table in (SnapshotRow, TrainingRunRow, AdapterVersionRow, AdapterPointerRow):
        columns = sa.inspect(table).columns
        session.connection().execute(sa.delete(table).where(columns["installation_id"] == installation_id))
    statement = sa.update(InstallationRow).where(col(InstallationRow.id) == installation_id)
    gone = {"state": "deleted", "account": "", "permissions": {}, "updated_at": utc_now()}
    session.connection().execute(statement.values(gone))
    return names


def compact(engine: sa.Engine) -> None:
    """Write the database anew without what was deleted, and empty the write-ahead log.

    SQLite: the file is copied without free pages and the log truncated. PostgreSQL: our tables and the job engine's are
    rewritten; its own log and your backups keep old pages for as long as you keep those.

    Raises:
        RetryLater: while somebody holds a table, or reads an older state.
    """
    if engine.dialect.name == "sqlite":
        _compact_sqlite(engine)
    else:
        _compact_postgresql(engine)


def _compact_sqlite(engine: sa.Engine) -> None:
    connection = engine.raw_connection()  # past SQLAlchemy, in whose transaction VACUUM cannot run
    try:
        driver: Any = connection.driver_connection
        driver.execute("VACUUM")
        busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        raise RetryLater("the database is in use; it is compacted later", 2.0) from error
    finally:
        connection.close()
    if busy:
        raise RetryLater("somebody reads an older state of the database; it is compacted later", 2.0)


def _compact_postgresql(engine: sa.Engine) -> None:
    ours = "select schemaname, tablename from pg_tables where schemaname = 'dbos' or tablename like 'us\\_%'"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET lock_timeout = '30s'"))
        try:
            for schema, table in connection.execute(sa.text(ours)).all():
                connection.execute(sa.text(f'VACUUM FULL "{schema}"."{table}"'))
        except sa.exc.OperationalError as error:
            raise RetryLater("a table is in use; the database is compacted later", 5.0) from error
        finally:
            connection.execute(sa.text("RESET lock_timeout"))
