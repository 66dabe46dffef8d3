"""The private key and the environment file: both for their owner alone, both there or none, nothing lost.

Each is written beside its place under another name, to the disk, and then moved: a reader sees the old or the new. The
key's name holds the App's id, so that another App's key is never written over.
"""

import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from app.domain.base import Record
from app.domain.errors import UserError, spoken_place
from app.github.registering import AppCredentials
from app.setup.choice import Choice

#: What neither a shell, systemd, docker nor python-dotenv reads as anything but itself.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
_OWNER_ONLY = 0o600


class Stored(Record):
    """Where things are now. `kept`: the file that was there before, None where there was none."""

    env_file: Path
    key_file: Path
    kept: Path | None


def check_place(env_file: Path, *, replace: bool) -> None:
    """Before anything is asked of GitHub, which tells a secret once: can it be written here?

    Raises:
        UserError: where it can't, or where a file would be written over that nobody gave up.
    """
    if env_file.exists() and not replace:
        raise UserError(
            f"expected no file at {env_file}, found one: it may hold the secrets of an App in use; tick the box that "
            "keeps it aside, or name another file in UNDERSTUDY_ENV_FILE"
        )
    with spoken_place(env_file.parent):
        env_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        trial = env_file.with_name(f".{env_file.name}.{secrets.token_hex(4)}")
        try:
            _write(trial, "")
        finally:
            trial.unlink(missing_ok=True)


def store_credentials(env_file: Path, choice: Choice, made: AppCredentials) -> Stored:
    """Raises:
    UserError: where it can't be written; then everything is as it was.
    """
    check_place(env_file, replace=choice.replace)
    key_file = env_file.absolute().with_name(f"understudy.{made.id}.private-key.pem")
    with spoken_place(env_file.parent):
        fresh = env_file.with_name(f".{env_file.name}.{secrets.token_hex(4)}")
        fresh_key = fresh.with_name(fresh.name + ".pem")
        try:
            _write(fresh_key, made.pem.get_secret_value())
            _write(fresh, render_env(_values(choice, made, key_file), made.name))
            kept = _keep_aside(env_file)
            fresh_key.replace(key_file)
            fresh.replace(env_file)
        finally:
            fresh.unlink(missing_ok=True)
            fresh_key.unlink(missing_ok=True)
    return Stored(env_file=env_file, key_file=key_file, kept=kept)


def _values(choice: Choice, made: AppCredentials, key_file: Path) -> dict[str, str]:
    secret = secrets.token_hex(32) if made.webhook_secret is None else made.webhook_secret.get_secret_value()
    return {
        "APP_ID": str(made.id),
        "APP_SLUG": made.slug,
        "PRIVATE_KEY_FILE": str(key_file),
        "WEBHOOK_SECRETS": secret,
        "CLIENT_ID": made.client_id,
        "CLIENT_SECRET": made.client_secret.get_secret_value(),
        "OPERATOR_TOKEN": secrets.token_hex(32),
        "PUBLIC_URL": choice.public_url,
        "GITHUB_API_URL": choice.api,
        "GITHUB_GIT_URL": choice.host,
    }


def render_env(values: Mapping[str, str], name: str) -> str:
    """Lines that python-dotenv reads back to the same values; plain ones that systemd and docker read, too.

    Raises:
        UserError: for a value that no such line can hold.
    """
    shown = " ".join(name.split())
    head = f"# Written by `.venv/bin/python -m app setup` for the GitHub App {shown}. Secrets: for its owner alone."
    return "\n".join((head, *(f"UNDERSTUDY_{key}={_quote(value)}" for key, value in values.items()), ""))


def _quote(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if "\n" in value or "\r" in value or "${" in value:  # python-dotenv puts variables into quoted values, too
        raise UserError(f"expected a value without line ends and ${{…}}, got {value[:40]!r}; move to a plainer folder")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _keep_aside(env_file: Path) -> Path | None:
    """A second name for what is there; it is never written to again."""
    if not env_file.exists():
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    kept = env_file.with_name(f"{env_file.name}.before-{stamp}-{secrets.token_hex(2)}")
    _write(kept, env_file.read_text(encoding="utf-8"))
    return kept


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
