from datetime import timedelta

import pytest

from parcels.events import Event
from parcels.tracking import TRANSIT, eta, is_late


def at(days: float, kind: str = "scanned") -> Event:
    now = Event("P1", kind).at
    return Event("P1", kind, now - timedelta(days=days))


def test_the_first_scan_decides_the_arrival() -> None:
    first, second = at(2), at(1)
    assert eta([second, first]) == first.at + TRANSIT


@pytest.mark.parametrize(("days", "late"), [(0, False), (2.9, False), (3.1, True), (30, True)])
def test_a_parcel_is_late_after_three_days(days: float, late: bool) -> None:
    assert is_late([at(days)]) is late


def test_a_delivered_parcel_is_never_late() -> None:
    assert not is_late([at(30), at(1, "delivered")])
