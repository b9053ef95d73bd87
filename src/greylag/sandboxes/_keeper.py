"""Host side of `_launch.py`: the process that holds a sandbox's mounts, and the plans for it."""

import contextlib
import functools
import importlib.abc
import importlib.util
import marshal
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from greylag.errors import GreylagError, InfraError
from greylag.sandboxes import _launch
from greylag.sandboxes._streams import spool

Namespace = Literal["none", "root", "user"]
_STAGES = ("/mnt", "/media", "/srv", "/opt")  # any directory that every user can enter; only hidden in our namespace
_START = 30.0
_RUN = (
    "import marshal, sys\n"
    "with open(int(sys.argv[2]), 'rb') as file: plan = marshal.load(file); exec(marshal.load(file))\n"
    "main(sys.argv[1], plan)"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A host path to be staged. Below `base`, which a sandbox may have written, no link is followed."""

    path: Path
    base: Path | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """Lowers, the first one on top, and the upper with its work directory where there is one."""

    lowers: tuple[Path, ...]
    upper: Path | None = None
    work: Path | None = None

    @property
    def writable(self) -> list[str]:
        return [str(path) for path in (self.upper, self.work) if path]


class RefusedError(GreylagError):
    """The kernel refused a step of the preparation: `overlay` or `namespace` can be done without."""

    def __init__(self, step: str, text: str) -> None:
        super().__init__(text)
        self.step = step


class Keeper:
    """A running `_launch.py keep`. When its channel closes, also by our death, it cleans up and ends."""

    def __init__(
        self,
        namespace: Namespace,
        sources: Mapping[str, Source],
        overlays: Mapping[str, Overlay],
        cgroups: Sequence[Path],
        avoid: Iterable[Path] = (),
    ) -> None:
        self.token = f"greylag-{uuid.uuid4().hex}"
        self.stage = stage([*avoid, *(source.path for source in sources.values())])
        self.namespaces: tuple[int, ...] = ()
        ours, theirs = socket.socketpair()
        plan = {
            "channel": theirs.fileno(),
            "token": self.token,
            "parent": os.getpid(),
            "namespace": namespace,
            "stage": self.stage,
            "sources": [(name, str(s.path), str(s.base) if s.base else None) for name, s in sources.items()],
            "overlays": [(name, [str(path) for path in o.lowers], o.writable) for name, o in overlays.items()],
            "cgroups": [str(path) for path in cgroups],
        }
        self._channel = ours
        with theirs:
            self._process = _start("keep", plan, theirs.fileno())
        try:
            self._receive()
        except BaseException:
            self.close()
            raise

    def _receive(self) -> None:
        self._channel.settimeout(_START)
        try:
            text, held, _, _ = socket.recv_fds(self._channel, 1 << 16, 4)
        except OSError as error:
            raise InfraError(f"the sandbox's mounts could not be prepared: {error}") from error
        self.namespaces = tuple(held)
        silence = {"step": "start", "error": "the launcher ended without a word"}
        answer = marshal.loads(text) if text else silence  # noqa: S302 - from our own process
        if "error" in answer:
            raise RefusedError(answer["step"], answer["error"])

    def close(self) -> None:
        """Let the namespace go and wait for the clean-up. Safe to repeat."""
        with contextlib.suppress(OSError):
            self._channel.send(b".")
            self._channel.recv(1)  # waits for its end, without the sleeps of `Popen.wait`
        self._channel.close()
        for descriptor in self.namespaces:
            os.close(descriptor)
        self.namespaces = ()
        try:
            self._process.wait(_START)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def stage(avoid: Iterable[Path]) -> str:
    """A directory to mount over in the namespace, which hides nothing that is needed there."""
    needed = [Path(os.path.realpath(path)) for path in avoid]
    for place in map(Path, _STAGES):
        if place.is_dir() and not place.is_symlink() and not any(path.is_relative_to(place) for path in needed):
            return str(place)
    raise InfraError(f"no directory is free to prepare mounts in: {', '.join(_STAGES)}")


def _start(mode: str, plan: dict[str, Any], *inherit: int) -> "subprocess.Popen[bytes]":
    descriptor = spool(marshal.dumps(plan))
    try:
        return subprocess.Popen(
            launcher(mode, descriptor),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            pass_fds=(descriptor, *inherit),
            start_new_session=True,
        )
    except OSError as error:
        raise InfraError(f"the launcher of the sandbox cannot be started: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def launcher(mode: str, descriptor: int) -> tuple[str, ...]:
    """How a plan, marshalled in the file `descriptor`, is carried out by `_launch.py`.

    Isolated from environment, user site and our own packages. The program is put behind the plan, compiled, because
    every command waits for it.
    """
    os.pwrite(descriptor, _program(), os.fstat(descriptor).st_size)
    return (sys.executable, "-I", "-S", "-B", "-c", _RUN, mode, str(descriptor))


@functools.cache
def _program() -> bytes:
    spec = importlib.util.find_spec(_launch.__name__)
    assert spec is not None
    assert isinstance(spec.loader, importlib.abc.InspectLoader)
    return marshal.dumps(spec.loader.get_code(_launch.__name__))
