"""The hardened git runner. All git that greylag runs on the host goes through here.

Nothing of the machine's or the user's configuration is read, nothing that a repository configures is executed:
`SETTINGS` stand in a file of ours (`GIT_CONFIG_GLOBAL`, which programs on the other side of a local transport read,
too) and again in the environment (`GIT_CONFIG_COUNT`), which beats a repository's own `.git/config`.
"""

import contextlib
import functools
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from greylag.errors import InfraError, UserError
from greylag.git._guard import GUARD, NAME

NEEDED = (2, 34)

SETTINGS: Mapping[str, str] = {
    "safe.directory": "*",  # greylag may run as root on a repository of somebody else
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "core.alternateRefsCommand": "true",
    "core.askPass": "",
    "core.logAllRefUpdates": "false",  # a log would carry our paths into the agent's git directory
    "core.symlinks": "true",
    "core.autocrlf": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.quotePath": "false",
    "credential.helper": "",
    "protocol.allow": "never",
    "protocol.ext.allow": "never",
    "protocol.file.allow": "always",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "protocol.ssh.allow": "always",
    "http.followRedirects": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "receive.autogc": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "push.recurseSubmodules": "no",
    "push.gpgSign": "false",
    "commit.gpgSign": "false",
    "log.showSignature": "false",
}

_ENV = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "LC_ALL": "C",
}

_ERRORS = 1 << 20  # bytes of standard error that are kept
_LINGER = 2.0  # seconds; for what is asked to end, and for a shared connection of ssh, which holds our pipe


class GitError(InfraError):
    """A git command that ended with an error; `errors` and `report` are what it said on standard error and output."""

    def __init__(self, command: str, answer: "Answer") -> None:
        code, errors = answer.code, answer.errors
        last = [line for line in errors.splitlines() if line.startswith(("fatal:", "error:"))] or errors.splitlines()
        super().__init__(f"git {command} failed ({code}): {printable(last[0]) if last else 'no message'}")
        self.errors = errors
        self.report = answer.output.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Answer:
    """A command that ended: exit code (negative: signal), standard output, standard error."""

    code: int
    output: bytes
    errors: str


