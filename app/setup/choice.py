"""What a person chooses on the setup page, and what it means for the addresses. Pure."""

import re
from collections.abc import Mapping

import httpx

from app.domain.base import Record
from app.domain.errors import UserError
from app.domain.one_server import parse_pair

GITHUB = "https://github.com"
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})")
_PLACE = re.compile(r"[A-Za-z0-9.\-\[\]:]+")
#: GitHub's own limit.
_NAME_LENGTH = 34


class Choice(Record):
    """`host` is GitHub's address in a browser, `api` that of its API. `organisation` is None for a person's own App;
    `propose`: whether the App may open the onboarding pull request; `replace`: whether an environment file that is
    there gives way."""

    host: str
    api: str
    organisation: str | None
    name: str
    public_url: str
    propose: bool
    replace: bool

    @property
    def form_address(self) -> str:
        """Where GitHub takes a manifest."""
        owner = "" if self.organisation is None else f"/organizations/{self.organisation}"
        return f"{self.host}{owner}/settings/apps/new"


def parse_choice(form: Mapping[str, str]) -> Choice:
    """Raises:
    UserError: naming the field that is wrong, what was expected and what to do.
    """
    given = {name: value.strip() for name, value in form.items()}
    enterprise = given.get("where") == "enterprise"
    host = _address(given.get("host", ""), "the address of your Enterprise Server") if enterprise else GITHUB
    api = api_address(host)
    if enterprise and given.get("api"):
        api = _address(given["api"], "the address of its API", path=True)
        _check_one_server(api, host)
    return Choice(
        host=host,
        api=api,
        organisation=_organisation(given),
        name=_name(given.get("name", "")),
        public_url=_address(given.get("public_url", ""), "the public address of the service", path=True),
        propose=given.get("propose") == "yes",
        replace=given.get("replace") == "yes",
    )


def api_address(host: str) -> str:
    """github.com and ghe.com serve their API from a host of its own, Enterprise Server under a path."""
    url = httpx.URL(host)
    if url.host == "github.com":
        return "https://api.github.com"
    if url.host.endswith(".ghe.com"):
        return f"https://api.{url.host}"
    return f"{host}/api/v3"


def _check_one_server(api: str, host: str) -> None:
    """The settings would refuse what this wrote."""
    pair = parse_pair(api, host)
    if not pair.is_one:
        raise UserError(
            f"expected the API's address on {pair.git}, or api. before that, got one on {pair.api}: what the one gives "
            "out is sent to the other; leave it empty to take the usual one"
        )


def _organisation(given: Mapping[str, str]) -> str | None:
    if given.get("owner") != "organisation":
        return None
    login = given.get("organisation", "")
    if not _LOGIN.fullmatch(login):
        raise UserError(
            f"expected the organisation's name as in its address on GitHub, got {login[:40]!r}; "
            "write the last part of that address alone"
        )
    return login


def _name(name: str) -> str:
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise UserError(
            f"expected a name of 1 to {_NAME_LENGTH} characters for the App, got {len(name)}; GitHub allows no more, "
            "and no two Apps of one name"
        )
    return name


def _address(text: str, what: str, *, path: bool = False) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    place = url.netloc.decode()
    more = url.userinfo or url.query or url.fragment
    plain = url.scheme in ("http", "https") and _PLACE.fullmatch(place) and not more
    if not plain or (url.path not in ("", "/") and not path):
        raise UserError(f"expected {what} with scheme and host, such as https://git.example.org, got {text[:80]!r}")
    return f"{url.scheme}://{place}{url.path}".rstrip("/")
