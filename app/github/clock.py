"""GitHub's clock beside ours. Words, labels and pushes carry GitHub's moments; whoever compares one of ours with them
must say it on the same clock. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime


def read_date(headers: Mapping[str, str]) -> datetime | None:
    """When the answer was made, in whole seconds (RFC 9110, 6.6.1); None where it does not say."""
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None


def measure_lead(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """By how much GitHub's clock is ahead of ours, too little by up to a second and the answer's way."""
    told = read_date(headers)
    return None if told is None or told.tzinfo is None else told - now
