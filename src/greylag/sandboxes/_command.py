"""Marks in commands, and what both sandboxes refuse before anything starts."""

import platform
import posixpath
import re
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from greylag.errors import InfraError
from greylag.protocols import Command

_MARK = re.compile(r"@(workspace|home|files|sockets|answer|port:([\w.-]+))@")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_NAME = re.compile(r"[\w][\w.-]{0,99}")


@dataclass(frozen=True, slots=True)
class Places:
    """What the marks stand for in one command."""

    workspace: str
    home: str
    files: str
    sockets: str
    ports: Mapping[str, int] = field(default_factory=dict)
    answer: str = ""

    def fill(self, text: str) -> str:
        """`text` with its marks replaced; `ValueError` for what this command does not have."""

        def place(match: re.Match[str]) -> str:
            if match[1] == "answer" and not self.answer:
                raise ValueError("@answer@: this command has none")
            if match[2] is None:
                return str(getattr(self, match[1]))
            if match[2] not in self.ports:
                raise ValueError(f"{match[0]}: no such name in `forwards`")
            return str(self.ports[match[2]])

        return _MARK.sub(place, text)

    def words(self, command: Command) -> list[str]:
        """The arguments of a command."""
        return list(command.argv) if command.verbatim else [self.fill(word) for word in command.argv]

    def texts(self, command: Command) -> dict[str, str]:
        """The files of a command."""
        return dict(command.files) if command.verbatim else self.fill_all(command.files)

    def fill_all(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The same for the values of a mapping."""
        return {name: self.fill(text) for name, text in texts.items()}


def here() -> str:
    """This machine as `linux/amd64`."""
    machine = platform.machine()
    return f"{sys.platform}/{_MACHINES.get(machine, machine)}"


def check(command: Command) -> None:
    """Raise `ValueError` for a command that no caller may build, `InfraError` for a socket that is not there."""
    if not command.argv:
        raise ValueError("a command needs a program")
    if posixpath.isabs(command.cwd) or posixpath.normpath(command.cwd).startswith(".."):
        raise ValueError(f"cwd {command.cwd!r} is not below the workspace")
    unknown = [name for name in command.forwards if name not in command.sockets]
    if unknown:
        raise ValueError(f"forwards without a socket: {unknown}")
    for name in (*command.sockets, *command.files):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a file")
    for name, path in command.sockets.items():
        if not is_socket(path):
            raise InfraError(f"socket `{name}` is not there: {path}")


def is_socket(path: Path) -> bool:
    """Whether a unix socket is there, itself and not a link."""
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False
