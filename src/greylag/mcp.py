"""`greylag mcp`: the tool `verify` over standard input and output, for any agent or IDE that speaks MCP."""

import asyncio
import sys
import threading

from greylag.bridge import Gate, serve_stream, tool_server
from greylag.errors import GreylagError, UserError
from greylag.protocols import ReadLog, Verify
from greylag.text import one_line

UNVERIFIED = "Nothing was verified, which has nothing to do with your change. Tell the person you work for."


def serve(verify: Verify, log: ReadLog) -> None:
    """Serve until the client hangs up. An error of `verify` ends one call only; a bug is raised in the end.

    While it serves, standard output belongs to the protocol: what `verify` prints goes to standard error.
    """
    tool = _Tool(verify)
    asyncio.run(serve_stream(tool_server(tool.check, log), None))
    if tool.bug is not None:
        raise tool.bug


class _Tool:
    """The tool where a person is near, who can mend what is wrong, and where nobody verifies afterwards."""

    def __init__(self, verify: Verify) -> None:
        self.bug: BaseException | None = None
        self._verify, self._lock = verify, threading.Lock()

    def check(self) -> str:
        with self._lock:
            gate = Gate(self._verify, lambda _event: None)
            text = gate.check()
        if gate.error is None:
            return text
        if not isinstance(gate.error, GreylagError):
            self.bug = gate.error
            return UNVERIFIED
        why = one_line(str(gate.error))
        print(f"greylag: {why}", file=sys.stderr, flush=True)
        return f"{why}\n{UNVERIFIED}" if isinstance(gate.error, UserError) else UNVERIFIED
