"""`greylag mcp`: the tool `verify` over standard input and output, for any agent or IDE that speaks MCP."""

import asyncio

from greylag.bridge import Gate, serve_stream, tool_server
from greylag.protocols import Verify


def serve(verify: Verify) -> None:
    """Serve until the client hangs up. Raises afterwards what verification raised; the client saw a neutral sentence.

    While it serves, standard output belongs to the protocol: what `verify` prints goes to standard error.
    """
    gate = Gate(verify, lambda _event: None)
    asyncio.run(serve_stream(tool_server(gate.check), None))
    gate.settle()
