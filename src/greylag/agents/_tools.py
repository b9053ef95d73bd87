"""What the built-in agent can do: files, `verify`, and programs of an allow-list. All of it happens in the sandbox.

What only reads runs at the same time, apart from the thread of the caller. All else blocks that thread on purpose,
although it is declared `async`: one after the other, so that Ctrl-C reaches it.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Self

from pydantic import Field
from pydantic_ai import Tool, ToolFailed

from greylag.agents import _inside
from greylag.bridge import Gate
from greylag.protocols import AgentRequest, Command, Ended
from greylag.text import clean, fence, nonce

_OUTPUT = 12_000  # characters of a program's output that the model sees
_PROGRAM_SECONDS = 600.0
_MAP = 8_000  # characters of the list of files in the first message
_NAMED = 300  # words of the prompt that may be files
_AT_ONCE = 4  # files that are read at the same time

Path = Annotated[str, Field(description="path relative to the root of the repository")]


class Toolbox:
    """The tools of one session, as long as its context lasts."""

    def __init__(self, request: AgentRequest, gate: Gate, shell: Sequence[str]) -> None:
        self._request, self._gate, self._shell = request, gate, tuple(shell)
        self._deadline = time.monotonic() + request.limits.seconds
        self._mark = nonce()
        self._readers = ThreadPoolExecutor(_AT_ONCE, "greylag read")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.shutdown(wait=False, cancel_futures=True)  # Ctrl-C waits for nobody

    def tools(self) -> list[Tool[None]]:
        """For pydantic-ai. What changes something is a barrier: nothing else runs meanwhile."""
        readers: list[Callable[..., Any]] = [self.list_files, self.read_file, self.search]
        barriers: list[Callable[..., Any]] = [
            *(self.edit_file, self.write_file, self.delete_file, self.move_file, self.verify)
        ]
        made: list[Tool[None]] = [Tool(function, takes_ctx=False) for function in readers]
        made += [Tool(function, takes_ctx=False, sequential=True) for function in barriers]
        if self._shell:
            allowed = f"Start a program in the repository, without a shell. Allowed: {', '.join(self._shell)}."
            made.append(Tool(self.run_command, takes_ctx=False, sequential=True, description=allowed))
        return made

    def map(self) -> str:
        """The repository's files, or as many of its directories as fit, first those that the prompt names; fenced."""
        words = dict.fromkeys(word.strip("./-") for word in re.findall(r"[\w./-]+", self._request.prompt))
        try:
            return self._shown("list", budget=_MAP, named=[word for word in words if len(word) > 2][:_NAMED])
        except ToolFailed as failure:  # a tree that takes too long to list: the agent can look for itself
            return f"(not listed: {failure.message})"

    async def list_files(self, path: Path = ".", glob: str = "") -> str:
        """List the files below a directory, optionally only those whose path or name fits a glob such as *.py."""
        return await self._apart("list", path=path, glob=glob)

    async def read_file(self, path: Path, start: int = 1, end: int = 0) -> str:
        """Read a text file with line numbers, at most 1000 lines at once; `end` 0 reads to the end."""
        return await self._apart("read", path=path, start=start, end=end)

    async def search(self, pattern: str, glob: str = "", path: Path = ".") -> str:
        """Find the lines that a (Python) regular expression matches, in the files below `path` that fit `glob`."""
        return await self._apart("search", pattern=pattern, glob=glob, path=path)

    async def edit_file(self, path: Path, old: str, new: str, everywhere: bool = False) -> str:
        """Replace `old`, which must occur exactly once in the file, by `new`; with `everywhere`, each occurrence."""
        return self._did("edit", path=path, old=old, new=new, everywhere=everywhere)

    async def write_file(self, path: Path, content: str) -> str:
        """Create a file, or replace all of its contents."""
        return self._did("write", path=path, content=content)

    async def delete_file(self, path: Path) -> str:
        """Delete one file."""
        return self._did("delete", path=path)

    async def move_file(self, path: Path, to: Path) -> str:
        """Rename or move one file."""
        return self._did("move", path=path, to=to)

    async def verify(self, log: str = "", page: int = 1, search: str = "") -> str:
        """Check the change: format, build, tests and what else this repository demands. May take minutes.

        With `log`, one that an answer has named, nothing is checked: it shows that log, a page at a time, or the lines
        around the text in `search`.
        """
        if log:
            return fence(self._request.log(log, page, search), self._mark)
        text = self._gate.check()
        self._gate.settle()
        return text

    async def run_command(self, argv: list[str]) -> str:
        """Start a program in the repository, without a shell."""
        if not argv or argv[0] not in self._shell:
            raise ToolFailed(f"`{argv[0] if argv else ''}` is not allowed; allowed are: {', '.join(self._shell)}")
        seconds = self._seconds(_PROGRAM_SECONDS)
        done = _inside.run(self._request.sandbox, Command(tuple(argv), seconds=seconds, verbatim=True))
        how = f"exit code {done.returncode}" if done.ended is Ended.EXITED else f"{done.ended.value}"
        return f"{how}\n{fence(_ends(clean(done.output)), self._mark)}"

    async def _apart(self, op: str, **arguments: Any) -> str:
        """What one of the readers finds."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, lambda: self._shown(op, **arguments))

    def _shown(self, op: str, **arguments: Any) -> str:
        return fence(self._files(op, **arguments), self._mark)

    def _did(self, op: str, **arguments: Any) -> str:
        return clean(self._files(op, **arguments))

    def _files(self, op: str, **arguments: Any) -> bytes:
        try:
            return _inside.files_tool(self._request.sandbox, op, seconds=self._seconds(60.0), **arguments)
        except _inside.Refused as refusal:
            raise ToolFailed(clean(str(refusal))) from None

    def _seconds(self, most: float) -> float:
        return max(1.0, min(most, self._deadline - time.monotonic()))


def _ends(text: str) -> str:
    """Head and tail of a long output; the tail is where programs say what went wrong."""
    if len(text) <= _OUTPUT:
        return text
    head, tail = _OUTPUT // 4, _OUTPUT - _OUTPUT // 4
    return f"{text[:head]}\n... {len(text) - _OUTPUT} characters left out ...\n{text[-tail:]}"
