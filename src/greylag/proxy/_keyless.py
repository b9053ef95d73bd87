"""Answers without the key, which some services repeat in their errors: it must not come into a sandbox."""

from collections.abc import Iterable, Iterator

_REPLACED = b"[key]"


def keyless(text: bytes, key: str | None) -> bytes:
    """A whole answer."""
    return text.replace(key.encode(), _REPLACED) if key else text


def keyless_pieces(pieces: Iterable[bytes], key: str | None) -> Iterator[bytes]:
    """A stream, piece by piece: held back is only what may be the begin of the key."""
    secret, rest = (key or "").encode(), b""
    for piece in pieces:
        whole = keyless(rest + piece, key)
        sizes = range(min(len(secret) - 1, len(whole)), 0, -1)
        end = len(whole) - next((size for size in sizes if whole.endswith(secret[:size])), 0)
        rest = whole[end:]
        if end:
            yield whole[:end]
    if rest:
        yield rest
