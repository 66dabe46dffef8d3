"""A model that somebody else trained on our rows and keeps: a name to ask, no weights to hold."""

from datetime import datetime
from typing import Literal

from app.domain.base import Record


class ExternalVersion(Record):
    """What a hosted service made. It is no AdapterVersion: there is no folder to hash, no Locator and no
    AcceptanceFilter in it, and nothing here can load it. It reviews nobody's code; it can be asked at `host`.
    """

    schema_version: Literal["external/1"] = "external/1"
    dialect: Literal["openai", "together"]
    host: str
    #: the service's name of what it made
    model: str
    #: the service's name of what it began with
    base_model: str
    #: the service's id of the job
    job: str
    #: id of the DatasetSnapshot
    snapshot: str
    #: rows sent, and the sha256 of their bytes
    rows: int
    rows_hash: str
    #: as the service counts; None where it does not say
    trained_tokens: int | None
    created_at: datetime
