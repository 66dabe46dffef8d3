"""Records of the stand-in in GitHub's JSON. Pure: state in, plain JSON values out; `base` is the server's address."""

from typing import Any

Json = dict[str, Any]
