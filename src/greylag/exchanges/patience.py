"""How long a service that wants to be asked again later is waited for."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 300.0
"""Seconds that a client is left to wait when a service asks it to; what takes longer is for the next run."""


def wait(headers: Mapping[str, str]) -> float:
    """Seconds after which a service wants to be asked again, by a number or a date; 0 when it does not say."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
