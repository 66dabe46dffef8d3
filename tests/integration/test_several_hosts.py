"""Two GitHubs at once that give out the same ids: webhooks, harvests, reviews by adapters, erasures, redeliveries.

One is github.com's kind, the other an Enterprise Server. Installation, repository, names and pull requests are the
same; keys, secrets, slugs, people's words and code are not. Whatever crossed would show on the other side.
"""

import asyncio
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
import yaml
from pydantic import SecretStr
from sqlmodel import select

from app import main
from app.domain.errors import UserError
from app.domain.tenants import join_tenant
from app.github.git import has_commit
from app.rehearsal.standin import StandIn, StandInServer
from app.rehearsal.standin.enterprise import Enterprise
from app.settings import Settings
from app.store.database import reading, writing
from app.store.references import select_past_reviews
from app.store.rounds import move_pointer, save_adapter_version
from app.store.tables import AdapterVersionRow, AuditRow, DeliveryRow, ExampleRow, InstallationRow, ReviewRow
from app.workflows import engine, erasure_requests, sweeping, upkeep
from app.workflows.context import install, services
from app.workflows.runs import RUNNING, State
from tests.integration.intake.conftest import TOKEN, sign
from tests.integration.review.reviewed import GUILTY, guilty_rows
from tests.integration.team import PEOPLE, REPO, SERVICE, Worktree
from tests.serving_fixture import ServingProcess, make_adapter, seal
from tests.waiting import eventually
from training.scores.acceptance import fit_acceptance
from training.scores.locator import fit_locator
from training.scores.text_scores import save_scores

pytestmark = pytest.mark.slow


@dataclass
class Side:
    """One GitHub with its team."""

    number: int
    secret: str
    standin: StandIn
    server: StandInServer
    work: Worktree
    first: str
    word: str

    @property
    def tenant(self) -> int:
        return join_tenant(self.number, self.standin.installation_id)

    @property
    def host(self) -> str:
        return httpx.URL(self.server.base_url).host

    @property
    def repository_id(self) -> int:
        return self.standin.repository(REPO).id

    def open(self, code: str, at: datetime | None = None) -> tuple[int, str]:
        branch = f"work-{len(self.standin.repository(REPO).pulls) + 1}"
        sha = self.work.commit(branch, {"service.py": f"{code}# {self.word}\n"}, start=self.first)
        number = self.standin.open_pull_request(
            REPO,
            author="dev",
            title=f"Of {self.word}",
            head_ref=branch,
            head_sha=sha,
            base_sha=self.first,
            created_at=at,
        )
        return number, sha

    def merge_a_reviewed_one(self) -> int:
        """A comment, its fix, an approval, the merge."""
        code = SERVICE.replace("total = 0", "total = 0.0")
        began = datetime.now(UTC) - timedelta(hours=2)
        number, sha = self.open(code, began)
        line = code.split("\n").index("    total = 0.0") + 1
        self.standin.comment(
            REPO,
            number,
            author="mara",
            path="service.py",
            line=line,
            commit_sha=sha,
            body=f"Mind the {self.word}.",
            created_at=began + timedelta(minutes=10),
        )
        fixed = self.work.commit(f"work-{number}", {"service.py": f"{SERVICE}# {self.word} fixed\n"})
        self.standin.push(REPO, number, fixed, at=began + timedelta(minutes=20))
        self.standin.label(REPO, number, "understudy:approve", by="max")
        self.standin.merge(REPO, number, by="max")
        return number


def make_side(folder: Path, *, number: int, address: str, word: str) -> Side:
    standin = StandIn(folder / f"hub-{number}", webhook_secret=f"the secret of the {word}")
    if number:
        standin.enterprise = Enterprise()
        standin.app_id, standin.slug = 5_000 + number, f"reviews-{number}"
        standin.bot = standin.add_user(f"{standin.slug}[bot]", kind="Bot")
    else:
        standin.add_user("somebody-else")  # so that both give the repository the same id
    standin.add_repository(REPO)
    for login, permission in PEOPLE.items():
        standin.add_collaborator(REPO, login, permission)
    work = Worktree(folder / f"work-{number}", standin.bare_path(REPO))
    first = work.commit("main", {"service.py": SERVICE, "word.txt": word}, start=None)
    (folder / f"{number}.pem").write_text(standin.private_key_pem)
    (folder / f"{number}.secret").write_text(f"the secret of the {word}\n")
    server = StandInServer(standin, address=address)
    return Side(number, f"the secret of the {word}", standin, server, work, first, word)


