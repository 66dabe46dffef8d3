"""Who sees and does what: sessions, foreign installations, forms, and roles as GitHub has them at that moment."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from app.domain.errors import Refused
from app.domain.policies import POLICY_PATH
from app.domain.tenants import join_tenant
from app.store.columns import utc_now
from app.store.database import reading, writing
from app.store.learning import load_approval_of
from app.store.overviews import select_comments
from app.store.rounds import load_pointer
from app.store.sessions import load_session
from app.store.tables import ApprovalRow, AuditRow, InstallationRow, RepositoryRow
from app.store.web_tables import SessionRow, SignInRow
from app.web.dashboard import guarding
from app.web.dashboard.access import Access, Viewer
from app.web.dashboard.desk import Route
from app.web.dashboard.routes import ROUTES
from app.web.dashboard.signing import _tenants
from tests.integration.intake.conftest import TOKEN
from tests.integration.team import Worktree
from tests.integration.web.conftest import FOREIGN, FOREIGN_REPO, STORE, VAULT, Dashboard

_OF_ONE = [route for route in ROUTES if "{installation_id}" in route.path]
_POSTS = [route for route in ROUTES if route.method == "POST"]


def _address(path: str, installation_id: int) -> str:
    """A route's path with something in each of its places."""
    return f"/dashboard{re.sub(r'{installation_id}', str(installation_id), path)}".replace("{", "").replace("}", "")


def _named(dashboard: Dashboard, path: str, installation_id: int) -> str:
    """The same with names of things that are there, of the installation of that id."""
    with reading(dashboard.database) as session:
        pointer = load_pointer(session, installation_id)
        comments = select_comments(session, installation_id, None, limit=1, before=None)
    assert pointer is not None
    repository = FOREIGN_REPO if installation_id == FOREIGN else STORE
    things = {
        "{installation_id}": str(installation_id),
        "{hash}": dashboard.example(repository, installation_id=installation_id, decision="approve"),
        "{name}": pointer.adapter_name or "",
        "{fingerprint}": comments[0].fingerprint,
        "{run_id}": f"learn:{installation_id}:2026-02-04",
    }
    for place, thing in things.items():
        path = path.replace(place, thing)
    return f"/dashboard{path}"


def _call(dashboard: Dashboard, client: httpx.Client, method: str, path: str) -> httpx.Response:
    if method == "GET":
        return client.get(path)
    return dashboard.send(client, path, verdict="approve", kind="author", name="mara", workflow="x")


@pytest.mark.parametrize("route", _OF_ONE, ids=lambda route: f"{route.method} {route.path}")
def test_a_foreign_installation_is_the_same_as_none(dashboard: Dashboard, route: Route) -> None:
    """Every route of the table, so a new one is covered by itself; every word and header but the date is the same."""
    method, path = route.method, route.path
    client = dashboard.person("root")
    foreign = _call(dashboard, client, method, _named(dashboard, path, FOREIGN))
    unknown = _call(dashboard, client, method, _address(path, 12_345))
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.text == unknown.text
    assert {**foreign.headers, "date": ""} == {**unknown.headers, "date": ""}
    assert "globex" not in foreign.text


@pytest.mark.parametrize("route", _OF_ONE, ids=lambda route: f"{route.method} {route.path}")
def test_who_only_reads_sees_nothing(dashboard: Dashboard, route: Route) -> None:
    method, path = route.method, route.path
    client = dashboard.person("rita")
    assert _call(dashboard, client, method, _named(dashboard, path, dashboard.installation_id)).status_code == 404


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if one.needs not in ("nobody", "form")], ids=lambda one: f"{one.method} {one.path}"
)
def test_without_a_session_every_route_leads_to_the_sign_in(dashboard: Dashboard, route: Route) -> None:
    method, path = route.method, route.path
    client = dashboard.browser()
    address = _address(path, dashboard.installation_id)
    answer = client.request(method, address, headers={"origin": dashboard.url})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/sign-in")


@pytest.mark.parametrize("route", _POSTS, ids=lambda route: route.path)
def test_a_form_that_is_not_ours_does_nothing(dashboard: Dashboard, route: Route) -> None:
    path = _address(route.path, dashboard.installation_id)
    client, other = dashboard.person("root"), dashboard.person("mara")
    own = dashboard.csrf(client)
    refused = [
        client.post(path, data={"csrf": own, "token": TOKEN}, headers={"origin": "https://evil.example"}),
        client.post(path, data={"csrf": own, "token": TOKEN}, headers={"origin": "null"}),
        client.post(path, data={"csrf": own, "token": TOKEN}),
    ]
    if route.needs != "form":
        refused += [
            client.post(path, headers={"origin": dashboard.url}),
            client.post(path, data={"csrf": dashboard.csrf(other)}, headers={"origin": dashboard.url}),
            client.post(path, data={"csrf": ""}, headers={"origin": dashboard.url}),
        ]
    assert {answer.status_code for answer in refused} == {403}
    assert client.get("/dashboard").status_code == 200  # signed in still


