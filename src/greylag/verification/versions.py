"""Versions of the machine's tools: what one version passed, another may not, and they change below a cache.

The tools of a project, which its preparation installs, are none of these: its tree and its layers say what they are.
"""

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from greylag.protocols import Activation, Command, Ended, Layers, Sandbox, SandboxBackend, SandboxSpec
from greylag.text import clean
from greylag.verification.chains import Running
from greylag.verification.layers import LayerStore

Line = tuple[str, ...]  # a command that prints a version

_SECONDS = 20.0
_LENGTH = 2000  # characters of what it prints
_AT_ONCE = 4


@dataclass(slots=True)
class Versions:
    """What tools say of themselves. Each is asked once: a run is one measurement, from its base to its gate."""

    _known: dict[Line, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(
        self, activations: Iterable[Activation], backend: SandboxBackend, store: LayerStore, running: Running
    ) -> Mapping[Line, str]:
        """For each command of their `tools` what it prints outside of any project; nothing where it does not run there.

        `store` has room for an empty sandbox. Raises `InfraError` when none can be had.
        """
        lines = dict.fromkeys(line for activation in activations for line in activation.tools.values())
        with self._lock:
            if new := [line for line in lines if line not in self._known]:
                with store.lease() as lease:
                    stage = lease.stage()
                    home = Layers(upper=stage.home)
                    spec = SandboxSpec("verifier", Layers(upper=stage.workspace), home, stage.scratch)
                    with backend.open(spec) as sandbox, running.entered(sandbox):
                        self._known |= _ask(sandbox, new)
                running.check()
            return {line: self._known[line] for line in lines}


def _ask(sandbox: Sandbox, lines: list[Line]) -> dict[Line, str]:
    with ThreadPoolExecutor(min(len(lines), _AT_ONCE), "greylag-versions") as pool:
        return dict(zip(lines, pool.map(lambda line: _version(sandbox, line), lines), strict=True))


def _version(sandbox: Sandbox, line: Line) -> str:
    done = sandbox.run(Command(line, seconds=_SECONDS))
    fine = done.ended is Ended.EXITED and not done.returncode
    return clean(done.output)[:_LENGTH].strip() if fine else ""
