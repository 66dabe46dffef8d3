"""Every setting, from `app/settings.py`; what it is for, from the operator's guide, which a test holds to that."""

import re
from enum import Enum
from typing import Annotated, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.settings import ReadingSettings, Settings
from docs.website.reference.tables import GUIDE, code, render_table, unlink

_ROW = re.compile(r"^\| `UNDERSTUDY_(\w+)` \|[^|]*\| (.*) \|$", re.MULTILINE)


def render_settings() -> str:
    """The page."""
    told = dict(_ROW.findall(GUIDE.read_text(encoding="utf-8")))
    rows = [_row(name, field, told.get(name.upper(), "")) for name, field in Settings.model_fields.items()]
    reading = [_row(name, field, "") for name, field in ReadingSettings.model_fields.items()]
    head = ("variable", "kind", "default", "what")
    return (
        "# Settings\n\nRead from the environment when the service starts, as the code declares them. Secrets are never "
        "written to a log; what is wrong is said by name, all of it at once.\n\n"
        f"{render_table(head, rows)}\n"
        "## For a rehearsal on a live repository\n\n"
        "`.venv/bin/python -m app rehearse --live` reads these and no others.\n\n"
        f"{render_table(head[:3], [row[:3] for row in reading])}"
    )


def _row(name: str, field: FieldInfo, told: str) -> tuple[str, str, str, str]:
    default = "required" if field.is_required() else code(_say(field.default))
    return code(f"UNDERSTUDY_{name.upper()}"), _kind(field.annotation), default, unlink(told)


def _say(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value in (None, PydanticUndefined) else str(value)


def _kind(kind: object) -> str:
    if get_origin(kind) is Annotated:
        return _kind(get_args(kind)[0])
    parts = [part for part in get_args(kind) if part not in (type(None), Ellipsis)]
    if parts:
        return f"{_kind(parts[0])}, or several" if get_origin(kind) is tuple else _kind(parts[0])
    if kind is SecretStr:
        return "secret"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(code(member.value) for member in kind)
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path"}
    named = getattr(kind, "__name__", str(kind))
    return words.get(named, named)