def test_every_answer_carries_the_headers(dashboard: Dashboard) -> None:
    client = dashboard.person("root")
    for path in ("/dashboard", dashboard.path("/examples"), dashboard.path("/examples/none"), "/dashboard/sign-in"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == guarding.HEADERS["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
    assert "unsafe" not in guarding.HEADERS["content-security-policy"]


def test_the_session_cookie_is_out_of_reach_and_only_its_hash_is_kept(dashboard: Dashboard) -> None:
    client = dashboard.browser()
    dashboard.standin.browse_as("mara")
    back = httpx.get(client.get("/dashboard/sign-in/github").headers["location"], trust_env=False)
    cookies = client.get(back.headers["location"]).headers.get_list("set-cookie")
    (session,) = [cookie for cookie in cookies if cookie.startswith("understudy_session=")]
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in session.split(";")}
    secret = session.split(";")[0].split("=", 1)[1]
    with reading(dashboard.database) as found:
        rows = list(found.exec(select(SessionRow)))
        assert guarding.hash_secret(secret) in {row.key for row in rows}
        assert all(secret not in str(row.model_dump()) and "ghu_" not in str(row.model_dump()) for row in rows)


def test_under_https_cookies_are_bound_to_the_host() -> None:
    assert guarding.cookie_name(guarding.SESSION, secure=True) == "__Host-understudy_session"
    assert guarding.cookie_name(guarding.SESSION, secure=False) == "understudy_session"


def test_a_state_counts_once_and_in_its_browser_only(dashboard: Dashboard) -> None:
    dashboard.standin.browse_as("mara")
    client, other = dashboard.browser(), dashboard.browser()
    begun = client.get("/dashboard/sign-in/github")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    back = httpx.get(begun.headers["location"], trust_env=False).headers["location"]
    other.get("/dashboard/sign-in/github")
    assert other.get(back).status_code == 403
    state = client.cookies["understudy_sign_in"]
    assert client.get(back).status_code == 303
    client.cookies.set("understudy_sign_in", state)
    replayed = client.get(back)
    assert (replayed.status_code, "used already" in replayed.text) == (403, True)
    assert client.get("/dashboard/sign-in/callback").status_code == 403


def test_a_sign_in_that_took_too_long_is_refused(dashboard: Dashboard) -> None:
    key = guarding.derive_state_key(TOKEN)
    for state in (
        guarding.new_state(key, utc_now() - timedelta(seconds=guarding.SIGN_IN_SECONDS)),
        guarding.new_state(guarding.derive_state_key(f"{TOKEN}x"), utc_now()),
        "chance.9999999999.signature",
    ):
        client = dashboard.browser()
        client.cookies.set("understudy_sign_in", state)
        answer = client.get("/dashboard/sign-in/callback", params={"state": state, "code": "any"})
        assert (answer.status_code, "took too long" in answer.text) == (403, True)


def test_strangers_who_begin_to_sign_in_write_nothing(dashboard: Dashboard) -> None:
    with reading(dashboard.database) as session:
        before = len(list(session.exec(select(SignInRow))))
    for _ in range(5):
        client = dashboard.browser()
        state = parse_qs(urlsplit(client.get("/dashboard/sign-in/github").headers["location"]).query)["state"][0]
        refused = client.get("/dashboard/sign-in/callback", params={"state": state, "code": "of nobody"})
        assert refused.status_code == 403
    with reading(dashboard.database) as session:
        assert len(list(session.exec(select(SignInRow)))) == before


def test_who_declines_at_github_is_told(dashboard: Dashboard) -> None:
    dashboard.standin.browse_as(None)
    client = dashboard.browser()
    back = httpx.get(client.get("/dashboard/sign-in/github").headers["location"], trust_env=False)
    answer = client.get(back.headers["location"])
    assert (answer.status_code, "did not let you in" in answer.text) == (403, True)


def test_a_session_ends_when_it_expires_and_when_one_signs_out(dashboard: Dashboard) -> None:
    client = dashboard.sign_in("mara")
    cookie = client.cookies["understudy_session"]
    assert dashboard.send(client, "/dashboard/sign-out").status_code == 303
    client.cookies.set("understudy_session", cookie)
    assert client.get("/dashboard").status_code == 303
    client = dashboard.sign_in("mara")
    with writing(dashboard.database) as session:
        key = guarding.hash_secret(client.cookies["understudy_session"])
        row = session.get(SessionRow, key)
        assert row is not None
        assert timedelta(hours=7) < row.expires_at - utc_now() <= timedelta(hours=8)
        row.expires_at = utc_now() - timedelta(seconds=1)
    assert client.get("/dashboard").status_code == 303


def test_wrong_tokens_are_taken_a_few_times_a_minute() -> None:
    limiter = guarding.Limiter(per_minute=5, clock=iter([*range(7), 61, 61]).__next__)
    assert [limiter.allows("one") for _ in range(7)] == [True] * 5 + [False] * 2
    assert [limiter.allows("one"), limiter.allows("other")] == [True, True]


def test_a_strangers_wrong_tokens_do_not_keep_the_operator_out(dashboard: Dashboard) -> None:
    def enter(token: str) -> int:
        client = dashboard.browser()
        path = "/dashboard/sign-in/operator"
        return client.post(path, data={"token": token}, headers={"origin": dashboard.url}).status_code

    assert [enter(f"{TOKEN}x") for _ in range(7)] == [403] * 5 + [429] * 2
    assert [enter(TOKEN) for _ in range(7)] == [303] * 7


def test_people_see_rows_of_repositories_they_may_write_to(dashboard: Dashboard) -> None:
    mara, root = dashboard.person("mara"), dashboard.person("root")
    hidden = dashboard.path(f"/examples/{dashboard.example(VAULT)}")
    assert (mara.get(hidden).status_code, root.get(hidden).status_code) == (404, 200)
    assert VAULT not in mara.get(dashboard.path("/examples")).text
    assert mara.get(dashboard.path(f"/examples?repository={VAULT}")).status_code == 404
    assert mara.get(dashboard.path(f"/settings?repository={VAULT}")).status_code == 404
    assert dashboard.send(mara, f"{hidden}/decision", verdict="approve").status_code == 404
    assert VAULT in root.get(dashboard.path("/examples")).text


@pytest.mark.parametrize(
    ("login", "status"), [("root", 303), ("max", 303), ("mara", 303), ("rita", 404), ("stranger", 404)]
)
def test_who_may_decide(dashboard: Dashboard, login: str, status: int) -> None:
    found = dashboard.example(STORE)
    answer = dashboard.send(dashboard.sign_in(login), dashboard.path(f"/examples/{found}/decision"), verdict="reject")
    assert answer.status_code == status
    with reading(dashboard.database) as session:
        row = load_approval_of(session, dashboard.installation_id, found)
        assert (row is not None) == (status == 303)
        if row is not None:
            assert (row.actor, row.decision, row.content_hash) == (login, "reject", found)
            query = select(AuditRow).where(AuditRow.subject == found, AuditRow.action == "curation.reject")
            assert session.exec(query).one().actor == login


def _set_repository(dashboard: Dashboard, name: str, **changes: object) -> None:
    columns = sa.inspect(RepositoryRow).columns
    mine = (columns["installation_id"] == dashboard.installation_id, columns["full_name"] == name)
    with writing(dashboard.database) as session:
        session.connection().execute(sa.update(RepositoryRow).where(*mine).values(changes))


def test_a_name_that_is_anothers_on_github_opens_nothing(dashboard: Dashboard) -> None:
    """Whoever took the name of a repository, which we were not told of yet, has rights on another one."""
    hidden = dashboard.path(f"/examples/{dashboard.example(VAULT)}")
    number = dashboard.standin.repository(VAULT).id
    _set_repository(dashboard, VAULT, repository_id=99_000_001)
    try:
        root = dashboard.person("root")  # admin of what has the name now
        assert root.get(hidden).status_code == 404
        assert VAULT not in root.get(dashboard.path("/examples")).text
        assert dashboard.send(root, f"{hidden}/decision", verdict="approve").status_code == 404
    finally:
        _set_repository(dashboard, VAULT, repository_id=number)
    assert root.get(hidden).status_code == 200


def test_where_the_owners_said_no_nothing_is_decided(dashboard: Dashboard, tmp_path: Path) -> None:
    client, found = dashboard.person("root"), dashboard.example(VAULT)
    path = dashboard.path(f"/examples/{found}/decision")
    for place in ("declined", "open", "due"):
        _set_repository(dashboard, VAULT, onboarding=place)
        refused = dashboard.send(client, path, verdict="approve")
        assert (refused.status_code, "did not say yes" in refused.text) == (409, True)
    _set_repository(dashboard, VAULT, onboarding="started")
    work = Worktree(tmp_path / "work", dashboard.standin.bare_path(VAULT))
    work.commit("main", {POLICY_PATH: "version: 1\ncuration: off\n"})
    refused = dashboard.send(client, path, verdict="approve")
    assert (refused.status_code, "curation: off" in refused.text) == (409, True)
    with reading(dashboard.database) as session:
        assert load_approval_of(session, dashboard.installation_id, found) is None
    work.commit("main", {POLICY_PATH: "version: 1\n"})
    assert dashboard.send(client, path, verdict="approve").status_code == 303


@pytest.mark.parametrize("login", ["max", "mara"])
@pytest.mark.parametrize("route", [one for one in _OF_ONE if one.needs == "admin"], ids=lambda one: one.path)
def test_other_acts_take_admin_everywhere(dashboard: Dashboard, login: str, route: Route) -> None:
    """Max is admin of one repository and writes to the other."""
    client = dashboard.person(login)
    path = _named(dashboard, route.path, dashboard.installation_id)
    assert _call(dashboard, client, "POST", path).status_code == 403


def test_who_is_demoted_loses_the_right_at_once(dashboard: Dashboard) -> None:
    dashboard.standin.add_collaborator(STORE, "nina", "write")
    client = dashboard.sign_in("nina")
    found = dashboard.example(STORE)
    path = dashboard.path(f"/examples/{found}")
    assert client.get(path).status_code == 200
    dashboard.standin.add_collaborator(STORE, "nina", "read")
    refused = dashboard.send(client, f"{path}/decision", verdict="approve")
    assert (refused.status_code, "write or admin is needed" in refused.text) == (403, True)
    assert client.get(path).status_code == 404
    with reading(dashboard.database) as session:
        assert load_approval_of(session, dashboard.installation_id, found) is None
        audits = session.exec(select(AuditRow).where(AuditRow.action == "curation.refused", AuditRow.actor == "nina"))
        assert len(list(audits)) == 1
    dashboard.standin.add_collaborator(VAULT, "olga", "admin")
    dashboard.standin.add_collaborator(STORE, "olga", "admin")
    owner = dashboard.sign_in("olga")
    assert owner.get(dashboard.path("/runs")).status_code == 200
    dashboard.standin.add_collaborator(VAULT, "olga", "write")
    assert dashboard.send(owner, dashboard.path("/train")).status_code == 403


def test_a_login_that_is_somebody_elses_now_sees_nothing(dashboard: Dashboard) -> None:
    dashboard.standin.add_collaborator(STORE, "pia", "write")
    client = dashboard.sign_in("pia")
    with writing(dashboard.database) as session:
        row = session.get(SessionRow, guarding.hash_secret(client.cookies["understudy_session"]))
        assert row is not None
        row.user_id = 1
    assert client.get(dashboard.path()).status_code == 404


def test_what_was_decided_is_undone_by_another_word(dashboard: Dashboard) -> None:
    client = dashboard.person("mara")
    found = dashboard.example(STORE)
    path = dashboard.path(f"/examples/{found}/decision")
    for verdict in ("approve", "approve", "reject"):
        assert dashboard.send(client, path, verdict=verdict).status_code == 303
    assert dashboard.send(client, path, verdict="void").status_code == 400
    with reading(dashboard.database) as session:
        query = select(ApprovalRow.decision).where(ApprovalRow.example_hash == found).order_by(col(ApprovalRow.id))
        assert list(session.exec(query)) == ["approve", "reject"]


def test_the_operator_sees_all(dashboard: Dashboard) -> None:
    client = dashboard.operator()
    assert client.get(f"/dashboard/{FOREIGN}/examples").status_code == 200
    assert client.get(dashboard.path(f"/examples/{dashboard.example(VAULT)}")).status_code == 200


def test_an_address_of_any_length_is_no_error(dashboard: Dashboard) -> None:
    root = dashboard.person("root")
    for odd in ("9" * 17, "9" * 4301, "0x10", "٤٧"):
        assert root.get(f"/dashboard/{odd}").status_code == 404


def test_an_operators_session_ends_with_the_token(dashboard: Dashboard) -> None:
    """Its key is bound to the token, so another token finds no session."""
    client = dashboard.operator()
    secret = client.cookies["understudy_session"]
    assert client.get("/dashboard").status_code == 200
    with reading(dashboard.database) as session:
        assert load_session(session, guarding.operator_key(secret, TOKEN)) is not None
        assert load_session(session, guarding.operator_key(secret, f"{TOKEN}-changed")) is None
        assert load_session(session, guarding.hash_secret(secret)) is None


async def test_whom_the_first_github_names_is_nobody_on_another() -> None:
    """A server that tells ids of another server's tenants, and names its admins, opens nothing there."""
    foreign = join_tenant(1, 12)

    async def permission(installation_id: int, repository: str, login: str, user_id: int | None) -> str:
        return "admin" if (installation_id, repository, login, user_id) else "none"

    viewer = Viewer(
        key="", csrf="", login="root", user_id=4711, is_operator=False, installations=frozenset({foreign, 12})
    )
    access = Access(permission)
    for tenant, sees in ((foreign, False), (12, True)):
        row = InstallationRow(id=tenant, host="ghe.example", account="victim")
        assert (await access.look(viewer, row, {"victim/secret": 5}) is not None) is sees
    with pytest.raises(Refused, match="expected a host"):
        _tenants([foreign])
