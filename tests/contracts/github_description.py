"""GitHub's published descriptions as judges: each says in plain words what is wrong with one of our JSON values."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft7Validator, FormatChecker, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from app.rehearsal.standin import StandIn
from app.rehearsal.standin.state import Exchange
from tests.npm_packages import npm_package

_URN = "urn:github"
_FORMATS = FormatChecker(formats=())
#: Statuses that GitHub may give on any route, which its description lists on few.
_ANYWHERE = {
    304: None,
    400: "basic-error",
    401: "basic-error",
    403: "basic-error",
    404: "basic-error",
    502: "basic-error",
}
#: One place where the description contradicts itself: it demands of an account that it is a user *and* an enterprise,
#: while its own component, used by the route for one installation, says user *or* enterprise.
_CORRECTED = {
    ("/app/installations", 200): {"type": "array", "items": {"$ref": f"{_URN}#/components/schemas/installation"}}
}

#: Whose last part may hold slashes: a branch, a file.
_LONG = ("/git/ref/{ref}", "/contents/{path}")


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or (value.endswith("Z") and bool(datetime.fromisoformat(value)))


@_FORMATS.checks("uri")
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or ("{" not in value and bool(urlsplit(value).scheme))


def _unless_null(keyword: str) -> Any:
    """OpenAPI 3.0 writes `nullable` beside a schema; plain JSON Schema does not know that word."""
    judge = Draft202012Validator.VALIDATORS[keyword]

    def check(validator: Validator, value: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
        if instance is None and schema.get("nullable"):
            return
        yield from judge(validator, value, instance, schema) or ()

    return check


_OpenApiValidator: Any = extend(  # type: ignore[no-untyped-call]  # it ships no types
    Draft202012Validator, {word: _unless_null(word) for word in ("type", "enum", "allOf", "anyOf", "oneOf", "format")}
)


@cache
def rest_description() -> dict[str, Any]:
    folder = npm_package("@octokit/openapi", "23.0.2")
    found: dict[str, Any] = json.loads((folder / "generated" / "api.github.com.json").read_text(encoding="utf-8"))
    comment = found["components"]["schemas"]["pull-request-review-comment"]["properties"]
    for name in ("line", "position"):  # null once outdated, as GitHub's own webhook schema of the same object says
        comment[name]["nullable"] = True
    return found


@cache
def _registry() -> Registry[Any]:
    resource = Resource.from_contents(rest_description(), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource(_URN, resource)
    return registry


@cache
def _judge_of(template: str, method: str, status: int) -> Validator | None:
    """The judge of one answer's body, None where there must be none."""
    schema = _CORRECTED.get((template, status))
    if schema is None:
        pointer = _schema_pointer(template, method, status)
        if pointer is None:
            return None
        schema = {"$ref": f"{_URN}#{pointer}"}
    judge: Validator = _OpenApiValidator(schema, registry=_registry(), format_checker=_FORMATS)
    return judge


def check_answer(given: Exchange) -> None:
    """Hold one REST answer against the operation its path and method belong to; a path GitHub has not is an error."""
    template = _template(given.path)
    judge = _judge_of(template, given.method.lower(), given.status)
    if judge is None:
        assert not given.content, f"{given.status} must be empty"
        return
    problems = [_told(problem) for problem in judge.iter_errors(json.loads(given.content))]
    assert not problems, f"{given.method} {template} {given.status}: {problems[:5]}"


@contextmanager
def judging(standin: StandIn) -> Iterator[None]:
    """Every REST answer that this stand-in gives inside the block, to anyone, is one that GitHub could give."""
    problems: list[str] = []

    def observe(given: Exchange) -> None:
        if given.path == "/graphql":
            return  # its schema is proved to be a part of GitHub's, and graphql-core holds answers to it
        try:
            check_answer(given)
        except AssertionError as error:
            problems.append(str(error))

    standin.observers.append(observe)
    try:
        yield
    finally:
        standin.observers.remove(observe)
    if problems:
        raise AssertionError("\n".join(problems[:5]))


def _schema_pointer(template: str, method: str, status: int) -> str | None:
    operation = rest_description()["paths"][template].get(method)
    assert operation is not None, f"GitHub has no {method} {template}"
    described = operation["responses"].get(str(status))
    if described is None:
        assert status in _ANYWHERE or status == 422, f"GitHub does not answer {status} to {method} {template}"
        name = _ANYWHERE.get(status, "validation-error-simple")
        return None if name is None else f"/components/schemas/{name}"
    if status == 304:
        return None
    if "$ref" in described:
        return f"{described['$ref'][1:]}/content/application~1json/schema"
    escaped = template.replace("/", "~1")
    return f"/paths/{escaped}/{method}/responses/{status}/content/application~1json/schema"


@cache
def _template(path: str) -> str:
    fitting = [template for pattern, template in _patterns() if pattern.fullmatch(path)]
    assert fitting, f"GitHub has no path {path}"
    return min(fitting, key=lambda template: template.count("{"))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(_as_pattern(template)), template) for template in rest_description()["paths"]]


def _as_pattern(template: str) -> str:
    whole = re.sub(r"\{[^}]+\}", "[^/]+", template.replace(".", r"\."))
    return whole.removesuffix("[^/]+") + ".+" if template.endswith(_LONG) else whole


@cache
def _webhook_schema() -> dict[str, Any]:
    folder = npm_package("@octokit/webhooks-schemas", "7.6.1")
    found: dict[str, Any] = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    return found


def check_webhook(event: str, payload: Mapping[str, Any]) -> None:
    """Hold one webhook against the schema of its event and action."""
    schema = _webhook_schema()
    name = f"{event}${payload.get('action', 'event')}"
    assert name in schema["definitions"], f"GitHub has no webhook {name}"
    judge = Draft7Validator(
        {"$ref": f"#/definitions/{name}", "definitions": schema["definitions"]}, format_checker=_FORMATS
    )
    problems = [_told(problem) for problem in judge.iter_errors(payload)]
    assert not problems, f"{name}: {problems[:5]}"


def _told(problem: ValidationError) -> str:
    return f"{problem.json_path}: {problem.message[:300]}"
