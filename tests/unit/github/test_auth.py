"""Where requests with our credentials may go."""

import pytest

from app.domain.errors import Refused
from app.github.auth import Installation


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:10/x", "https://127.0.0.1:9/x", "http://localhost:9/x", "http://127.0.0.1/x"]
)
async def test_another_scheme_host_or_port_is_not_followed(url: str) -> None:
    """Nobody listens at any of them: what is refused here never left."""
    installation = Installation(api_url="http://127.0.0.1:9", app_id=1, private_key_pem="", installation_id=1)
    with pytest.raises(Refused) as refused:
        await installation.api.request("GET", url)
    assert refused.value.reason == "foreign_host"