def printable(text: str, limit: int = 300) -> str:
    """One line for a person from untrusted text: what does not print is escaped, what is long is cut."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text.strip())
    return line if len(line) <= limit else line[: limit - 1] + "…"


@functools.cache
def program() -> str:
    """Path of a git that is new enough. Raises `UserError` otherwise."""
    path = shutil.which("git")
    if path is None:
        raise UserError("git is not installed; install it (Debian, Ubuntu: apt-get install git)")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    check_version(said)
    return path


def check_version(said: str) -> None:
    """Raise `UserError` unless `said`, the answer of `git --version`, names a version that will do."""
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < NEEDED:
        needed = ".".join(map(str, NEEDED))
        raise UserError(f"git {needed} or later is needed, found `{printable(said)}`; upgrade git")


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git on one git directory of ours. `home` is a private directory for its settings and temporary files."""

    home: Path
    git_dir: Path | None = None

    @classmethod
    def open(cls, home: Path) -> "Git":
        """A runner whose settings are kept in `home`, which is made when it is missing (mode 0700)."""
        program()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "gitconfig").write_text("".join(_config_lines(SETTINGS)), encoding="utf-8")
        return cls(home)

    def at(self, git_dir: Path) -> "Git":
        """The same runner for another git directory."""
        return Git(self.home, git_dir)

    def init(self, git_dir: Path) -> "Git":
        """Make an empty bare git directory."""
        # its HEAD names no branch that will exist: newer versions would take attributes from there
        self.run("init", "--quiet", "--bare", "--template=", "--initial-branch=greylag/none", "--", str(git_dir))
        (git_dir / "info").mkdir(exist_ok=True)
        return self.at(git_dir)

    @property
    def directory(self) -> Path:
        """The git directory of a runner that has one."""
        assert self.git_dir is not None
        return self.git_dir

    def environment(self, config: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of a command; `config` adds settings that a repository's own cannot override."""
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.home), "TMPDIR": str(self.home), **_ENV}
        env |= {"GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"), NAME: GUARD.mark()}
        if self.git_dir is not None:
            env["GIT_DIR"] = str(self.git_dir)
        return env | config_environment({**SETTINGS, **(config or {})})

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """A command that goes on, with pipes for input and output; end it with `kill_group`."""
        pipe = subprocess.PIPE
        command = [program(), *arguments]
        return subprocess.Popen(
            command,
            cwd=self.home,
            env=self.environment(),
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def call(
        self,
        *arguments: str,
        stdin: bytes | IO[bytes] = b"",
        env: Mapping[str, str] | None = None,
        config: Mapping[str, str] | None = None,
        seconds: float = 600.0,
        cap: int = 256 << 20,
        umask: int = 0o022,
    ) -> Answer:
        """Run one command to its end. Raises `InfraError` on time-out, no disk, more than `cap` bytes of output."""
        with disk(self.home), self._source(stdin) as source:
            process = subprocess.Popen(
                [program(), *arguments],
                cwd=self.home,
                env=self.environment(config) | dict(env or {}),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                umask=umask,
            )
            answer = _watch(process, arguments[0], seconds, cap)
        if answer.code and "No space left on device" in answer.errors:
            raise InfraError(f"no space left on the device of {self.git_dir or self.home}; free some and run again")
        return answer

    @contextlib.contextmanager
    def _source(self, stdin: bytes | IO[bytes]) -> Iterator[IO[bytes] | int]:
        if not isinstance(stdin, bytes):
            yield stdin
        elif not stdin:
            yield subprocess.DEVNULL
        else:
            with tempfile.TemporaryFile(dir=self.home) as source:
                source.write(stdin)
                source.seek(0)
                yield source

    def run(
        self,
        *arguments: str,
        stdin: bytes | IO[bytes] = b"",
        env: Mapping[str, str] | None = None,
        config: Mapping[str, str] | None = None,
        seconds: float = 600.0,
        cap: int = 256 << 20,
        umask: int = 0o022,
    ) -> bytes:
        """Standard output of a command. Raises `GitError` when it fails, and what `call` raises."""
        answer = self.call(*arguments, stdin=stdin, env=env, config=config, seconds=seconds, cap=cap, umask=umask)
        if answer.code:
            raise GitError(arguments[0], answer)
        return answer.output

    def text(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Like `run`, decoded (file names survive any bytes) and without the last line end."""
        return self.run(*arguments, stdin=stdin, env=env).decode("utf-8", "surrogateescape").removesuffix("\n")

    def fields(self, *arguments: str, env: Mapping[str, str] | None = None) -> list[str]:
        """Output of a command with `-z`, split."""
        return [field for field in self.text(*arguments, env=env).split("\0") if field]


def _watch(process: "subprocess.Popen[bytes]", name: str, seconds: float, cap: int) -> Answer:
    """Wait for a process and its output; whatever happens, its whole group is dead afterwards."""
    assert process.stdout is not None
    assert process.stderr is not None
    output, errors = bytearray(), bytearray()
    readers = [
        threading.Thread(target=_drain, args=(process.stdout, output, cap + 1), daemon=True),
        threading.Thread(target=_drain, args=(process.stderr, errors, _ERRORS), daemon=True),
    ]
    try:
        for reader in readers:
            reader.start()
        if not _ended(process, seconds):
            raise InfraError(f"git {name} did not end within {seconds:g} s")
    finally:
        started = [reader for reader in readers if reader.ident]
        # a push may end by itself, since it leaves its half in somebody's repository; others remove theirs when asked
        if not _ended(process, _LINGER if name == "push" else 0):
            os.killpg(process.pid, signal.SIGTERM)
            for reader in started:
                reader.join(_LINGER)
        kill_group(process)
        for reader in started:
            reader.join(_LINGER)
    if len(output) > cap:
        raise InfraError(f"git {name} printed more than {cap >> 20} MB")
    return Answer(process.returncode, bytes(output), errors.decode("utf-8", "surrogateescape"))


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Wait for the end without the sleeps of `Popen.wait`, which would double the time of a short command."""
    handle = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(handle)


def _drain(stream: IO[bytes], into: bytearray, cap: int) -> None:
    with stream:
        while chunk := stream.read1(1 << 16):  # type: ignore[attr-defined]  # a buffered pipe
            into += chunk[: max(0, cap - len(into))]


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill what a process that was started in a session of its own has left, and reap it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def borrow(git_dir: Path, objects: Path) -> None:
    """Let a git directory use the objects of another one, in place."""
    quoted = "".join(
        chr(b) if (chr(b).isalnum() and b < 128) or b in b"/._-" else f"\\{b:03o}" for b in os.fsencode(objects)
    )
    (git_dir / "objects/info").mkdir(exist_ok=True)
    (git_dir / "objects/info/alternates").write_text(f'"{quoted}"\n', encoding="ascii")
    shallow = objects.parent / "shallow"
    if shallow.is_file():
        (git_dir / "shallow").write_bytes(shallow.read_bytes())


@contextlib.contextmanager
def disk(path: Path) -> Iterator[None]:
    """Say which path a full or failing disk belongs to: `OSError` becomes `InfraError`."""
    try:
        yield
    except OSError as error:
        raise InfraError(f"{error.strerror or error} at {error.filename or path}") from error


def config_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings as the `GIT_CONFIG_COUNT` variables, which win over every file and are in no argv."""
    env = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


def _config_lines(settings: Mapping[str, str]) -> list[str]:
    lines = []
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        head, _, sub = section.partition(".")
        title = f'{head} "{sub}"' if sub else head
        lines.append(f'[{title}]\n\t{name} = "{value}"\n')
    return lines
