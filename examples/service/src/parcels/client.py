"""Settings of the client for the carrier's service."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """Where the carrier's service is, and how long to wait for it."""

    url: str
    timeout_seconds: float = 10.0
    retries: int = 2

    def budget(self) -> float:
        """The longest time that one call may take, in seconds."""
        return self.timeout_seconds * (self.retries + 1)
