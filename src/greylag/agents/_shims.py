"""How a client reaches `verify` and the stop gate from inside its sandbox, and what its model is told of the job."""

import os
import sys
from importlib.resources import files

from greylag.endings import HOW_TO_DECLINE

SERVER = "greylag"  # the MCP server's name, as the client knows it


def script(name: str) -> tuple[str, ...]:
    """Words that run one of the command's files inside."""
    return (os.path.realpath(sys.executable), "-I", "-S", f"@files@/{name}")


def relay(name: str) -> tuple[str, ...]:
    """Words of the command by which the client reaches `verify` or the stop gate."""
    return (*script("relay.py"), f"@sockets@/{name}")


def hook() -> str:
    """The command of the stop hook, as a line for a shell."""
    return " ".join(f'"{word}"' for word in relay("stop"))


def instructions() -> str:
    """What the model is told of the job, beside the client's own system prompt."""
    return source("client.md").replace("{decline}", HOW_TO_DECLINE)


def source(name: str) -> str:
    """A file of this package."""
    return files("greylag.agents").joinpath(name).read_text("utf-8")
