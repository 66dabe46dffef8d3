"""Which route of GitHub's a request is for, without whom or what it names: a label must have few values. Pure."""

import re
from urllib.parse import urlsplit

#: Literal parts of the routes we ask for; whatever else stands in a path names somebody or something.
_WORDS = frozenset(
    {
        *("access_tokens", "app", "attempts", "branches", "check-runs", "collaborators", "comments", "commits"),
        *("compare", "config", "contents", "deliveries", "events", "files", "git", "graphql", "hook", "installation"),
        *("installations", "issues", "labels", "orgs", "permission", "pulls", "rate_limit", "reactions", "ref", "refs"),
        *("replies", "repos", "repositories", "reviews", "timeline", "user", "users"),
    }
)
_PREFIX = re.compile(r"^/api(?:/v3)?(?=/)")


def route_of(url: str) -> str:
    """As `/repos/{}/{}/pulls/{}`, of a path or an address, GitHub's or an Enterprise Server's."""
    path = _PREFIX.sub("", urlsplit(url).path)
    parts = [part for part in path.split("/") if part]
    # What follows `repos` is an owner and a name, even where they are called like a route.
    named = {1, 2} if parts[:1] == ["repos"] else set()
    told = [part if part in _WORDS and index not in named else "{}" for index, part in enumerate(parts[:9])]
    return "/" + "/".join(told)
