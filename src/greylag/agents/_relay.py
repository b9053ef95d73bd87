"""Runs inside the sandbox: relays bytes between standard input and output and a unix socket. Standard library only.

Usage: relay.py SOCKET. Serves the MCP tool and the stop hook alike; what they say is decided on the other side.
"""

import os
import socket
import sys
import threading


def main() -> int:
    """Relay until the other side hangs up; 1 when it cannot be reached (for a hook: an error that does not block)."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.connect(sys.argv[1])
    except OSError as error:
        print(f"relay: {error}", file=sys.stderr)
        return 1
    threading.Thread(target=upwards, args=(peer,), daemon=True).start()
    while chunk := peer.recv(65536):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    return 0


def upwards(peer: socket.socket) -> None:
    """Standard input to the socket, then the end of it."""
    while chunk := os.read(0, 65536):
        peer.sendall(chunk)
    peer.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit(main())
