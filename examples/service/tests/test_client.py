from parcels.client import Client


def test_the_budget_counts_every_try() -> None:
    assert Client("https://carrier.example", timeout_seconds=5, retries=1).budget() == 10
