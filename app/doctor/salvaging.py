"""The settings as far as they are right, so that what they tell of can be examined before the rest is."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.choosing import find_refused
from app.domain.errors import UserError
from app.hosts import GitHubHost, check_authorities, load_hosts, plain_host
from app.settings import Settings, existing_env_file, load_settings
from app.store.database import parse_database_url
from app.workflows.runs import Role

#: Without one of these being right, number 0 can't be asked anything.
_OF_GITHUB = frozenset({"app_id", "private_key_file", "github_api_url", "github_git_url"})
#: Judged together: what stands in for one does not fit what somebody set for the other.
_PAIR = frozenset({"github_api_url", "github_git_url"})
_OF_SERVICE = frozenset({"operator_token", "host", "port"})
#: In the place of what has no default; nothing that it is for is examined.
_STAND_INS: Mapping[str, Any] = {"app_id": 1, "private_key_file": os.devnull}


@dataclass(frozen=True)
class Salvaged:
    """`settings` None: nothing could be made of them. `hosts` are those that can be asked, `problems` sentences."""

    settings: Settings | None
    hosts: tuple[GitHubHost, ...]
    wrong: frozenset[str]
    problems: tuple[str, ...]

    @property
    def knows_service(self) -> bool:
        return not self.wrong & _OF_SERVICE

    def knows(self, name: str) -> bool:
        """Whether a setting is as somebody set it, or its default."""
        return name not in self.wrong


def salvage() -> Salvaged:
    """Stand-ins take the place of what is missing or wrong."""
    problems: list[str] = []
    settings, wrong = _salvage_settings(problems)
    if settings is None:
        return Salvaged(None, (), frozenset(wrong), tuple(problems))
    hosts = _salvage_hosts(settings, wrong, problems)
    problems += find_refused(settings)
    try:
        parse_database_url(settings.database_url)
    except UserError as error:
        problems.append(str(error))
        wrong.add("database_url")
    return Salvaged(settings, hosts, frozenset(wrong), tuple(problems))


def _salvage_settings(problems: list[str]) -> tuple[Settings | None, set[str]]:
    try:
        return load_settings(), set()
    except UserError as error:
        problems.append(str(error))
    try:
        file = existing_env_file()
    except UserError:  # said already
        file = None
    try:
        return Settings(_env_file=file), set()
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors()}
    if wrong & _PAIR:
        wrong |= _PAIR
    try:
        return Settings(_env_file=file, **{name: _stand_in(name) for name in wrong}), wrong
    except ValidationError:  # what is right and what stands in don't fit together
        return None, wrong


def _stand_in(name: str) -> Any:  # noqa: ANN401  of any setting
    field = Settings.model_fields[name]
    if not field.is_required():
        return field.get_default(call_default_factory=True)
    return _STAND_INS.get(name, secrets.token_hex(32))


def _salvage_hosts(settings: Settings, wrong: set[str], problems: list[str]) -> tuple[GitHubHost, ...]:
    if settings.role is Role.GPU:  # a trainer asks no GitHub and has no key
        return ()
    try:
        hosts = load_hosts(settings)
    except UserError as error:
        problems.append(str(error))
        hosts = _salvage_plain(settings)
    return tuple(one for one in hosts if one.host.number or not wrong & _OF_GITHUB)


def _salvage_plain(settings: Settings) -> tuple[GitHubHost, ...]:
    plain = plain_host(settings)
    try:
        check_authorities(plain)
    except UserError:  # said already
        return ()
    return (plain,)
