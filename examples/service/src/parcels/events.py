"""Events of a parcel on its way."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Event:
    """Something that happened to a parcel."""

    parcel: str
    kind: str
    at: datetime = field(default_factory=datetime.utcnow)


def parse(line: str) -> Event:
    """Read `PARCEL KIND 2024-05-01T12:00:00` as an event."""
    parcel, kind, at = line.split()
    return Event(parcel, kind, datetime.fromisoformat(at))
