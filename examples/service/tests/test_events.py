from datetime import datetime, timedelta

import pytest

from parcels.events import Event, parse


def test_an_event_knows_its_parcel_and_kind() -> None:
    event = parse("P1 scanned 2024-05-01T12:00:00")
    assert (event.parcel, event.kind) == ("P1", "scanned")


def test_a_line_that_is_cut_short_is_refused() -> None:
    with pytest.raises(ValueError):
        parse("P1 scanned")


def test_the_time_defaults_to_now() -> None:
    event = Event("P1", "scanned")
    assert abs(datetime.now(event.at.tzinfo) - event.at) < timedelta(days=1)
