"""The process that holds a sandbox's mounts and forks for its commands, and the plans for it."""

import contextlib
import marshal
import os
import socket
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from greylag.errors import GreylagError, InfraError
from greylag.interrupts import uninterrupted
from greylag.sandboxes import _forks

Namespace = Literal["none", "root", "user"]
_STAGES = ("/mnt", "/media", "/srv", "/opt")  # any directory that every user can enter; only hidden in our namespace
_START = 30.0


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
        plan = {
            "mode": "keep",
            "token": self.token,
            "namespace": namespace,
            "stage": self.stage,
            "sources": [(name, str(s.path), str(s.base) if s.base else None) for name, s in sources.items()],
            "overlays": [(name, [str(path) for path in o.lowers], o.writable) for name, o in overlays.items()],
            "cgroups": [str(path) for path in cgroups],
        }
        server = _forks.server()
        self._process: _forks.Forked | None = None
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._forks = _forks.Forks(self._channel)
        try:
            with uninterrupted(), theirs:
                self._process = _forks.Forked(server, server.fork(plan, [theirs.fileno()]))
            self._receive()
        except BaseException:
            self.close()
            raise

    def _receive(self) -> None:
        try:
            text = self._channel.recv(1 << 16)
        except OSError as error:
            raise InfraError(f"the sandbox's mounts could not be prepared: {error}") from error
        silence = {"step": "start", "error": "the launcher ended without a word"}
        answer = marshal.loads(text) if text else silence  # noqa: S302 - from our own process
        if "error" in answer:
            raise RefusedError(answer["step"], answer["error"])

    def start(self, plan: Mapping[str, Any], descriptors: Sequence[int]) -> _forks.Forked:
        """Start a command where the mounts are. `descriptors` become its 0, 1, 2 and so on."""
        return _forks.Forked(self._forks, self._forks.fork({**plan, "mode": "start"}, descriptors))

    def close(self) -> None:
        """Let the namespace go and wait for the clean-up, for 30 seconds. Safe to repeat."""
        with contextlib.suppress(OSError):
            self._channel.send(b"end")
            self._channel.recv(1)
        self._channel.close()
        if self._process:
            self._process.close()


def stage(avoid: Iterable[Path]) -> str:
    """A directory to mount over in the namespace, which hides nothing that is needed there."""
    needed = [Path(os.path.realpath(path)) for path in avoid]
    for place in map(Path, _STAGES):
        if place.is_dir() and not place.is_symlink() and not any(path.is_relative_to(place) for path in needed):
            return str(place)
    raise InfraError(f"no directory is free to prepare mounts in: {', '.join(_STAGES)}")
