"""What a person is told of variables that are missing, wrong or of no setting. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.domain.explaining import show_given

PREFIX = "UNDERSTUDY_"
SHORTEST_SECRET = 16
#: Read beside the settings: by who finds the file of settings, and by tests that are run by hand.
BESIDE = ("ENV_FILE", "FIELD", "CACTOOS_MIRROR", "SCREENSHOTS")
#: What Kubernetes and Docker put into a container's environment for a service that is called understudy….
_LINK = re.compile(r"(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_LINKED = re.compile(r"(tcp|udp|sctp)://")


def select_unknown(given: Mapping[str, str | None], known: Collection[str]) -> tuple[str, ...]:
    """Names with our prefix that nothing reads. `given`: of variables, whose names are read in any case; an empty one
    sets nothing. `known`: names without the prefix, in capitals."""
    ours = ((name, value) for name, value in given.items() if value and name.upper().startswith(PREFIX))
    return tuple(name for name, value in ours if not _is_known(name.upper().removeprefix(PREFIX), value, known))


def _is_known(name: str, value: str, known: Collection[str]) -> bool:
    return (
        name in known
        or _LINK.fullmatch(name) is not None
        or (name.endswith("_PORT") and _LINKED.match(value) is not None)
    )


def explain_unknown(names: Iterable[str], known: Collection[str], *, place: str) -> list[str]:
    """A line each. `place`: where they were found."""
    return [f"  {name} in {place}: is no setting; {_cure(name, known)}" for name in names]


def _cure(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name.upper().removeprefix(PREFIX), sorted(known), n=1)
    return f"did you mean {PREFIX}{near[0]}?" if near else "take it out, docs/operating.md lists what there is"


def explain_wrong(error: ValidationError, form: type[BaseModel]) -> list[str]:
    """A line for each that is missing or wrong: what came, and never a secret."""
    lines = []
    for item in error.errors():
        name = str(item["loc"][0])
        is_secret = name == "database_url" or "SecretStr" in str(form.model_fields[name].annotation)
        lines.append(f"  {PREFIX}{name.upper()}: {_explain(item, is_secret=is_secret)}")
    return lines


def explain_missing(error: ValidationError, looked_at: Path, *, is_there: bool) -> list[str]:
    """What to do where something is missing, most of all where nothing is set yet; [] where nothing is."""
    if not any(item["type"] == "missing" for item in error.errors()):
        return []
    if is_there:
        return [f"set what is missing in {looked_at}, or in the environment; docs/operating.md lists every setting"]
    return [
        "run `.venv/bin/python -m app setup`, which makes them, or begin in the folder where that was done: there is "
        f"no {looked_at}"
    ]


def _explain(item: ErrorDetails, *, is_secret: bool) -> str:
    if item["type"] == "missing":
        return "is missing"
    words, mark, cure = item["msg"].removeprefix("Value error, ").partition(";")
    return f"{words}{'' if is_secret else _show(item)}{mark}{cure}"


def _show(item: ErrorDetails) -> str:
    """What came, unless it could be a secret under a wrong name: no number and no choice is as long as one."""
    given = item["input"]
    if not isinstance(given, str | int | float):
        return ""
    is_place = item["type"] == "value_error"
    return show_given(given) if is_place or len(str(given)) < SHORTEST_SECRET else f", got {len(str(given))} characters"
