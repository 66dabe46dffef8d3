"""Each usual mistake, planted; beside it the same thing without the mistake."""

import io
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.doctor import app_checks, hook_checks, learning_checks, machine_checks
from app.doctor.app_checks import Asked
from app.doctor.checked import Checked, Health, decide_status, fail, fine, warn
from app.doctor.learning_checks import Accelerator, AdapterProbe, BaseProbe, ServerProbe
from app.doctor.machine_checks import FileProbe
from app.doctor.table import render_table
from app.domain.adapters import BaseCheckpoint
from app.domain.app_permissions import render_permissions
from app.setup.manifest import load_events
from serving.__main__ import _parser

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OK, WARNING, PROBLEM = Health
EVENTS = load_events()
APP: dict[str, Any] = {"slug": "bot", "permissions": render_permissions(propose=False), "events": EVENTS}
PAGE = "https://github.com/apps/bot"
BASE = BaseCheckpoint(name="Qwen", revision="r1", weights_hash="a", tokenizer_hash="b", template_hash="c")
OTHER = BASE.model_copy(update={"weights_hash": "z", "name": "Other"})


def judged(found: Checked) -> Health:
    """Whatever is not well has a cure, and what is well needs none."""
    assert bool(found.cure) == (found.health is not OK), found
    return found.health


@pytest.mark.parametrize(
    ("seconds", "health"),
    [(0, OK), (-15, OK), (30, WARNING), (120, WARNING), (240, PROBLEM)],
)
def test_clock(seconds: int, health: Health) -> None:
    assert judged(app_checks.check_clock(NOW + timedelta(seconds=seconds), NOW)) is health
    assert judged(app_checks.check_clock(NOW, None)) is WARNING


@pytest.mark.parametrize(
    ("asked", "health", "told"),
    [
        (Asked(found=APP), OK, "as bot"),
        (Asked(found=APP | {"slug": "bot-2"}), PROBLEM, "slug is bot-2"),
        (Asked(reason="bad_credentials", message="401"), PROBLEM, "does not accept the key for App 9"),
        (Asked(reason="not_found", message="404"), PROBLEM, "does not accept the key for App 9"),
        (Asked(reason="away", message="refused"), PROBLEM, "no answer from https://api"),
    ],
)
def test_app_and_key(asked: Asked, health: Health, told: str) -> None:
    found = app_checks.check_credentials(asked, app_id=9, app_slug="bot", api_url="https://api.github.com")
    assert judged(found) is health
    assert told in found.told


@pytest.mark.parametrize(
    ("permissions", "events", "health", "told"),
    [
        ({}, EVENTS, OK, "no more"),
        ({"contents": "write"}, EVENTS, OK, "onboarding"),
        ({"checks": "read"}, EVENTS, PROBLEM, "lacks checks: write"),
        ({"issues": None}, EVENTS, PROBLEM, "lacks issues: read"),
        ({}, EVENTS[1:], PROBLEM, f"does not hear of {EVENTS[0]}"),
        ({"administration": "write"}, EVENTS, WARNING, "administration: write"),
        ({"issues": "write"}, EVENTS, WARNING, "issues: write"),
    ],
)
def test_permissions_of_the_app(
    permissions: dict[str, str | None], events: list[str], health: Health, told: str
) -> None:
    held = {key: level for key, level in (APP["permissions"] | permissions).items() if level}
    found = app_checks.check_app_permissions({"permissions": held, "events": events}, EVENTS)
    assert judged(found) is health
    assert told in found.told


@pytest.mark.parametrize(
    ("changes", "health", "told"),
    [
        ({}, OK, "accepted"),
        ({"suspended_at": "2026-01-01T00:00:00Z"}, WARNING, "suspended"),
        ({"permissions": APP["permissions"] | {"checks": "read"}}, PROBLEM, "checks: write"),
        ({"events": EVENTS[:-1]}, PROBLEM, EVENTS[-1]),
    ],
)
def test_installations(changes: dict[str, Any], health: Health, told: str) -> None:
    one = {"id": 1, "account": {"login": "acme"}, "suspended_at": None, "html_url": "https://x"} | APP | changes
    (found,) = app_checks.check_installations([one], APP, PAGE)
    assert judged(found) is health
    assert told in found.told
    assert judged(app_checks.check_installations([], APP, PAGE)[0]) is WARNING


def test_an_optional_permission_that_was_not_accepted_is_no_problem() -> None:
    asks = APP | {"permissions": render_permissions(propose=True)}
    one = {"id": 1, "account": None, "suspended_at": None, "html_url": "https://x"} | APP
    assert judged(app_checks.check_installations([one], asks, PAGE)[0]) is WARNING


