"""What the benchmarks share: medians that can be compared, and one way to print them."""

import statistics
import time
from collections.abc import Callable


def medians(times: int, *jobs: Callable[[], object]) -> list[float]:
    """Median seconds of each job. They take turns, so that whatever else the machine does meets all of them alike."""
    seconds: list[list[float]] = [[] for _ in jobs]
    for number in range(times + 1):
        for job, found in zip(jobs, seconds, strict=True):
            began = time.perf_counter()
            job()
            if number:  # the first round fills caches
                found.append(time.perf_counter() - began)
    return [statistics.median(found) for found in seconds]


def tell(what: str, ratio: float, of: str) -> None:
    """One line."""
    print(f"{what:<58} {ratio:6.1f} x {of}")
