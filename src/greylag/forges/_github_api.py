"""Requests to GitHub's REST API: whose fault a refusal is, and how long to wait."""

import functools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greylag.errors import InfraError, UserError
from greylag.text import one_line

if TYPE_CHECKING:
    import ssl

    import httpx2

VERSION = "2022-11-28"
_TRIES = 4
_UNHINTED = 60.0  # seconds; GitHub's documentation on secondary limits asks for at least that
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """Where the token is: a variable or a file, as the settings name it. Read for each use, kept nowhere."""

    variable: str | None
    file: Path | None

    def read(self) -> str:
        """The token. Raises `UserError` when it is not there."""
        if self.variable is not None:
            found = os.environ.get(self.variable, "").strip()
            where = f"variable {self.variable}"
        else:
            where = f"file {self.file}"
            try:
                found = self.file.read_text(encoding="ascii").strip() if self.file else ""
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"the GitHub token cannot be read from {where}: {error}") from error
        if not found or not found.isprintable() or not found.isascii() or " " in found:
            raise UserError(f"{where} holds no GitHub token; set it, or name another in the forge's settings")
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and parsed body; an empty mapping when the body is no JSON."""

    status: int
    data: Any


@dataclass(frozen=True, slots=True)
class Api:
    """One API root. `patience` is how many seconds of waiting for a rate limit one request is worth."""

    url: str
    token: Token
    patience: float = 300.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        ok: tuple[int, ...] = (),
    ) -> Answer:
        """One request, repeated while GitHub says that waiting helps. Statuses in `ok` are answers, not errors.

        Raises `UserError` for what the token or the repository's owner must change, `InfraError` for what may pass;
        after an `InfraError` the request may have been carried out all the same.
        """
        import httpx2  # noqa: PLC0415  # half of the start-up time

        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token.read()}",
            "X-GitHub-Api-Version": VERSION,
            "User-Agent": "greylag",
        }
        waited = 0.0
        with httpx2.Client(headers=headers, timeout=_TIMEOUT, follow_redirects=False, verify=_certificates()) as client:
            for attempt in range(_TRIES):
                try:
                    response = client.request(method, f"{self.url}{path}", params=query, json=json)
                except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                    raise InfraError(
                        f"{self.url} cannot be reached: {one_line(str(error)) or type(error).__name__}"
                    ) from error
                delay = _delay(response, attempt)
                if delay is None:
                    return self._judged(method, path, response, ok)
                waited += delay
                if waited > self.patience:
                    break
                self.sleep(delay)
        raise InfraError(f"{self.url} limits the rate of requests; it asks to wait {delay:.0f} s")

    def _judged(self, method: str, path: str, response: "httpx2.Response", ok: tuple[int, ...]) -> Answer:
        answer = Answer(response.status_code, _json(response))
        if response.is_success or answer.status in ok:
            return answer
        what = f"GitHub answers {answer.status} to {method} {path}"
        said = one_line(message(answer.data))
        if answer.status >= 500 or answer.status == 408:
            raise InfraError(f"{what}: {said}")
        raise UserError(f"{what}: {said}; {_REMEDIES.get(answer.status, 'see the settings of the forge')}")


@functools.cache
def _certificates() -> "ssl.SSLContext":
    """Loading the certificates takes longer than a request."""
    import httpx2  # noqa: PLC0415  # see above

    return httpx2.create_ssl_context()


_REMEDIES = {
    301: "the repository has moved: use its new name",
    307: "the repository has moved: use its new name",
    401: "the token is wrong or has expired: replace it",
    403: "the token may not do this: give it write access to contents and pull requests of this repository",
    404: "the repository does not exist or the token may not see it: check the name, and the token's repositories",
    410: "the repository has this switched off",
}


def message(data: Any) -> str:
    """What GitHub says about an error, with the details of a validation."""
    if not isinstance(data, dict):
        return "no message"
    errors = data.get("errors")
    details = (
        [e.get("message") or e.get("code") if isinstance(e, dict) else e for e in errors or ()]
        if isinstance(errors, list)
        else [errors]
    )
    return ": ".join(str(part) for part in (data.get("message") or "no message", *details) if part)


def _json(response: "httpx2.Response") -> Any:
    try:
        return response.json()
    except ValueError:
        return {}


def _delay(response: "httpx2.Response", attempt: int) -> float | None:
    """Seconds to wait before the same request again; None when it is not a matter of waiting."""
    if response.status_code not in {403, 429}:
        return None
    headers = response.headers
    if (after := headers.get("retry-after", "")).isdecimal():
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdecimal():
        return max(1.0, float(headers["x-ratelimit-reset"]) - time.time())
    if response.status_code == 429 or "rate limit" in message(_json(response)).lower():
        return float(_UNHINTED * 2**attempt)
    return None
