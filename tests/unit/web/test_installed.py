"""The page after the installation: it tells nobody anything, and makes one link."""

import html
import re
import shlex
from urllib.parse import parse_qs, urlsplit

import pytest

from app.curation.decision import LABELS
from app.domain.policies import POLICY_PATH, RepositoryPolicy
from app.github.policy_file import read_policy
from app.web.installed import render_installed

GIT = "https://github.com"


def _link(page: str) -> str | None:
    found = re.search(r'<a href="([^"]+)"', page)
    return None if found is None else html.unescape(found[1])


def test_the_link_proposes_a_valid_file_with_the_defaults() -> None:
    link = _link(render_installed(GIT, "acme/shop.js", "release/2"))
    assert link is not None
    parts = urlsplit(link)
    assert (parts.netloc, parts.path) == ("github.com", "/acme/shop.js/new/release/2")
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert asked["filename"] == POLICY_PATH
    found = read_policy({"text": asked["value"], "byteSize": len(asked["value"])})
    assert (found.problems, found.policy) == ((), RepositoryPolicy())


def test_the_labels_are_made_in_the_repository_that_was_named() -> None:
    lines = [
        html.unescape(line) for line in re.findall(r"gh label create .*", render_installed(GIT, "acme/shop.js", ""))
    ]
    assert [shlex.split(line)[5] for line in lines] == ["OWNER/NAME"] * 3, "a branch is lacking"
    page = render_installed(GIT, "acme/shop.js", "main")
    lines = [html.unescape(line).removesuffix("</pre>") for line in re.findall(r"gh label create .*", page)]
    assert [shlex.split(line)[5] for line in lines] == ["acme/shop.js"] * 3
    assert [shlex.split(line)[3] for line in lines] == list(LABELS)


def test_without_a_repository_there_is_no_link_and_no_problem() -> None:
    page = render_installed(GIT, "", "main")
    assert _link(page) is None
    assert 'role="alert"' not in page


@pytest.mark.parametrize(
    ("repository", "branch"),
    [
        ("acme", "main"),
        ("acme/../evil", "main"),
        ("acme/shop", "../../x"),
        ("//evil.example/x", "main"),
        ('acme/"><script>', "main"),
        ("acme/shop", '"><script>'),
    ],
)
def test_what_is_no_repository_makes_no_link(repository: str, branch: str) -> None:
    page = render_installed(GIT, repository, branch)
    assert _link(page) is None
    assert 'role="alert"' in page
    assert "<script>" not in page
