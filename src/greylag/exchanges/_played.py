"""A recorded answer as a response of the HTTP client, for whoever reads it at once or in an event loop."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

import httpx2

from greylag.exchanges.patience import LONGEST_WAIT, wait


class _Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, pieces: Iterable[bytes], *, whole: bool) -> None:
        self._pieces, self._whole = pieces, whole

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if not self._whole:
            raise httpx2.ReadError("the answer breaks off, as when it was recorded")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def response(status: int, headers: Mapping[str, str], pieces: Iterable[bytes], *, whole: bool) -> httpx2.Response:
    """Raises `httpx2.HTTPError` where no answer came, and while it is read where it broke off.

    Who was to come back later need not wait: the next answer is there.
    """
    if status == 0:
        raise httpx2.ConnectError("no answer, as when it was recorded")
    at_once = {"retry-after": "0"} if 0 < wait(headers) <= LONGEST_WAIT else {}
    return httpx2.Response(status, headers={**headers, **at_once}, stream=_Pieces(pieces, whole=whole))
