"""Is it one GitHub whose API and whose git are named? What one gives out, a token above all, is sent to the other."""

from typing import NamedTuple
from urllib.parse import urlsplit


class Pair(NamedTuple):
    """The two hosts, in small letters and without a port."""

    api: str
    git: str

    @property
    def is_one(self) -> bool:
        """github.com and data residency (SUB.ghe.com) have their API at `api.` of their own host, an Enterprise Server
        at the host itself (https://HOST/api/v3), or at `api.` of it with subdomains."""
        return self.api in (self.git, f"api.{self.git}")


def parse_pair(api_url: str, git_url: str) -> Pair:
    """Of two addresses that have a host; a port tells no two servers apart."""
    return Pair(urlsplit(api_url).hostname or "", urlsplit(git_url).hostname or "")
