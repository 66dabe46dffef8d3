"""A route's label names nobody: what is no word of GitHub's own routes is left out."""

import pytest

from app.watching.routes import route_of


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("/repos/acme/store/pulls/7/reviews", "/repos/{}/{}/pulls/{}/reviews"),
        ("/repos/pulls/issues/pulls/7", "/repos/{}/{}/pulls/{}"),
        ("https://api.github.com/repos/acme/store/issues/7/timeline?page=2", "/repos/{}/{}/issues/{}/timeline"),
        ("https://hub.example.org/api/v3/app/installations/11/access_tokens", "/app/installations/{}/access_tokens"),
        ("https://hub.example.org/api/graphql", "/graphql"),
        ("/repos/a/b/collaborators/octocat/permission", "/repos/{}/{}/collaborators/{}/permission"),
        ("/repos/a/b/contents/src/secret/name/of/a/very/deep/file.py", "/repos/{}/{}/contents/{}/{}/{}/{}/{}"),
        ("", "/"),
    ],
)
def test_a_route_is_a_template(url: str, route: str) -> None:
    assert route_of(url) == route
