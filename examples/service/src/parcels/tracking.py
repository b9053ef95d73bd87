"""Estimated arrival of a parcel."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from parcels.events import Event

TRANSIT = timedelta(days=3)


def eta(events: Iterable[Event]) -> datetime:
    """Arrival: three days after the parcel was first scanned."""
    return min(event.at for event in events) + TRANSIT


def is_late(events: list[Event]) -> bool:
    """Whether a parcel should have arrived by now."""
    if any(event.kind == "delivered" for event in events):
        return False
    return datetime.utcnow() > eta(events)
