"""Every page of the dashboard says what it should, strangers' words are text, and every act does what it says."""

import html
import random
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.domain.findings import Finding, finding_fingerprint
from app.store.database import reading, writing
from app.store.executors import save_progress
from app.store.learning import save_examples
from app.store.overviews import WrittenComment
from app.store.reviews import save_findings, save_posted_comments, save_review
from app.store.rounds import load_pointer, select_adapter_versions
from app.store.tables import AdapterVersionRow, AuditRow, ErasureRow, ReviewRow
from app.web.dashboard.lineage import select_whole
from app.workflows import backfilling, engine
from tests.integration.web.conftest import FOREIGN, STORE, VAULT, Dashboard
from tests.made_dashboard import BEGAN, KEPT_HEADS, make_example

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</pre></div><iframe src=javascript:alert(1)>",
    "{{ 7 * 7 }}{% include 'base.html' %}",
    "<!-- --><svg/onload=alert(1)>",
    "&lt;b&gt; \u202etxt.exe \u0000 \u2028",
    "</title><style>*{display:none}</style>",
    "javascript:alert(1)",
)


class _Shape(HTMLParser):
    """The tags of a page and the names of their attributes: what markup in a text would change."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


def _audits(dashboard: Dashboard, action: str) -> list[AuditRow]:
    with reading(dashboard.database) as session:
        return list(session.exec(select(AuditRow).where(AuditRow.action == action)))


def _show(dashboard: Dashboard, text: str, number: int) -> tuple[str, list[str]]:
    """An Example and a posted comment that say it, in words and in names; the pages that show them, and its words."""
    made = make_example(900_000 + number, STORE, 1, random.Random(1), pulls=40)  # noqa: S311  the same every time
    text = text.replace("\0", "")
    example = made.model_copy(update={"body": f"{text} end", "path": f"src/{text}.py", "reviewer": text})
    finding = Finding(
        repository=STORE,
        pull_request=1,
        path=f"src/{text}.py",
        line=1,
        body=text,
        severity="minor",
        fingerprint=finding_fingerprint(text, str(number), text),
        locator_score=1.0,
        acceptance_score=1.0,
        adapter="none",
    )
    review = ReviewRow(
        id=f"github.test:9:{number}:x",
        installation_id=dashboard.installation_id,
        repository=STORE,
        pull_request=1,
        head_sha="x",
        state="posted",
    )
    with writing(dashboard.database) as session:
        save_examples(session, dashboard.installation_id, [example], "harvest")
        save_review(session, review)
        save_findings(session, review.id, [finding])
        save_posted_comments(session, review.id, {finding.fingerprint: 7})
    paths = [f"/examples/{example.hash}", f"/comments/{finding.fingerprint}", "/comments", "/examples"]
    return text, [dashboard.path(path) for path in paths]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_strangers_words_are_text(dashboard: Dashboard, number: int) -> None:
    """A page with them has the very tags of a page with plain words."""
    client = dashboard.person("root")
    plain_text, plain_paths = _show(dashboard, f"plain {number}", 100 + number)
    plain = [client.get(path).text for path in plain_paths[:2]]
    text, paths = _show(dashboard, HOSTILE[number], number)
    hostile = [client.get(path) for path in paths]
    assert [answer.status_code for answer in hostile] == [200] * 4
    for before, after in zip(plain, hostile[:2], strict=True):
        assert plain_text in before
        assert _Shape(after.text).tags == _Shape(before).tags
    for answer in hostile:
        assert "<" not in text or text not in answer.text
    echoed = client.get(dashboard.path("/examples"), params={"words": HOSTILE[number], "decision": HOSTILE[number]})
    same = client.get(dashboard.path("/examples"), params={"words": "zyzzyva", "decision": "zyzzyva"})
    assert _Shape(echoed.text).tags == _Shape(same.text).tags


def test_the_overview_says_whether_it_helps(dashboard: Dashboard) -> None:
    page = html.unescape(dashboard.person("root").get(dashboard.path()).text)
    assert "It helps" in page
    assert "points more often than lines where it was held back" in page
    assert "Not read: lockfile" in page


def test_the_dataset_is_searched_filtered_and_paged(dashboard: Dashboard) -> None:
    client = dashboard.person("root")
    found = client.get(dashboard.path("/examples"), params={"words": "CASE 58."}).text
    assert found.count("<tr><td>") == 1
    assert "See case 58." in found
    first = client.get(dashboard.path("/examples"), params={"kind": "review_comment", "decision": "none"}).text
    assert "hunk left alone</a>" not in first
    assert 'class="tag good"' not in first
    seen: list[str] = []
    path = dashboard.path("/examples")
    for _ in range(5):
        page = client.get(path).text
        seen += [part.split('"')[0] for part in page.split(f'class="words" href="{dashboard.path("/examples/")}')[1:]]
        following = [part.split('"')[0] for part in page.split('href="?')[1:]]
        if not following:
            break
        path = f"{dashboard.path('/examples')}?{html.unescape(following[0])}"
    assert len(seen) == len(set(seen)) >= 60


def test_an_example_shows_its_line_its_evidence_and_its_fix(dashboard: Dashboard) -> None:
    client = dashboard.person("root")
    page = client.get(dashboard.path("/examples"), params={"evidence": "line"}).text
    address = page.split('class="words" href="')[1].split('"')[0]
    shown = client.get(address).text
    assert shown.count('class="added marked"') == 1
    assert "The very line was changed, as git tells it." in html.unescape(shown)
    assert "# as agreed" in shown
    assert f"{dashboard.standin.base_url}/{'acme'}" in shown


def test_the_gates_report_begins_with_its_verdict(dashboard: Dashboard) -> None:
    held = _version(dashboard, "candidate")
    page = dashboard.person("root").get(dashboard.path(f"/adapters/{held.name}")).text
    assert page.index("Hold") < page.index("Every reason") < page.index("Figures")
    assert "9 held-out rows, 12 are asked for" in page
    assert "1.38 (1.32 to 1.44, n=96)" in page
    assert "<polyline" in page


def test_a_comment_is_traced_to_pull_requests(dashboard: Dashboard) -> None:
    client = dashboard.person("root")
    page = client.get(dashboard.path("/comments")).text
    addresses = [part.split('"')[0] for part in page.split('class="words" href="')[1:]]
    shown = html.unescape(client.get(addresses[-1]).text)
    assert "which of them led to these words cannot be known" in shown
    assert f"{dashboard.standin.base_url}/{STORE}/pull/" in shown


def _keep(dashboard: Dashboard, repository: str, head: str, body: str, *, state: str = "shadowed", at: int) -> str:
    """A Finding of a review of pull request 501 that was not posted."""
    finding = Finding(
        repository=repository,
        pull_request=501,
        path="src/kept.py",
        line=3,
        body=body,
        severity="minor",
        fingerprint=finding_fingerprint("src/kept.py", "a line", body),
        locator_score=1.0,
        acceptance_score=1.0,
        adapter="none",
    )
    review = ReviewRow(
        id=f"github.test:{repository}:501:{head}",
        installation_id=dashboard.installation_id,
        repository=repository,
        pull_request=501,
        head_sha=head,
        state=state,
        created_at=BEGAN + timedelta(days=900, minutes=at),
    )
    with writing(dashboard.database) as session:
        save_review(session, review)
        save_findings(session, review.id, [finding])
    return finding.fingerprint


def test_what_shadow_mode_kept_is_read_once_each_and_leads_to_where_it_comes_from(dashboard: Dashboard) -> None:
    client = dashboard.person("root")
    assert dashboard.path("/kept") in client.get(dashboard.path("/comments")).text
    assert f"(review {KEPT_HEADS + 8})" in client.get(dashboard.path("/kept")).text
    for head, at in (("a", 1), ("b", 2)):
        fingerprint = _keep(dashboard, STORE, head, "Said <b>twice</b>", at=at)
    _keep(dashboard, VAULT, "c", "Said in the vault", at=3)
    _keep(dashboard, STORE, "d", "Came later", at=4)
    page = client.get(dashboard.path("/kept")).text
    assert page.count("Said &lt;b&gt;twice") == 1
    assert page.index("Came later") < page.index("Said in the vault") < page.index("Said &lt;b&gt;twice")
    assert "not posted" in client.get(dashboard.path(f"/comments/{fingerprint}")).text
    assert "Said &lt;b&gt;twice" not in client.get(dashboard.path("/comments")).text
    with writing(dashboard.database) as session:
        save_posted_comments(session, f"github.test:{STORE}:501:b", {fingerprint: 9})
    assert "Said &lt;b&gt;twice" not in client.get(dashboard.path("/kept")).text
    seen = dashboard.person("mara").get(dashboard.path("/kept")).text
    assert "Came later" in seen
    assert "the vault" not in seen


def test_nothing_of_the_control_group_is_among_what_was_kept(dashboard: Dashboard) -> None:
    """Neither what it was kept from, nor what shadow mode had kept of it before."""
    page = dashboard.person("root").get(dashboard.path("/kept")).text
    assert f"(review {KEPT_HEADS + 8})" in page
    assert f"(review {KEPT_HEADS + 7})" not in page
    assert "(review 14)" not in page
    _keep(dashboard, VAULT, "e", "Kept before", at=5)
    assert "Kept before" in dashboard.person("root").get(dashboard.path("/kept")).text
    _keep(dashboard, VAULT, "f", "Held back here", state="held_back", at=6)
    page = dashboard.person("root").get(dashboard.path("/kept")).text
    assert "Held back here" not in page
    assert "Kept before" not in page


def test_a_page_of_comments_ends_with_a_whole_review() -> None:
    def row(number: int) -> WrittenComment:
        at = BEGAN + timedelta(minutes=number)
        return WrittenComment(str(number), STORE, 1, "a.py", 1, "x", "minor", None, None, at, None)

    rows = [row(3), row(3), row(2), row(2)]
    assert select_whole(rows, 4) == rows
    assert select_whole(rows, 3) == rows[:2]
    assert select_whole(rows[:2], 1) == rows[:1]


def _version(dashboard: Dashboard, state: str) -> AdapterVersionRow:
    with reading(dashboard.database) as session:
        rows = select_adapter_versions(session, dashboard.installation_id)
    return next(row for row in rows if row.state == state)


def _serving(dashboard: Dashboard) -> str | None:
    with reading(dashboard.database) as session:
        pointer = load_pointer(session, dashboard.installation_id)
        return None if pointer is None else pointer.adapter_name


def test_only_what_the_gate_promoted_once_is_brought_back(dashboard: Dashboard) -> None:
    client = dashboard.person("root")
    held, before, now = _version(dashboard, "candidate"), _version(dashboard, "retired"), _serving(dashboard)
    refused = dashboard.send(client, dashboard.path(f"/adapters/{held.name}/promote"))
    assert (refused.status_code, "only the gate lets a new one review" in refused.text) == (409, True)
    with reading(dashboard.database) as session:
        foreign = select_adapter_versions(session, FOREIGN)[0].name
    assert dashboard.send(client, dashboard.path(f"/adapters/{foreign}/promote")).status_code == 404
    assert _serving(dashboard) == now
    assert dashboard.send(client, dashboard.path(f"/adapters/{before.name}/promote")).status_code == 303
    assert _serving(dashboard) == before.name
    assert dashboard.send(client, dashboard.path("/rollback")).status_code == 303
    assert _serving(dashboard) == now
    assert [row.actor for row in _audits(dashboard, "adapter.rollback")] == ["root", "root"]


def test_a_round_is_begun_watched_and_cancelled(dashboard: Dashboard) -> None:
    client = dashboard.person("root")
    assert dashboard.send(client, dashboard.path("/train")).status_code == 303
    (run_id,) = {row.subject for row in _audits(dashboard, "dashboard.train")}
    figures = {"stage": "training", "part": "sft", "step": 12, "total": 180, "loss": 1.5, "eta_seconds": 300.0}
    with writing(dashboard.database) as session:
        save_progress(session, run_id, figures | {"tokens_per_second": 4321.0})
    assert run_id in client.get(dashboard.path("/runs")).text
    for path in (f"/runs/{run_id}", f"/runs/{run_id}/live"):
        shown = client.get(dashboard.path(path)).text
        assert "12 of 180" in shown
        assert "4,321" in shown
        assert "5 min" in shown
    assert "live.js" in client.get(dashboard.path(f"/runs/{run_id}")).text
    cancel = dashboard.path(f"/runs/{run_id}/cancel")
    assert dashboard.send(client, cancel).status_code == 303
    found = engine.load_run(run_id)
    assert found is not None
    assert found.state.value == "CANCELLED"
    assert dashboard.send(client, cancel).status_code == 409
    assert "data-ended" in client.get(dashboard.path(f"/runs/{run_id}/live")).text


def test_a_failure_is_shown_and_run_again(dashboard: Dashboard) -> None:
    workflow_id = backfilling.start_backfill(dashboard.installation_id)
    foreign = backfilling.start_backfill(FOREIGN)
    status = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("status"))
    with writing(dashboard.database) as session:
        failed = sa.update(status).where(status.c.workflow_uuid.in_([workflow_id, foreign])).values(status="ERROR")
        session.connection().execute(failed)
    client = dashboard.person("root")
    page = client.get(dashboard.path("/work")).text
    assert workflow_id in page
    assert foreign not in page
    retry = dashboard.path("/retry")
    assert dashboard.send(client, retry, workflow=foreign).status_code == 404
    assert dashboard.send(client, retry, workflow=workflow_id).status_code == 303
    found = engine.load_run(workflow_id)
    assert found is not None
    assert found.state.value != "ERROR"
    assert workflow_id not in dashboard.person("mara").get(dashboard.path("/work")).text


def test_an_erasure_is_previewed_before_it_is_asked_for(dashboard: Dashboard) -> None:
    client = dashboard.person("root")
    asked = {"kind": "pull_request", "name": f"{STORE}#3"}
    shown = dashboard.send(client, dashboard.path("/erasure/preview"), **asked)
    assert shown.status_code == 200
    assert "examples" in shown.text
    assert f"Forget {STORE}#3" in shown.text
    with reading(dashboard.database) as session:
        assert list(session.exec(select(ErasureRow))) == []
    assert dashboard.send(client, dashboard.path("/erasure"), **asked).status_code == 303
    with reading(dashboard.database) as session:
        (row,) = session.exec(select(ErasureRow))
        assert (row.installation_id, row.subject) == (dashboard.installation_id, f"{STORE}#3")
    (audit,) = _audits(dashboard, "dashboard.erase")
    assert STORE not in str(audit.model_dump())


@pytest.mark.parametrize(
    ("kind", "name"), [("installation", str(FOREIGN)), ("pull_request", "no such form"), ("nothing", "x")]
)
def test_an_erasure_of_something_else_is_refused(dashboard: Dashboard, kind: str, name: str) -> None:
    client = dashboard.person("root")
    for path in ("/erasure/preview", "/erasure"):
        assert dashboard.send(client, dashboard.path(path), kind=kind, name=name).status_code == 409


def test_too_long_a_form_is_refused(dashboard: Dashboard) -> None:
    client: httpx.Client = dashboard.person("root")
    assert dashboard.send(client, dashboard.path("/erasure/preview"), name="x" * 20_000).status_code == 413


def test_when_github_is_away_nobody_sees_anything(dashboard: Dashboard) -> None:
    dashboard.standin.add_collaborator(STORE, "quin", "write")
    client = dashboard.sign_in("quin")
    route = "/repos/{owner}/{repo}/collaborators/{username}/permission"
    dashboard.standin.faults.bad_gateway("GET", route, after_effect=False, times=2)
    answer = client.get(dashboard.path())
    assert answer.status_code == 503
    assert "acme" not in answer.text
