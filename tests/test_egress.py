"""The egress proxy between real sockets on loopback."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from greylag.egress import Egress
from greylag.egress.allowlist import EgressPolicy, RefusedError, allowed_address, check, parse
from greylag.egress.registries import HOSTS, environment
from greylag.errors import InfraError, UserError
from greylag.model import Event


class Origin(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.command} {self.path} {dict(self.headers)}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_CONNECT = do_GET  # noqa: N815  # names of the standard library

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def origin() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def proxy(tmp_path: Path, policy: EgressPolicy, events: list[Event] | None = None) -> Iterator["Client"]:
    with ExitStack() as stack:
        path = tmp_path / "egress"
        egress = stack.enter_context(Egress(path, policy, (events if events is not None else []).append))
        yield Client(path, egress, stack)


class Client:
    def __init__(self, path: Path, egress: Egress, stack: ExitStack) -> None:
        self.path, self.egress, self.stack = path, egress, stack

    def open(self, data: bytes) -> socket.socket:
        link = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        link.settimeout(10)
        link.connect(str(self.path))
        if data:
            link.sendall(data)
        return link

    def ask(self, data: bytes) -> str:
        """All that comes back until the proxy closes."""
        return received(self.open(data)).decode()


def received(link: socket.socket) -> bytes:
    """What comes until the end; a reset is an end, too."""
    data = b""
    with suppress(ConnectionResetError):
        while chunk := link.recv(65536):
            data += chunk
    return data


def local(port: int, **more: object) -> EgressPolicy:
    return EgressPolicy(private_hosts=(f"localhost:{port}",), **more)  # type: ignore[arg-type]  # fields by name


def test_a_tunnel_to_an_allowed_host_carries_bytes_both_ways(tmp_path: Path, origin: int) -> None:
    with proxy(tmp_path, local(origin)) as client:
        link = client.open(f"CONNECT localhost:{origin} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        assert link.recv(1000) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        link.sendall(b"GET /inside HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert b"GET /inside" in received(link)
        assert client.egress.refusals == []


def test_plain_http_is_forwarded_once_and_without_the_proxys_own_headers(tmp_path: Path, origin: int) -> None:
    with proxy(tmp_path, local(origin)) as client:
        answer = client.ask(
            f"GET http://localhost:{origin}/a?b=c HTTP/1.1\r\nHost: other\r\nProxy-Authorization: x\r\n"
            "Accept: y\r\n\r\n"
            f"POST http://localhost:{origin}/second HTTP/1.1\r\nhost: x\r\n\r\n".encode()
        )
        assert "GET /a?b=c" in answer
        assert f"'host': 'localhost:{origin}'" in answer
        assert "'accept': 'y'" in answer
        assert "roxy" not in answer
        assert "second" not in answer


@pytest.mark.parametrize(
    ("request_line", "reason"),
    [
        ("CONNECT evil.example:443", "host is not on the list"),
        ("CONNECT pypi.org:22", "port is not on the list"),
        ("CONNECT pypi.org.evil.example:443", "host is not on the list"),
        ("CONNECT xpypi.org:443", "host is not on the list"),
        ("CONNECT 127.0.0.1:443", "addresses without a name"),
        ("CONNECT 2130706433:443", "addresses without a name"),
        ("CONNECT 0x7f.1:443", "addresses without a name"),
        ("CONNECT [::1]:443", "addresses without a name"),
        ("CONNECT 169.254.169.254:80", "addresses without a name"),
        ("GET http://169.254.169.254/latest/meta-data", "addresses without a name"),
        ("CONNECT user@pypi.org:443", "only CONNECT"),
        ("POST http://pypi.org/", "method POST"),
        ("PUT http://pypi.org/", "method PUT"),
        ("GET https://pypi.org/", "only CONNECT"),
        ("GET file:///etc/passwd", "only CONNECT"),
        ("GET /", "only CONNECT"),
        ("CONNECT pypi.org", "not an address"),
        ("CONNECT pypi.org:99999", "not an address"),
        ("CONNECT pypi.org\\evil:443", "not an address"),
        ("CONNECT localhost:443", "host is not on the list"),
        ("nonsense", "not a request"),
    ],
)
def test_all_else_is_refused_and_told(tmp_path: Path, request_line: str, reason: str) -> None:
    events: list[Event] = []
    with proxy(tmp_path, EgressPolicy(), events) as client:
        line = request_line if request_line == "nonsense" else f"{request_line} HTTP/1.1"
        answer = client.ask(f"{line}\r\nhost: pypi.org\r\n\r\n".encode())
        assert answer.split(" ")[1] in {"403", "400"}
        assert reason in answer
        [(refusal, times)] = client.egress.refusals
        assert reason in refusal.reason
        assert times == 1
    assert [event.kind for event in events] == ["egress.refused"]


def test_what_two_parsers_could_read_differently_is_refused(tmp_path: Path, origin: int) -> None:
    with proxy(tmp_path, local(origin)) as client:
        get = f"GET http://localhost:{origin}/ HTTP/1.1\r\n"
        for rest in (
            "a: b\n\nPOST / HTTP/1.1\r\n\r\n",
            "content-length: 5\r\n\r\nhello",
            "transfer-encoding: chunked\r\n\r\n",
        ):
            assert client.ask((get + rest).encode()).split(" ")[1] in {"400", "403"}
        assert client.ask(b"GET http://localhost/\xff HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 400")


def test_a_name_that_leads_to_a_private_address_is_refused(tmp_path: Path, origin: int) -> None:
    with proxy(tmp_path, EgressPolicy(hosts=(f"localhost:{origin}",))) as client:
        answer = client.ask(f"CONNECT localhost:{origin} HTTP/1.1\r\n\r\n".encode())
        assert answer.startswith("HTTP/1.1 403")
        assert "which is not public" in answer


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("203.0.113.7", True, True),
        ("151.101.0.223", True, True),
        ("2a04:4e42::223", True, True),
        ("64:ff9b::8.8.8.8", True, True),
        ("10.1.2.3", False, True),
        ("172.31.0.1", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("64:ff9b::10.0.0.1", False, True),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::169.254.169.254", False, False),
        ("64:ff9b:1::1", False, False),
        ("fe80::1", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, False),
        ("2002:7f00:1::", False, False),
    ],
)
def test_addresses(address: str, public: bool, private: bool) -> None:
    parsed = ipaddress.ip_address(address)
    assert allowed_address(parsed, private=False) is public
    assert allowed_address(parsed, private=True) is private


def test_patterns_cover_what_is_below_a_name_and_nothing_else() -> None:
    policy = EgressPolicy(hosts=("*.example.org", "mirror.example.com:8081"), private_hosts=("nexus.corp",))
    assert check(policy, "a.b.example.org", 443) is False
    assert check(policy, "mirror.example.com", 8081) is False
    assert check(policy, "nexus.corp", 80) is True
    for host, port in (("example.org", 443), ("xexample.org", 443), ("mirror.example.com", 443), ("nexus.corp", 8081)):
        with pytest.raises(RefusedError):
            check(policy, host, port)
    assert parse(b"CONNECT PyPI.org.:443 HTTP/1.1\r\n\r\n").host == "pypi.org"


def test_an_upstream_proxy_is_asked_by_name_with_its_credentials(tmp_path: Path, origin: int) -> None:
    upstream = f"http://us%20er:pass@localhost:{origin}"
    with proxy(tmp_path, EgressPolicy(upstream=upstream)) as client:
        answer = client.ask(b"GET http://pypi.org/simple/ HTTP/1.1\r\nhost: pypi.org\r\n\r\n")
        assert "GET http://pypi.org/simple/" in answer
        assert "'proxy-authorization': 'Basic dXMgZXI6cGFzcw=='" in answer
        link = client.open(b"CONNECT pypi.org:443 HTTP/1.1\r\nProxy-Authorization: mine\r\n\r\n")
        answer = link.recv(1000).decode()
        assert "200 OK" in answer, "the upstream's own answer"
        while "pypi.org:443" not in answer:
            answer += link.recv(1000).decode()
        assert "mine" not in answer
        assert client.ask(b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 403")


def test_bytes_connections_and_time_are_bounded(tmp_path: Path, origin: int) -> None:
    request = f"GET http://localhost:{origin}/ HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    with proxy(tmp_path, local(origin, total=40)) as client:
        assert len(client.ask(request)) <= 40
        assert "more than 40 bytes" in client.egress.refusals[0][0].reason
    with proxy(tmp_path, local(origin, connections=1)) as client:
        held = client.open(f"CONNECT localhost:{origin} HTTP/1.1\r\n\r\n".encode())
        assert held.recv(100).startswith(b"HTTP/1.1 200")
        assert client.ask(request).startswith("HTTP/1.1 503")
        flood = [client.open(b"") for _ in range(3)]
        assert received(flood[-1]) == b"", "not even read"
    with proxy(tmp_path, local(origin, idle=0.1)) as client:
        assert client.ask(b"GET http://") == "", "a request that never ends"
        silent = client.open(f"CONNECT localhost:{origin} HTTP/1.1\r\n\r\n".encode())
        assert received(silent).startswith(b"HTTP/1.1 200"), "a tunnel in which nothing moves"
    with proxy(tmp_path, local(origin)) as client:
        assert client.ask(b"GET http://" + b"x" * 20_000) == "", "a head without end"


def test_a_flood_of_refusals_is_told_once_each_and_only_so_many(tmp_path: Path) -> None:
    events: list[Event] = []
    with proxy(tmp_path, EgressPolicy(), events) as client:
        for number in range(120):
            client.ask(f"CONNECT h{number}.example:443 HTTP/1.1\r\n\r\n".encode())
        client.ask(b"CONNECT h1.example:443 HTTP/1.1\r\n\r\n")
        assert client.egress.refusals[0][1] == 2
    assert len(events) == 100


def test_nothing_is_left_behind_and_bad_settings_are_errors(tmp_path: Path, origin: int) -> None:
    with proxy(tmp_path, local(origin)) as client:
        client.open(f"CONNECT localhost:{origin} HTTP/1.1\r\n\r\n".encode())
        assert client.path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []
    assert "greylag-egress" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(InfraError, match="cannot listen"), Egress(tmp_path / "no" / "socket", EgressPolicy(), print):
        pass
    with pytest.raises(UserError, match="http://HOST:PORT"):
        Egress(tmp_path / "x", EgressPolicy(upstream="socks5://somewhere"), print)


def test_tools_are_told_and_what_they_had_is_kept() -> None:
    env = environment({"MAVEN_OPTS": "-Xmx1g", "A": "b"}, "@port:egress@")
    assert env["A"] == "b"
    assert env["MAVEN_OPTS"].startswith("-Xmx1g -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=@port:egress@")
    assert " -Dhttp.nonProxyHosts=localhost|" in env["MAVEN_OPTS"]
    assert env["GRADLE_OPTS"].endswith(' "-Dhttp.nonProxyHosts=localhost|127.*|[::1]"')  # read by a shell's `eval`
    assert env["https_proxy"] == env["HTTPS_PROXY"] == "http://127.0.0.1:@port:egress@"
    assert "127.0.0.1" in env["NO_PROXY"]
    assert "JAVA_TOOL_OPTIONS" not in env
    assert "upload.pypi.org" not in HOSTS
