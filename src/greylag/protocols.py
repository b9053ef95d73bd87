"""The seams. A plugin is one module whose `PLUGIN` makes an object that fits one of these protocols."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from greylag.exchanges import Channel
from greylag.model import Event, Limits, Phase, PullRequest, Scope, Session, Verdict
from greylag.report import Report, Run

Observe = Callable[[Event], None]


# -- sandbox ---------------------------------------------------------------------------------------------------------


class Ended(StrEnum):
    """How a command in a sandbox ended. Out of memory must never look like a failed test."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    OUTPUT_CAPPED = "output capped"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Layers:
    """A directory in the sandbox, made of host directories.

    `lowers` are read-only, the first one on top; `upper` takes all writes. One lower and no upper is a read-only
    mount; no lower and an upper is a plain writable mount.
    """

    lowers: tuple[Path, ...] = ()
    upper: Path | None = None


@dataclass(frozen=True, slots=True)
class Bind:
    """A host path that appears at `target` in the sandbox."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a sandbox: seconds, bytes, processes. `output` bounds what one command may print."""

    seconds: float = 1800.0
    memory: int = 8 << 30
    processes: int = 2048
    output: int = 256 << 20
    temporary: int = 2 << 30


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """What a sandbox consists of. Nothing of the host's environment or files is inherited beyond it."""

    profile: Literal["agent", "verifier", "git"]
    workspace: Layers
    home: Layers
    scratch: Path  # a host directory for the sandbox's own bookkeeping; whoever made it removes it
    binds: tuple[Bind, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class Command:
    """One command for a sandbox: argv without a shell, in `cwd` relative to the workspace.

    In `argv`, `env` and `files`, these marks are replaced by what they are inside: `@workspace@`, `@home@`, `@files@`,
    `@sockets@`, `@port:NAME@` (a port on the inside loopback that leads to the socket NAME), and with `answer`
    `@answer@`. With `verbatim` only in `env`: `argv` and `files` are somebody else's words.
    """

    argv: tuple[str, ...]
    cwd: str = "."
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    seconds: float | None = None  # None: as the sandbox's bounds say
    sockets: Mapping[str, Path] = field(default_factory=dict)  # name -> unix socket of the host: @sockets@/NAME
    forwards: tuple[str, ...] = ()  # names of sockets that also get a loopback port
    files: Mapping[str, str] = field(default_factory=dict)  # name -> text, read-only at @files@/NAME
    host_network: bool = False  # policy `host`: the machine's own network, nothing is filtered
    log: Path | None = None  # the whole output, up to the bound, is written here
    on_line: Callable[[str], None] | None = None  # standard output line by line, without line ends
    merge: bool = True  # standard error goes into the output; else into `Completed.errors`
    verbatim: bool = False
    answer: bool = False  # what is written to the file `@answer@` comes back apart from the output


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ran, whatever came of it. `returncode` is 128 + signal for one that was killed.

    `memory_told`: memory was watched, so that `Ended.OUT_OF_MEMORY` would say that it ran out.
    """

    ended: Ended
    returncode: int
    output: bytes  # head and tail when it was large
    errors: bytes = b""
    truncated: bool = False
    seconds: float = 0.0
    answer: bytes = b""
    memory_told: bool = False


class Sandbox(Protocol):
    """Isolation that executes. A failed command is data; a failed sandbox raises `InfraError`."""

    @property
    def name(self) -> str:
        """Name in settings and records."""
        ...

    @property
    def platform(self) -> str:
        """Operating system and architecture, such as `linux/amd64`."""
        ...

    @property
    def layered(self) -> bool:
        """Whether an upper layer holds only what differs from the lowers."""
        ...

    def run(self, command: Command) -> Completed:
        """Run one command to its end. Several threads may call at once."""
        ...

    def kill(self) -> None:
        """End every command now, from any thread."""
        ...


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One promise of a sandbox on this machine, by probing."""

    name: str
    state: Literal["enforced", "weak", "absent"]
    evidence: str


class SandboxBackend(Protocol):
    """Makes sandboxes of one kind. `owner` is the host uid that sandboxed commands run as."""

    @property
    def name(self) -> str:
        """Name in settings and records."""
        ...

    @property
    def platform(self) -> str:
        """Operating system and architecture, such as `linux/amd64`."""
        ...

    @property
    def owner(self) -> int:
        """Host uid that sandboxed commands run as."""
        ...

    def open(self, spec: SandboxSpec) -> AbstractContextManager[Sandbox]:
        """A sandbox that is dead, with its whole process tree and its mounts, when the context ends."""
        ...

    def probe(self) -> Sequence[Guarantee]:
        """What holds on this machine. Raises `UserError` with the remedy when nothing can be started."""
        ...


# -- agent -----------------------------------------------------------------------------------------------------------

Verify = Callable[[], Report]
ReadLog = Callable[[str, int, str], str]  # the id of a log, a page, a text to search for -> what an agent gets to read


def no_log(name: str, _page: int, _search: str) -> str:
    """Where there are no logs."""
    return f"there is no log `{name}`"


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """What an agent is given: a prompt, a sandbox with the workspace, one tool, limits."""

    prompt: str
    sandbox: Sandbox
    verify: Verify
    limits: Limits
    transcript: Path  # a JSONL file to append to
    observe: Observe
    resume: Session | None = None
    log: ReadLog = no_log
    channel: Channel = Channel()  # to the model, for an agent that asks one: counted and kept there, or played


class Agent(Protocol):
    """Changes the workspace. It cannot push, and it never reports success: the gate owns that."""

    @property
    def name(self) -> str:
        """Name in settings and records."""
        ...

    @property
    def corrects(self) -> bool:
        """Whether it can do better when it is told what failed: a deterministic codemod cannot."""
        ...

    @property
    def reflects(self) -> bool:
        """Whether it can be asked what its prompt lacked: a program or a recording cannot."""
        ...

    @property
    def turns(self) -> int:
        """Model turns that one session of it has, where nobody says how many."""
        ...

    def run(self, request: AgentRequest) -> Session:
        """One session, or the continuation of `request.resume` in the same conversation."""
        ...


# -- verifier --------------------------------------------------------------------------------------------------------


class Tree(Protocol):
    """Read-only view of one git tree; reading runs nothing and follows no link."""

    @property
    def id(self) -> str:
        """Git tree id."""
        ...

    def paths(self) -> Sequence[str]:
        """All files, sorted."""
        ...

    def read(self, path: str) -> bytes:
        """Contents of a regular file; `KeyError` when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What the judge and the guards look at."""

    base: Tree
    head: Tree
    diff: str  # unified, with renames, as git prints it
    prompt: str = ""
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True)
class Activation:
    """A verifier that applies to a directory, and why. `name` is what people see."""

    verifier: str
    name: str
    phase: Phase
    root: str
    reason: str
    inputs: tuple[str, ...] = ()  # PREPARE: what decides the outcome: files, `a/` for the names in a; none: all
    plan: object = None  # the verifier's own
    outputs: tuple[str, ...] | None = None  # PREPARE: gitignore patterns of what may stay in the workspace; None: all

    @property
    def tools(self) -> Mapping[str, tuple[str, ...]]:
        """Command lines that print the versions of what it uses, where its plan has `tools`: by name."""
        return getattr(self.plan, "tools", {})


