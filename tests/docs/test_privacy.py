"""docs/privacy.md names every table, every setting that says where something goes, and whatever opens a connection."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import SQLModel

import app.store.reference_tables
import app.store.tables
import app.store.web_tables  # noqa: F401  all three declare tables
from app.domain.erasure import ErasureKind
from app.settings import Settings

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "privacy.md").read_text(encoding="utf-8")
#: Libraries that can speak to another host. git and sky are programs; the two modules that start them are told below.
_SPEAKING = frozenset(
    {
        "httpx",
        "githubkit",
        "anthropic",
        "requests",
        "aiohttp",
        "urllib.request",
        "http.client",
        "smtplib",
        "opentelemetry.exporter",
    }
)
_PROGRAMS = ("app/github/git.py", "app/runners/programs.py")
#: Settings that send nothing anywhere. A new one goes here or, if anything goes where it says, onto the page.
INDOORS = {
    "app_id",
    "app_slug",
    "base",
    "body_limit_bytes",
    "ca_file",
    "client_id",
    "client_secret",
    "connections",
    "data",
    "embedding_key_file",
    "embedding_model",
    "gate_policy",
    "github_was",
    "host",
    "log_format",
    "metrics_token",
    "operator_token",
    "polling_seconds",
    "port",
    "private_key_file",
    "public_url",
    "records_days",
    "retention_days",
    "role",
    "schedules",
    "serving",
    "training_config",
    "unverified_limit_bytes",
    "webhook_secrets",
    "write_pause_seconds",
    "writes_per_hour",
}


def test_every_table_is_there_and_no_other() -> None:
    told = re.findall(r"^\| `(us_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(told) == sorted(SQLModel.metadata.tables)


def test_every_setting_that_opens_a_door_is_there() -> None:
    told = {
        name.lower()
        for name in re.findall(r"`UNDERSTUDY_(\w+)`", PAGE.split("Settings that decide")[1].split("\n\n")[0])
    }
    assert told == set(Settings.model_fields) - INDOORS, "name a new setting in docs/privacy.md, or in INDOORS here"
    assert set(Settings.model_fields) >= INDOORS


def test_whatever_opens_a_connection_is_there() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 5]
    named = tuple(path for row in rows for path in re.findall(r"`((?:app|training|serving)[\w./]*)`", row))
    speaking = [*_PROGRAMS, *_speaking_modules()]
    assert [path for path in speaking if not path.startswith(named)] == []
    assert [path for path in named if not any(module.startswith(path) for module in _modules())] == []


def _modules() -> list[str]:
    return [
        str(path.relative_to(CHECKOUT))
        for top in ("app", "training", "serving")
        for path in (CHECKOUT / top).rglob("*.py")
    ]


def _speaking_modules() -> Iterator[str]:
    for module in _modules():
        tree = ast.parse((CHECKOUT / module).read_text(encoding="utf-8"))
        if any(_SPEAKING & set(_imported(node)) for node in ast.walk(tree)):
            yield module


def _imported(node: ast.AST) -> Iterator[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    for name in names:
        yield name
        yield from (".".join(name.split(".")[:depth]) for depth in (1, 2))


def test_retention_and_erasure_are_as_in_the_code() -> None:
    assert f"`UNDERSTUDY_RETENTION_DAYS` is {Settings.model_fields['retention_days'].default} unless" in PAGE
    assert "03:17 UTC" in PAGE
    assert '"17 3 * * *"' in (CHECKOUT / "app/workflows/upkeep.py").read_text()
    assert {kind.value for kind in ErasureKind} == {"author", "pull_request", "repository", "installation"}
