"""What a sandbox guarantees on this machine, seen from inside one."""

from collections.abc import Sequence
from pathlib import Path

from greylag.errors import InfraError, UserError
from greylag.protocols import Bounds, Command, Ended, Guarantee, Layers, SandboxBackend, SandboxSpec
from greylag.sandboxes._cgroup import Control

_SHELL = frozenset({"", "PWD", "OLDPWD", "SHLVL", "_"})
_SCRIPT = """
exec 2>/dev/null
sed 's/^/status /' /proc/self/status
sed 's/^/net /' /proc/net/dev
sed 's/^/map /' /proc/self/uid_map
cat /proc/[0-9]*/environ | tr '\\0' '\\n' | sed 's/^/env /'
cat /lower > /dev/null
: > wrote && echo wrote
df -P -k /tmp /dev/shm | sed 's/^/df /'
"""
_ESSENTIAL = ("user", "network", "seccomp", "no-new-privs", "environment", "time", "output")


def probe(backend: SandboxBackend, directory: Path, control: Control, names: frozenset[str]) -> Sequence[Guarantee]:
    """Guarantees by name; `names` are the variables that commands are given. `UserError` without an essential one."""
    for name in ("lower", "upper", "home", "lower/below"):
        (directory / name).mkdir()
    spec = SandboxSpec(
        "verifier",
        Layers((directory / "lower",), directory / "upper"),
        Layers(upper=directory / "home"),
        directory,
        bounds=Bounds(seconds=30, output=1 << 20, temporary=1 << 20),
    )
    with backend.open(spec) as sandbox:
        seen = sandbox.run(Command(("/bin/sh", "-c", _SCRIPT))).output.decode("utf-8", "replace")
        slow = sandbox.run(Command(("/bin/sleep", "30"), seconds=0.2)).ended
        loud = sandbox.run(Command(("/bin/sh", "-c", "while :; do echo greylaggreylaggreylag; done"))).ended
        layered = sandbox.layered
    facts = _Facts(seen, directory / "upper", backend.owner)
    found = [
        facts.user(),
        facts.check("no-new-privs", "status NoNewPrivs:\t1", "no program can gain privileges"),
        facts.check("seccomp", "status Seccomp:\t2", "dangerous system calls are refused"),
        facts.network(),
        facts.environment(names | _SHELL),
        _bound("time", slow is Ended.TIMED_OUT, "a command was ended by the clock"),
        _bound("output", loud is Ended.OUTPUT_CAPPED, "a command was ended for printing too much"),
        *_resources(control),
        Guarantee("disk", "weak", "temporary directories are bounded; workspace and home only by the disk"),
        _layers(layered=layered),
    ]
    broken = [each for each in found if each.name in _ESSENTIAL and each.state == "absent"]
    if broken:
        raise UserError(f"the sandbox cannot be trusted here: {broken[0].name}: {broken[0].evidence}")
    return found


class _Facts:
    """What the probing script printed."""

    def __init__(self, seen: str, upper: Path, owner: int) -> None:
        self._lines = seen.splitlines()
        self._upper, self._owner = upper, owner
        if "wrote" not in self._lines:
            raise InfraError("the sandbox started but its workspace cannot be written")

    def check(self, name: str, line: str, evidence: str) -> Guarantee:
        return _bound(name, line in self._lines, evidence)

    def user(self) -> Guarantee:
        uid = (self._upper / "wrote").lstat().st_uid
        held = uid == self._owner and uid != 0 and "status CapEff:\t0000000000000000" in self._lines
        return _bound("user", held, f"commands run as host uid {uid}, without capabilities")

    def network(self) -> Guarantee:
        devices = [line.split()[1] for line in self._lines if line.startswith("net ") and ":" in line]
        return _bound("network", devices == ["lo:"], f"network devices inside: {' '.join(devices) or 'unknown'}")

    def environment(self, expected: frozenset[str]) -> Guarantee:
        inside = {line[4:].partition("=")[0] for line in self._lines if line.startswith("env ")}
        evidence = f"variables of the host inside: {' '.join(sorted(inside - expected)) or 'none'}"
        return _bound("environment", inside and inside <= expected, evidence)


def _bound(name: str, held: object, evidence: str) -> Guarantee:
    return Guarantee(name, "enforced" if held else "absent", evidence)


def _resources(control: Control) -> list[Guarantee]:
    if control.version:
        evidence = f"cgroup v{control.version} below {control.parents[0]}"
        return [Guarantee(name, "enforced", evidence) for name in ("memory", "processes")]
    why = f"only per process, no control group can be made ({control.reason})"
    return [Guarantee(name, "weak", why) for name in ("memory", "processes")]


def _layers(*, layered: bool) -> Guarantee:
    if layered:
        return Guarantee("layers", "enforced", "overlayfs")
    return Guarantee("layers", "weak", "overlayfs cannot be used here: layers are copied")