@pytest.mark.parametrize(
    ("url", "public", "health"),
    [
        ("https://b.example/webhooks", "https://b.example/", OK),
        ("http://b.example/webhooks", "http://b.example", WARNING),
        ("https://b.example/webhooks", None, WARNING),
        ("https://b.example/hooks", "https://b.example", PROBLEM),
        ("https://old.example/webhooks", "https://b.example", PROBLEM),
        (None, "https://b.example", PROBLEM),
    ],
)
def test_webhook_address(url: str | None, public: str | None, health: Health) -> None:
    assert judged(hook_checks.check_hook_address(url, public)) is health


def _attempts(*codes: int) -> list[dict[str, Any]]:
    return [{"status_code": code, "status": "x"} for code in codes]


@pytest.mark.parametrize(
    ("codes", "health", "told"),
    [
        ((), WARNING, "none yet"),
        ((202, 401, 401), OK, "came through"),
        ((401, 401, 202), PROBLEM, "signature"),
        ((0,), PROBLEM, "does not reach"),
        ((404,), PROBLEM, "another program"),
        ((413,), PROBLEM, "too large"),
        ((503,), PROBLEM, "503"),
    ],
)
def test_deliveries(codes: tuple[int, ...], health: Health, told: str) -> None:
    found = hook_checks.check_deliveries(_attempts(*codes))
    assert judged(found) is health
    assert told in found.told


def test_public_address() -> None:
    assert judged(hook_checks.check_reached("https://b.example", 200, "")) is OK
    assert judged(hook_checks.check_reached("https://b.example", 502, "")) is WARNING
    assert judged(hook_checks.check_reached("https://b.example", None, "ConnectError")) is WARNING


@pytest.mark.parametrize(("mode", "health"), [(0o600, OK), (0o400, OK), (0o640, PROBLEM), (0o644, PROBLEM)])
def test_secrets_that_others_can_read(mode: int, health: Health) -> None:
    found = FileProbe(path="/x", mode=mode)
    assert judged(machine_checks.check_env_file(found)) is health
    assert judged(machine_checks.check_key_file(found)) is health


def test_secrets_that_are_not_there() -> None:
    nothing = FileProbe(path="/x", mode=None)
    assert judged(machine_checks.check_env_file(nothing)) is OK
    assert judged(machine_checks.check_key_file(nothing)) is PROBLEM


def test_data_folder() -> None:
    assert judged(machine_checks.check_data_folder(FileProbe(path="/d", mode=0o750), writable=True)) is OK
    assert judged(machine_checks.check_data_folder(FileProbe(path="/d", mode=0o755), writable=True)) is WARNING
    assert judged(machine_checks.check_data_folder(FileProbe(path="/d", mode=0o700), writable=False)) is PROBLEM


@pytest.mark.parametrize(
    ("mode", "folder", "health"),
    [(0o600, 0o755, OK), (0o660, 0o2770, OK), (0o644, 0o755, WARNING), (0o644, 0o700, OK), (None, None, OK)],
)
def test_a_database_that_others_can_read(mode: int | None, folder: int | None, health: Health) -> None:
    found = machine_checks.check_database_file(FileProbe(path="/d/u.db", mode=mode), FileProbe(path="/d", mode=folder))
    assert judged(found) is health


@pytest.mark.parametrize(("gib", "health"), [(20, OK), (5, WARNING), (0.5, PROBLEM)])
def test_disk(gib: float, health: Health) -> None:
    assert judged(machine_checks.check_disk(int(gib * 2**30), "/d")) is health


@pytest.mark.parametrize(
    ("library", "python", "kind", "health"),
    [
        ((3, 40, 1), (3, 11), "ext4", OK),
        ((3, 40, 1), (3, 12), "ext4", PROBLEM),
        ((3, 45, 0), (3, 11), "nfs4", PROBLEM),
        ((3, 45, 0), (3, 11), "cifs", PROBLEM),
        ((3, 45, 0), (3, 11), "", OK),
    ],
)
def test_sqlite(library: tuple[int, int, int], python: tuple[int, int], kind: str, health: Health) -> None:
    assert judged(machine_checks.check_sqlite(library, python, kind, "/d/x.db")) is health


def test_the_nearest_mount_counts() -> None:
    mounts = (
        "overlay / overlay rw 0 0\nserver:/x /srv/my\\040data nfs4 rw 0 0\ntmpfs /srv/my\\040data/fast tmpfs rw 0 0\n"
    )
    found = machine_checks.select_file_system
    assert found(mounts, Path("/srv/my data/x.db")) == "nfs4"
    assert found(mounts, Path("/srv/my data/fast/x.db")) == "tmpfs"
    assert found(mounts, Path("/srv/mystery/x.db")) == "overlay"
    assert found("", Path("/x")) == ""


def test_database() -> None:
    assert judged(machine_checks.check_postgresql(150_004)) is OK
    assert judged(machine_checks.check_postgresql(90_624)) is PROBLEM
    assert judged(machine_checks.check_database(None)) is OK
    assert judged(machine_checks.check_database("refused")) is PROBLEM


