"""What may leave a sandbox: names, ports, methods and addresses, decided without any I/O."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from greylag.egress import registries
from greylag.text import one_line

_PORTS = frozenset({80, 443})
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\Z")
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")  # as a last label: some form of an IPv4 address
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
HOP = frozenset({"connection", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "upgrade"})
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# By hand, since `ipaddress.is_private` also means documentation networks, which real mirrors have been seen in.
_NEVER = [  # nowhere a mirror could be: this network, link-local with the metadata services, multicast, reserved
    ipaddress.ip_network(text)
    for text in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "fe80::/10", "ff00::/8",
                 "2002::/16", "2001::/32")
]  # fmt: skip
_PRIVATE = [  # loopback, RFC 1918, carrier-grade NAT, protocol and benchmark networks, unique local addresses
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24",
                 "198.18.0.0/15", "::1/128", "fc00::/7", "fec0::/10")
]  # fmt: skip
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What goes out. A host is a name or `*.example.org` (names below it), with `:port` for one other than 80 and 443.

    `private_hosts` are allowed, too, and may resolve to private or loopback addresses (mirrors of a company).
    `upstream` is `http://[USER:PASSWORD@]HOST:PORT`. Bounds: bytes in both directions, seconds, connections at a time.
    """

    hosts: tuple[str, ...] = registries.HOSTS
    private_hosts: tuple[str, ...] = ()
    upstream: str | None = None
    connections: int = 256
    total: int = 16 << 30
    idle: float = 120.0
    connect: float = 20.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A connection that was not made, and why. Both texts are harmless to print."""

    host: str
    reason: str


class RefusedError(Exception):
    """Ends a connection with `status`; becomes a `Refusal`."""

    def __init__(self, host: str, reason: str, status: str = "403 Forbidden") -> None:
        super().__init__(reason)
        self.refusal = Refusal(one_line(host, 120), one_line(reason, 200))
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """A checked head of a request. `path` and `headers` are of GET and HEAD."""

    method: str
    host: str
    port: int
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


# -- decisions -------------------------------------------------------------------------------------------------------


def allowed_address(address: _Address, *, private: bool) -> bool:
    """Whether a checked address may be connected to. Addresses that carry another one are judged by it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return allowed_address(address.ipv4_mapped, private=private)
        if address in _NAT64:
            return allowed_address(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF), private=private)
        if address in _NAT64_LOCAL:
            return False
    nets = _NEVER if private else [*_NEVER, *_PRIVATE]
    return not any(address.version == net.version and address in net for net in nets)


def check(policy: EgressPolicy, host: str, port: int) -> bool:
    """Whether `host` may have a private address. Raises when it is not allowed at all."""
    for hosts, private in ((policy.private_hosts, True), (policy.hosts, False)):
        if any(_fits(pattern, host, port) for pattern in hosts):
            return private
    if any(_fits(pattern.partition(":")[0], host, 443) for pattern in (*policy.hosts, *policy.private_hosts)):
        raise RefusedError(f"{host}:{port}", "the port is not on the list of allowed ones")
    raise RefusedError(f"{host}:{port}", "the host is not on the list of allowed ones")


def _fits(pattern: str, host: str, port: int) -> bool:
    name, _, wanted = pattern.lower().partition(":")
    if port not in ({int(wanted)} if wanted.isdigit() else _PORTS):
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def parse(head: bytes) -> Request:
    """The head of a request. Raises for what is not `CONNECT host:port` or GET or HEAD of an `http://` address."""
    if _CONTROL.search(head.replace(b"\r\n", b"")):  # what one side reads as a line end, and the other does not
        raise RefusedError("?", "control characters in a request", "400 Bad Request")
    try:
        first, *rest = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
        method, target, version = first.split(" ")
    except ValueError as error:
        raise RefusedError("?", "not a request of HTTP/1.1", "400 Bad Request") from error
    if version not in {"HTTP/1.0", "HTTP/1.1"} or method not in {"CONNECT", "GET", "HEAD"}:
        raise RefusedError(target, f"method {method} is not allowed")
    try:
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        port = url.port
    except ValueError as error:
        raise RefusedError(target, "not an address", "400 Bad Request") from error
    if (method == "CONNECT") != (not url.scheme) or url.scheme not in {"", "http"} or url.username is not None:
        raise RefusedError(target, "only CONNECT, and http:// for GET and HEAD")
    host = (url.hostname or "").removesuffix(".")
    if "[" in url.netloc or _NUMERIC.match(host.rpartition(".")[2]):
        raise RefusedError(target, "addresses without a name are not allowed")
    if not _HOST.match(host) or not host.isascii() or (method == "CONNECT" and port is None):
        raise RefusedError(target, "not an address", "400 Bad Request")
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in rest))
    if any(name in {"content-length", "transfer-encoding"} and value != "0" for name, value in headers):
        raise RefusedError(target, "a request with a body is not allowed")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return Request(method, host, 80 if port is None else port, path, headers)