def settings_of(folder: Path, sides: tuple[Side, Side], serving: ServingProcess, base: Path) -> Settings:
    com, ghe = sides
    listed = {
        "number": ghe.number,
        "api_url": ghe.server.api_url,
        "git_url": ghe.server.base_url,
        "app_id": ghe.standin.app_id,
        "app_slug": ghe.standin.slug,
        "private_key_file": f"{ghe.number}.pem",
        "webhook_secret_files": [f"{ghe.number}.secret"],
    }
    (folder / "hosts.yaml").write_text(yaml.safe_dump([listed]))
    return Settings(
        webhook_secrets=(SecretStr(com.secret),),
        operator_token=SecretStr(TOKEN),
        app_id=com.standin.app_id,
        private_key_file=folder / "0.pem",
        github_api_url=com.server.api_url,
        github_git_url=com.server.base_url,
        hosts=folder / "hosts.yaml",
        write_pause_seconds=0,
        database_url=f"sqlite:///{folder / 'understudy.db'}",
        data=folder / "data",
        base=base,
        serving=(serving.state,),
        polling_seconds=0.05,
    )


@dataclass
class Both:
    com: Side
    ghe: Side
    url: str
    folder: Path

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.com, self.ghe

    def at_once(self, act: Callable[[Side], object]) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(act, self.sides))

    def settle(self) -> None:
        for side in self.sides:
            side.server.drain()
        eventually(lambda: not _unhandled() and not engine.list_runs(RUNNING), 120)


def _unhandled() -> list[str]:
    with reading(services().database) as session:
        return list(session.exec(select(DeliveryRow.guid).where(DeliveryRow.outcome == None)))  # noqa: E711 (SQL)