def test_port() -> None:
    assert judged(machine_checks.check_port("127.0.0.1", 80, is_ours=True, is_taken=True)) is OK
    assert judged(machine_checks.check_port("127.0.0.1", 80, is_ours=False, is_taken=True)) is PROBLEM
    assert judged(machine_checks.check_port("127.0.0.1", 80, is_ours=False, is_taken=False)) is WARNING


def test_version() -> None:
    check = machine_checks.check_version
    assert judged(check("0.2.0", None, is_running=False)) is OK
    assert judged(check("0.2.0", "0.2.0", is_running=True)) is OK
    assert judged(check("0.2.0", "0.1.0", is_running=True)) is WARNING
    assert judged(check("0.2.0", None, is_running=True)) is WARNING, "older than the answer"


def _base(weights: float = 1, problem: str | None = None, stated: BaseCheckpoint | None = BASE) -> BaseProbe:
    return BaseProbe(path="data/base", stated=stated, problem=problem, weights=int(weights * 2**30))


def test_base() -> None:
    assert judged(learning_checks.check_base(_base())) is OK
    assert judged(learning_checks.check_base(_base(problem="model.safetensors is cut short"))) is PROBLEM
    assert judged(learning_checks.check_base(_base(stated=None))) is PROBLEM


@pytest.mark.parametrize(
    ("weights", "memory", "health"),
    [(1, None, OK), (14, None, WARNING), (14, 80, OK), (14, 16, WARNING), (14, 12, PROBLEM)],
)
def test_gpu(weights: float, memory: int | None, health: Health) -> None:
    gpu = None if memory is None else Accelerator(name="L4", memory=memory * 2**30)
    assert judged(learning_checks.check_accelerator(_base(weights), gpu)) is health


def test_model_server() -> None:
    check = learning_checks.check_server
    serving = ServerProbe(folder="s", state="ready", base="Qwen", revision="r1")
    base, other = (BaseProbe(path="b", stated=one, problem=None) for one in (BASE, OTHER))
    assert judged(check(serving, base, is_needed=True)) is OK
    assert judged(check(serving, other, is_needed=False)) is PROBLEM
    assert judged(check(serving.model_copy(update={"revision": "r2"}), base, is_needed=False)) is PROBLEM
    assert judged(check(serving.model_copy(update={"state": "starting"}), base, is_needed=True)) is WARNING
    away = ServerProbe(folder="s", state=None)
    assert judged(check(away, base, is_needed=True)) is PROBLEM
    found = check(away, base, is_needed=False)
    assert judged(found) is WARNING
    words = shlex.split(found.cure.split("`")[1])
    assert words[:3] == [".venv/bin/python", "-m", "serving"]
    given = _parser().parse_args(words[3:])  # as it is typed
    assert (str(given.base), str(given.state)) == ("b", "s")


def test_adapter() -> None:
    check = learning_checks.check_adapter
    there = AdapterProbe(installation_id=7, name="7--a", is_there=True, base=BASE, stale_at=None)
    assert judged(check(there, BASE)) is OK
    assert judged(check(there.model_copy(update={"is_there": False}), BASE)) is PROBLEM
    assert judged(check(there.model_copy(update={"base": None}), BASE)) is PROBLEM
    assert judged(check(there, OTHER)) is PROBLEM
    assert judged(check(there.model_copy(update={"stale_at": NOW}), BASE)) is WARNING


def test_work() -> None:
    assert judged(learning_checks.check_failed(None)) is OK
    assert judged(learning_checks.check_failed([])) is OK
    assert judged(learning_checks.check_failed([{"id": "harvest:1"}] * 5)) is WARNING
    assert judged(learning_checks.check_backlog(0, 0)) is OK
    assert judged(learning_checks.check_backlog(3, 30)) is OK
    assert judged(learning_checks.check_backlog(3, 3_600)) is PROBLEM


def test_onboarding() -> None:
    assert judged(learning_checks.check_onboarding(())) is OK
    found = learning_checks.check_onboarding([f"acme/{number}" for number in range(5)])
    assert judged(found) is WARNING
    assert "acme/0, acme/1, acme/2 …" in found.told


def test_the_exit_status_and_the_table() -> None:
    found = [fail("a", "[bold]x\u202e", "cure"), fine("b", "y"), warn("c", "z", "cure")]
    assert decide_status(found) == 1
    assert decide_status(found[1:]) == 0
    rows = [str(cell) for cell in render_table(found).columns[0].cells]
    assert rows == ["b", "c", "a"]


def test_a_narrow_terminal_shows_every_word_whole() -> None:
    name, place = "installation on an-organisation-of-many-letters (github.example.org)", "/srv/" + "deep/" * 30
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render_table([fail(name, f"{place} can be read by others", f"chmod 600 {place}")]))
    lines = [line.split("│")[1:-1] for line in console.export_text().splitlines() if line.startswith("│")]
    shown = ["".join(cells).replace(" ", "") for cells in zip(*lines, strict=True)]
    assert name.replace(" ", "") in shown[0]
    assert shown[1] == "problem"
    assert place in shown[2]
    assert place in shown[3]
