"""The lint of protobuf modules by buf, in each workspace or module that is in no other one.

It compiles them, too. Modules of others are fetched by the preparation; where they cannot be had, nothing can be told.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _tool
from greylag.verifiers._evidence import outermost
from greylag.verifiers._files import environments, program, roots
from greylag.verifiers._plan import Plan
from greylag.verifiers._pyproject import below, text

_SETTINGS = ("buf.yaml", "buf.work.yaml", "buf.lock")
_DEPENDS = re.compile(r"^deps:[ \t]*(?:\n[ \t]*-|\[[ \t]*[^\]\s])", re.MULTILINE)
_UNREACHABLE = r"the server hosted at that remote is unavailable[^\n]*"


class Buf:
    """Verifier of protobuf files that buf is set up for."""

    name = "buf"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """The lint, after a preparation where there are dependencies."""
        places = outermost(roots(tree, lambda name: name in _SETTINGS[:2]))
        return [activation for root in places for activation in _activations(root, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run buf; its exit code decides."""
        return _tool.run(activation, context)


PLUGIN = Buf


def _activations(root: str, tree: Tree) -> Iterator[Activation]:
    settings = [path for path in tree.paths() if posixpath.basename(path) in _SETTINGS and below(path, root)]
    if not any(path.endswith(".proto") and below(path, root) for path in tree.paths()):
        return
    reason = posixpath.relpath(settings[0], root)
    base = program("buf", "install buf", environments(tree, root, ("@bufbuild/buf", "buf-bin")))
    if any(_DEPENDS.search(text(tree, path)) for path in settings):
        fetch = replace(base, programs=(*base.programs, ("true",)), arguments=("build",), may_fail=True)
        yield Activation("buf", "buf build", Phase.PREPARE, root, reason, tuple(settings), Plan((fetch,)), ())
    lint = replace(
        base,
        # What other preparations make is no part of the repository, and git, which ignores it, is not there.
        arguments=("lint", "--error-format=json", "--exclude-path=node_modules", "--exclude-path=.venv"),
        read_log=readers.buf_json,
        untold=_UNREACHABLE,
        title="buf lint",
    )
    tools = {"buf": ("buf", "--version")}
    yield Activation("buf", "buf lint", Phase.STATIC, root, reason, (), Plan((lint,), tools))
