"""The policy file, from the JSON Schema that editors check it against."""

import json
from collections.abc import Iterator
from typing import Any

from app.domain.policies import render_schema
from docs.website.reference.tables import code, render_table


def render_policy_file() -> str:
    """The page."""
    schema = json.loads(render_schema())
    rows = list(_walk(schema, schema, ""))
    return (
        "# Policy file\n\n`.github/understudy.yml` on the default branch. `.venv/bin/python -m app policy FILE` "
        "checks one, and without a file prints the JSON Schema from which this table is made.\n\n"
        + render_table(("key", "values", "default", "what"), rows)
    )


def _walk(schema: dict[str, Any], part: dict[str, Any], before: str) -> Iterator[tuple[str, str, str, str]]:
    for name, found in part.get("properties", {}).items():
        inner = _resolve(schema, found)
        key = f"{before}{name}"
        if "properties" in inner:
            yield from _walk(schema, inner, f"{key}.")
            continue
        default = "" if "default" not in inner else json.dumps(inner["default"], ensure_ascii=False)
        yield code(key), _values(schema, inner), code(default), str(inner.get("description", ""))


def _resolve(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The part with what it refers to and what all of its `allOf` say laid over it."""
    merged = dict(part)
    for other in [*part.get("allOf", []), *([part] if "$ref" in part else [])]:
        if "$ref" in other:
            target: Any = schema
            for step in str(other["$ref"]).removeprefix("#/").split("/"):
                target = target[step]
            merged = {**_resolve(schema, target), **merged}
    return merged


def _values(schema: dict[str, Any], part: dict[str, Any]) -> str:
    if "enum" in part or "const" in part:
        return ", ".join(code(_bare(value)) for value in part.get("enum", [part.get("const")]))
    for key in ("anyOf", "oneOf"):
        if key in part:
            return " or ".join(_values(schema, _resolve(schema, other)) for other in part[key])
    kind = part.get("type", "")
    if kind == "array":
        return f"list of {_values(schema, _resolve(schema, part.get('items', {}))) or 'values'}"
    least, most = part.get("minimum"), part.get("maximum")
    bounds = f", {least} to {most}" if least is not None and most is not None else ""
    longest = f", at most {part['maxLength']:,} characters" if "maxLength" in part else ""
    words = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`", "null": "nothing"}
    return words.get(str(kind), str(kind)) + bounds + longest


def _bare(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).strip('"')
