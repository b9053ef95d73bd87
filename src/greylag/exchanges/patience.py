"""How long a service that wants to be asked again later is waited for."""

from collections.abc import Mapping

LONGEST_WAIT = 300.0
"""Seconds that a client is left to wait when a service asks it to; what takes longer is for the next run."""


def wait(headers: Mapping[str, str]) -> float:
    """Seconds after which a service wants to be asked again; 0 when it does not say, or by a date."""
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else 0.0
