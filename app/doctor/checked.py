"""The outcome of one check, for people and for programs. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from app.domain.base import Record


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Checked(Record):
    """`told` says what was found; `cure` what to do, empty where all is well."""

    name: str
    health: Health
    told: str
    cure: str = ""


def fine(name: str, told: str) -> Checked:
    return Checked(name=name, health=Health.OK, told=told)


def warn(name: str, told: str, cure: str) -> Checked:
    return Checked(name=name, health=Health.WARNING, told=told, cure=cure)


def fail(name: str, told: str, cure: str) -> Checked:
    return Checked(name=name, health=Health.PROBLEM, told=told, cure=cure)


def decide_status(found: Iterable[Checked]) -> int:
    """The exit status: 1 when anything is a problem."""
    return int(any(one.health is Health.PROBLEM for one in found))
