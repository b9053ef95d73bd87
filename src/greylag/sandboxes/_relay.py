"""Runs inside the sandbox: loopback ports that lead to unix sockets, then the command. Standard library only.

    python -I -S _relay.py '[["3128", "/run/greylag/sockets/llm"], ...]' PROGRAM ARGUMENT...

A port is a number, or `fd:N` for a socket that listens already. Signals go on to the command; its exit code is the
exit code, 128 + signal when it was killed, 127 when there is no such program.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import threading

_CHUNK = 1 << 16
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)  # by Python, which programs would inherit
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def listen(port: str) -> socket.socket:
    """A listening socket on the loopback, or the inherited one."""
    if port.startswith("fd:"):
        server = socket.socket(fileno=int(port[3:]))
        server.set_inheritable(False)
        return server
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(port)))
    server.listen(128)
    return server


def serve(server: socket.socket, path: str) -> None:
    """Accept for ever; one pair of threads per connection."""
    while True:
        client, _ = server.accept()
        threading.Thread(target=connect, args=(client, path), daemon=True).start()


def connect(client: socket.socket, path: str) -> None:
    """Pump both directions until both are at their end. Closing the client is the answer to a dead socket."""
    upstream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with client, upstream:
        try:
            upstream.connect(path)
        except OSError:
            return
        back = threading.Thread(target=pump, args=(upstream, client), daemon=True)
        back.start()
        pump(client, upstream)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Copy until the end of `source`, then tell `target` so."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def run(argv: list[str]) -> int:
    """Run the command to its end."""
    try:
        child = os.posix_spawnp(argv[0], argv, os.environ, setsigdef=_IGNORED)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return 126 if isinstance(error, PermissionError) else 127
    for number in _FORWARDED:
        signal.signal(number, lambda received, _frame: _forward(child, received))
    return _code(os.waitpid(child, 0)[1])


def _forward(child: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, number)


def _code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def main() -> int:
    """Listen before the command starts, so that it never meets a closed port."""
    servers = [(listen(port), path) for port, path in json.loads(sys.argv[1])]
    for server, path in servers:
        threading.Thread(target=serve, args=(server, path), daemon=True).start()
    return run(sys.argv[2:])


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # connections that are still open end with the command
