"""From a work tree, which may be hostile and still changing, to a git tree id.

The trusted git directory, a temporary index and `git add`: nothing in the work tree's own `.git` is read. On the host
only for the user's own directory; what an agent can write is read inside a sandbox, because a file may become a link
to a file of the host between the look at it and the opening of it.
"""

import functools
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from greylag.directories import own_tree
from greylag.errors import AgentError, GreylagError, InfraError
from greylag.git import SETTINGS, Answer, Git, GitError, borrow, config_environment, disk, printable
from greylag.model import Diagnostic
from greylag.protocols import Bind, Bounds, Command, Ended, Layers, Sandbox, SandboxBackend, SandboxSpec

_LEFT_OUT = re.compile(
    r"^(?:error: (?:unable to index file|invalid path|.* does not have a commit checked out|.*can only add)"
    r"|warning: could not open directory)"
)
_FULL = re.compile(r"(?:No space left on device|Disk quota exceeded)$", re.MULTILINE)
_PACKS = 2 << 30  # bytes that one change may come to
_TRIES = 3

_FREEZE = """\
git add --all --ignore-errors
code=$?
echo $code
[ $code -le 1 ] || exit 0
tree=$(git write-tree) || exit
[ "$tree" = "$1" ] || printf '%s\\n^%s\\n' "$tree" "$1" | git pack-objects --quiet --revs "$GIT_DIR/change" >&2 || exit
echo "$tree"
"""  # prints the exit code of the first command, then the tree

Run = Callable[[Sequence[str], bytes], Answer]


@dataclass(frozen=True, slots=True)
class Frozen:
    """A tree id, and what had to be left out of the tree."""

    tree: str
    left_out: tuple[Diagnostic, ...] = ()


def on_host(git: Git, directory: Path, base: str, kept: Sequence[str]) -> Frozen:
    """Freeze `directory`, starting from the tree `base`, which was checked out there; `kept` are paths to take from it.

    Raises `AgentError` for a work tree that cannot be frozen.
    """
    with disk(git.home), tempfile.TemporaryDirectory(prefix="freeze-", dir=git.home) as name:
        env = {"GIT_WORK_TREE": str(directory), "GIT_INDEX_FILE": f"{name}/index"}

        def run(arguments: Sequence[str], stdin: bytes) -> Answer:
            return git.call(*arguments, stdin=stdin, env=env)

        def attempt() -> tuple[Answer, str]:
            added = run(("add", "--all", "--ignore-errors"), b"")
            tree = _checked(run, ("write-tree",)).output.decode() if added.code in {0, 1} else ""
            return added, tree.strip()

        _prepare(run, base, kept)
        return _add(attempt)


def _prepare(run: Run, base: str, kept: Sequence[str]) -> None:
    """Fill the index from the tree that was checked out."""
    _checked(run, ("read-tree", base))
    if kept:
        names = "".join(f"{path}\0" for path in kept).encode("utf-8", "surrogateescape")
        _checked(run, ("update-index", "--skip-worktree", "-z", "--stdin"), names)


def _add(attempt: Callable[[], tuple[Answer, str]]) -> Frozen:
    """Bring the index up to the work tree, and make a tree of it: `attempt` tells how `git add` ended, and the tree."""
    for _ in range(_TRIES):
        answer, tree = attempt()
        complaints = [line for line in answer.errors.splitlines() if _LEFT_OUT.match(line)]
        if tree and (not answer.code or complaints):
            return Frozen(tree, tuple(_left_out(line) for line in complaints))
    raise _unfrozen(answer)


def _unfrozen(answer: Answer) -> GreylagError:
    error = GitError("add", answer)
    if _FULL.search(answer.errors):
        return InfraError(f"no room to freeze the work tree; make some and run again ({error})")
    return AgentError(f"the work tree cannot be frozen: {error}")


def _left_out(line: str) -> Diagnostic:
    return Diagnostic(message=f"left out of the change: {printable(line)}", rule="workspace/unreadable")


def _checked(run: Run, arguments: Sequence[str], stdin: bytes = b"") -> Answer:
    answer = run(arguments, stdin)
    if answer.code:
        raise GitError(arguments[0], answer)
    return answer


def in_sandbox(
    git: Git, directory: Path, base: str, kept: Sequence[str], *, backend: SandboxBackend, objects: Path
) -> Frozen:
    """The same by a sandbox, which sees the work tree and `objects` (where the base is) read-only.

    It writes into a quarantine; a pack of what is new is taken from there.
    """
    with disk(git.home), tempfile.TemporaryDirectory(prefix="freeze-", dir=git.home) as name:
        store = git.init(Path(name) / "store.git")
        scratch = Path(name) / "scratch"
        scratch.mkdir()
        borrow(store.directory, objects)
        env = {"GIT_WORK_TREE": str(scratch)}  # an empty one: the index is all that is written
        _prepare(lambda arguments, stdin: store.call(*arguments, stdin=stdin, env=env), base, kept)
        own_tree(store.directory, backend.owner)
        spec = _spec(directory, store.directory, objects, scratch)
        with backend.open(spec) as sandbox:
            frozen = _add(functools.partial(_attempt, sandbox, base))
        _take(git, store.directory)
        return frozen


def _spec(directory: Path, store: Path, objects: Path, scratch: Path) -> SandboxSpec:
    env = {"GIT_DIR": str(store), "GIT_WORK_TREE": "@workspace@", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    return SandboxSpec(
        profile="git",
        workspace=Layers(lowers=(directory,)),
        home=Layers(),
        scratch=scratch,
        binds=(Bind(objects, str(objects)), Bind(store, str(store), writable=True)),
        env=env | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"} | config_environment(SETTINGS),
        bounds=Bounds(seconds=600),
    )


def _attempt(sandbox: Sandbox, base: str) -> tuple[Answer, str]:
    """All in one command, because each start of one takes longer than git with a small change."""
    done = sandbox.run(Command(("sh", "-c", _FREEZE, "freeze", base), merge=False))
    if done.ended is not Ended.EXITED:
        raise AgentError(f"the work tree cannot be frozen: git ended by {done.ended}")
    errors = done.errors.decode("utf-8", "surrogateescape")
    if done.returncode:
        raise GitError("write-tree", Answer(done.returncode, done.output, errors))
    code, tree = [*done.output.decode().splitlines(), ""][:2]
    return Answer(int(code), b"", errors), tree


def _take(git: Git, store: Path) -> None:
    """Bring the pack out of the quarantine; every object is hashed again, so nothing can pose as another."""
    for pack in sorted(store.glob("change-*.pack")):
        handle = os.open(pack, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as stream:
            size = os.fstat(handle).st_size
            if size > _PACKS:
                raise AgentError(f"the change comes to {size >> 20} MB; at most {_PACKS >> 20} MB are taken")
            git.run("index-pack", "--stdin", "--fix-thin", stdin=stream)