@pytest.fixture(scope="module")
def both(serving: ServingProcess, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("hosts")
    com = make_side(folder, number=0, address="127.0.0.1", word="lighthouse")
    ghe = make_side(folder, number=2, address="127.0.0.2", word="submarine")
    settings = settings_of(folder, (com, ghe), serving, tiny_base)
    with com.server, ghe.server, socket.create_server(("127.0.0.1", 0)) as listening:
        main.boot(settings, scheduled=False)
        config = uvicorn.Config(main.create_app(settings, booted=True), log_level="warning", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        for side in (com, ghe):
            side.server.deliver_to(f"{url}/webhooks")
        try:
            yield Both(com, ghe, url, folder)
        finally:
            server.should_exit = True
            thread.join(30)
            main.shutdown()


@pytest.fixture(scope="module")
def played(both: Both, tiny_base: Path) -> Both:
    """Both teams worked at once: a merge with a comment; then, with an adapter each, one that breaks a rule."""
    assert both.com.standin.installation_id == both.ghe.standin.installation_id
    assert both.com.repository_id == both.ghe.repository_id
    both.at_once(Side.merge_a_reviewed_one)
    both.settle()
    for side in both.sides:
        _promote(side, tiny_base, both.folder / f"version-{side.number}")
    both.at_once(lambda side: side.open(GUILTY))
    both.settle()
    return both


def _promote(side: Side, base: Path, folder: Path) -> None:
    seed, installation = side.number + 1, str(side.tenant)
    make_adapter(base, folder, seed=seed, installation=installation)
    save_scores(folder / "locator.skops", fit_locator(guilty_rows(), alarms=0.05))
    save_scores(folder / "filter.skops", fit_acceptance([], precision=0.8))
    manifest = seal(folder, base, seed=seed, installation=installation)
    with writing(services().database) as session:
        row = AdapterVersionRow(
            name=manifest.name,
            installation_id=side.tenant,
            snapshot_id=manifest.snapshot,
            state="promoted",
            path=str(folder),
            manifest=manifest.model_dump(mode="json"),
        )
        save_adapter_version(session, row)
        move_pointer(session, side.tenant, manifest.name)


def test_each_tenant_is_known_under_its_host(played: Both) -> None:
    with reading(services().database) as session:
        known = {row.id: row.host for row in session.exec(select(InstallationRow))}
        guids = list(session.exec(select(DeliveryRow.guid, DeliveryRow.installation_id)))
    assert known == {side.tenant: side.host for side in played.sides}
    told = httpx.get(f"{played.url}/operator/status", headers={"authorization": f"Bearer {TOKEN}"}, timeout=30).json()
    assert {row["id"]: row["host"] for row in told["installations"]} == known
    assert {(guid.split(":")[0], tenant) for guid, tenant in guids} == {(s.host, s.tenant) for s in played.sides}


def test_no_token_of_one_was_ever_shown_to_the_other(played: Both) -> None:
    """Each stand-in knows its own tokens and keys only: any other is 401, and a name it has not is 404."""
    for side in played.sides:
        statuses = {record.status for record in side.standin.requests}
        assert not statuses & {401, 403, 404}, statuses
    tokens = [asyncio.run(services().github(side.tenant).fetch_git_access()).token for side in played.sides]
    assert len({services().github(side.tenant) for side in played.sides}) == len(set(tokens)) == 2


def test_examples_hold_the_words_of_their_own_team(played: Both) -> None:
    with reading(services().database) as session:
        rows = list(session.exec(select(ExampleRow)))
    for side, other in (played.sides, played.sides[::-1]):
        mine = [json.dumps(row.payload) for row in rows if row.installation_id == side.tenant]
        assert any(f"Mind the {side.word}." in text for text in mine)
        assert not any(other.word in text for text in mine)
        assert all(f'"host": "{side.host}"' in text for text in mine)


def test_retrieval_finds_what_its_own_team_said(played: Both) -> None:
    for side, other in (played.sides, played.sides[::-1]):
        with reading(services().database) as session:
            told = [example.model_dump_json() for example in select_past_reviews(session, side.tenant, REPO)]
        assert any(f"Mind the {side.word}." in text for text in told)
        assert not any(other.word in text for text in told)


def test_mirrors_are_apart_and_hold_their_own_commits(played: Both) -> None:
    mirrors = played.folder / "data" / "mirrors"
    for side, other in (played.sides, played.sides[::-1]):
        mirror = mirrors / side.host / f"{side.repository_id}.git"
        assert has_commit(mirror, side.first)
        assert not has_commit(mirror, other.first)


def test_each_is_reviewed_by_its_own_adapter_under_its_own_name(played: Both) -> None:
    with reading(services().database) as session:
        rows = list(session.exec(select(ReviewRow).where(ReviewRow.state == "posted")))
    assert len(rows) == 2
    for side in played.sides:
        (row,) = [row for row in rows if row.installation_id == side.tenant]
        (review,) = side.standin.reviews(REPO, 2, author=f"{side.standin.slug}[bot]")
        assert row.id.split(":")[:2] == [side.host, str(side.repository_id)]
        assert row.github_review_id == review["id"]
        assert str(row.adapter).startswith(f"{side.tenant}--")
        assert str(row.adapter) in review["comments"][0]["body"]


def test_the_audit_says_of_which_tenant_it_is(played: Both) -> None:
    with reading(services().database) as session:
        told = {row.installation_id for row in session.exec(select(AuditRow))}
    assert told == {side.tenant for side in played.sides}


def test_sweeps_find_nothing_that_the_other_did(played: Both) -> None:
    async def sweep(side: Side) -> dict[str, int]:
        return await sweeping.sweep_repository(side.tenant, side.repository_id)

    for side in played.sides:
        found = asyncio.run(sweep(side))
        assert not {"harvest", "review", "curate"} & found.keys(), found
    played.settle()


def _deliver(both: Both, body: bytes, secret: str, **headers: str) -> httpx.Response:
    sent = sign(body, secret) | {"x-github-event": "ping", "x-github-delivery": str(uuid.uuid4())}
    return httpx.post(f"{both.url}/webhooks", content=body, headers=sent | headers, timeout=30)


def test_who_signs_as_one_and_claims_the_other_is_refused(played: Both) -> None:
    for side, other in (played.sides, played.sides[::-1]):
        claiming = _deliver(played, b"{}", side.secret, **{"x-github-enterprise-host": other.host})
        assert claiming.status_code == 401
        assert f"got {other.host}" in claiming.json()["detail"]
        assert _deliver(played, b"{}", side.secret).status_code == 202


def test_the_same_guid_of_two_hosts_is_two_deliveries(played: Both) -> None:
    guid = str(uuid.uuid4())
    answers = [_deliver(played, b"{}", side.secret, **{"x-github-delivery": guid}) for side in played.sides]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json()["delivery"] for answer in answers] == [f"{side.host}:{guid}" for side in played.sides]


def test_each_is_asked_for_what_it_failed_to_deliver(played: Both) -> None:
    played.ghe.standin.faults.drop = 1
    played.ghe.standin.label(REPO, 2, "understudy:approve", by="max")
    played.ghe.server.drain()
    assert asyncio.run(upkeep.request_missed(0)) == 0
    assert asyncio.run(upkeep.request_missed(2)) == 1
    played.settle()
    assert asyncio.run(upkeep.request_missed(2)) == 0


def test_an_erasure_on_one_leaves_the_other_as_it_is(played: Both) -> None:
    """The same person and repository, on one host. From here on something is taken away."""
    with pytest.raises(UserError, match=r"the GitHub that it is about, one of 127\.0\.0\.1, 127\.0\.0\.2, got none"):
        erasure_requests.start_erasure("author", "mara")
    before = _kept(played.com)
    for kind, name in (("author", "mara"), ("pull_request", f"{REPO}#1"), ("repository", REPO)):
        for workflow_id in erasure_requests.start_erasure(kind, name, played.ghe.host):
            engine.wait(workflow_id, timeout_seconds=60)
    assert _kept(played.com) == before
    assert before.examples
    assert before.audits
    assert before.runs
    gone = _kept(played.ghe)
    assert (gone.examples, gone.mirror) == ((), False)


def test_what_is_left_of_a_server_that_is_no_longer_named_can_be_erased(played: Both) -> None:
    tenant = played.ghe.tenant
    install(replace(services(), further_hosts=()))
    (workflow_id,) = erasure_requests.start_erasure("installation", str(tenant))
    engine.wait(workflow_id, timeout_seconds=60)
    with reading(services().database) as session:
        states = {row.id: row.state for row in session.exec(select(InstallationRow))}
        adapters = list(session.exec(select(AdapterVersionRow.installation_id)))
    assert states == {played.com.tenant: "active", tenant: "deleted"}
    assert adapters == [played.com.tenant]


@dataclass(frozen=True)
class Kept:
    examples: tuple[str, ...]
    audits: tuple[tuple[str, str], ...]
    mirror: bool
    runs: tuple[str, ...]


def _kept(side: Side) -> Kept:
    """What is here of one side; of finished work, that which names its host or ran in its tenant's queue."""
    with reading(services().database) as session:
        examples = session.exec(select(ExampleRow.hash).where(ExampleRow.installation_id == side.tenant))
        audits = session.exec(select(AuditRow).where(AuditRow.installation_id == side.tenant))
        found = tuple(sorted(examples)), tuple(sorted((row.actor, row.subject) for row in audits))
    mirror = services().data / "mirrors" / side.host / f"{side.repository_id}.git"
    runs = engine.list_runs(tuple(State), limit=1_000)
    return Kept(*found, mirror.is_dir(), tuple(sorted(run.id for run in runs if f":{side.host}:" in run.id)))