@dataclass(frozen=True, slots=True)
class Context:
    """What a verifier is given for one activation."""

    change: Change
    sandbox: Sandbox
    logs: Path  # directory for logs; a verdict's `log` is a file name in it
    execute: Callable[[Command], Completed]  # the sandbox, with the network that the phase's policy allows
    mode: Literal["baseline", "loop", "gate"] = "gate"
    earlier: tuple[Verdict, ...] = ()
    baseline: Report | None = None
    cpus: int = 2
    again: Callable[[], AbstractContextManager["Context | None"]] | None = None  # the tree anew, built, for flaky tests
    rewrite: Callable[[str, bytes], None] | None = None  # takes a file that a formatter has put right; None: only check
    connected: bool = True  # False: the policy gives this phase no network at all
    seconds: float = 1800.0  # that one command may take
    channel: Channel = Channel()  # to a model, for the judge

    def before(self, activation: Activation) -> Verdict | None:
        """What came of an activation on the base commit, where it applied there."""
        mine = (activation.name, activation.root, activation.phase)
        verdicts = self.baseline.verdicts if self.baseline else ()
        return next((v for v in verdicts if (v.verifier, v.root, v.phase) == mine), None)


class Verifier(Protocol):
    """A check that activates by what a repository contains. Guards and the judge are verifiers, too."""

    @property
    def name(self) -> str:
        """Name in settings and records."""
        ...

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Where it applies and why, from files only."""
        ...

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run it. Whatever the tool does is a verdict; `InfraError` only when it could not be run."""
        ...


# -- forge and notifier ----------------------------------------------------------------------------------------------


class Pushable(Protocol):
    """A commit in greylag's own clone, and how to push it."""

    @property
    def commit(self) -> str:
        """Commit id."""
        ...

    @property
    def committer(self) -> str:
        """Address that the commit bears: how a commit of greylag's is told from a person's."""
        ...

    def push(self, url: str, branch: str, *, expect: str | None, token: str | None = None) -> None:
        """Push with a lease: the remote branch must be at `expect` (None: must not exist)."""
        ...


class Forge(Protocol):
    """A place with repositories and pull requests. Only this holds the token."""

    @property
    def name(self) -> str:
        """Name in settings and records."""
        ...

    def publish(self, commit: Pushable, request: PullRequest) -> PullRequest:
        """Push the branch and open the pull request, or update the one that is there. Safe to repeat.

        `request` has number 0 and an empty url; the answer has both, and says whether the pull request was updated.
        """
        ...

    def clone_url(self, repo: str) -> tuple[str, str | None]:
        """URL to fetch from, and the token for it (None: none needed)."""
        ...


class Notifier(Protocol):
    """Tells somebody."""

    def notify(self, run: Run) -> None:
        """Called on every change of a run's status."""
        ...
