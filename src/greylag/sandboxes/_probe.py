"""What a sandbox guarantees on this machine, seen from inside one."""

from collections.abc import Sequence
from pathlib import Path

from greylag.errors import InfraError, UserError
from greylag.protocols import Bounds, Command, Ended, Guarantee, Layers, Sandbox, SandboxSpec
from greylag.sandboxes._cgroup import Control

_SHELL = frozenset({"", "PWD", "OLDPWD", "SHLVL", "_"})
_ROUTES = ("/proc/net/route", "/proc/net/ipv6_route")
_FILES = ("/proc/self/status", "/proc/net/dev", *_ROUTES, "/proc/[0-9]*/environ")
_SCRIPT = f"exec 2>/dev/null; : > made; grep -aH '' {' '.join(_FILES)}; echo /namespace:$(readlink /proc/self/ns/net)"
_REMEDY = (
    "install the bubblewrap of your distribution, on a kernel with CONFIG_SECCOMP_FILTER and CONFIG_NET_NS; "
    "`greylag doctor` tells when it is mended"
)


def trial(directory: Path) -> SandboxSpec:
    """A small sandbox to look around in, with everything below an empty directory."""
    for name in ("lower", "upper", "home"):
        (directory / name).mkdir()
    return SandboxSpec(
        "verifier",
        Layers((directory / "lower",), directory / "upper"),
        Layers(upper=directory / "home"),
        directory,
        bounds=Bounds(seconds=30, output=1 << 20, temporary=1 << 20),
    )


def essentials(sandbox: Sandbox, spec: SandboxSpec, owner: int, names: frozenset[str]) -> list[Guarantee]:
    """Look around in the `trial` sandbox. `UserError` when one of the promises that all rests on is not kept.

    `owner` is the host uid that commands should have, `names` are the variables that they are given.
    """
    done = sandbox.run(Command(("/bin/sh", "-c", _SCRIPT)))
    made = Path(spec.workspace.upper or "", "made")
    if done.ended is not Ended.EXITED or not made.is_file():
        raise InfraError(f"the sandbox started, but its workspace cannot be written: {done.ended}, {done.returncode}")
    seen = _Seen(done.output.decode("utf-8", "replace"))
    found = [
        seen.user(made.lstat().st_uid, owner),
        seen.status("no-new-privs", "NoNewPrivs:\t1", "no program can gain privileges"),
        seen.status("seccomp", "Seccomp:\t2", "dangerous system calls are refused"),
        seen.network(str(Path("/proc/self/ns/net").readlink())),
        seen.environment(names | _SHELL),
    ]
    for each in found:
        if each.state == "absent":
            raise UserError(f"the sandbox cannot be trusted here: {each.name}: {each.evidence}: {_REMEDY}")
    return found


def probe(sandbox: Sandbox, control: Control, closed: Sequence[Path]) -> list[Guarantee]:
    """What holds beyond the essentials; `closed` are tool chains that commands may not enter."""
    slow = sandbox.run(Command(("/bin/sleep", "30"), seconds=0.2)).ended
    loud = sandbox.run(Command(("/bin/sh", "-c", "while :; do echo greylaggreylaggreylag; done"))).ended
    return [
        _bound("time", slow is Ended.TIMED_OUT, "a command was ended by the clock"),
        _bound("output", loud is Ended.OUTPUT_CAPPED, "a command was ended for printing too much"),
        *_resources(control),
        Guarantee("disk", "weak", "temporary directories are bounded; workspace and home only by the disk"),
        _layers(layered=sandbox.layered),
        _tools(closed),
    ]


class _Seen:
    """What the script printed: lines of files, each behind the file's name."""

    def __init__(self, output: str) -> None:
        self._lines: dict[str, list[str]] = {}
        for line in output.split("\n"):
            path, _, text = line.partition(":")
            self._lines.setdefault(path, []).append(text)

    def of(self, path: str) -> list[str]:
        """Lines of a file, none when it could not be read."""
        return self._lines.get(path, [])

    def status(self, name: str, line: str, evidence: str) -> Guarantee:
        return _bound(name, line in self.of("/proc/self/status"), evidence)

    def user(self, uid: int, owner: int) -> Guarantee:
        held = uid == owner != 0 and "CapEff:\t0000000000000000" in self.of("/proc/self/status")
        evidence = f"commands run as host uid {uid}, {'without' if held else 'which is root or has'} capabilities"
        return _bound("user", held, evidence)

    def network(self, host: str) -> Guarantee:
        """An own network without a way out. Some kernels put idle tunnels into each: devices without a route."""
        devices = [line.split(":")[0].strip() for line in self.of("/proc/net/dev") if ":" in line]
        ways = {line.split()[0] for line in self.of(_ROUTES[0])[1:]} | {
            line.split()[-1] for line in self.of(_ROUTES[1])
        }
        inside = self.of("/namespace")
        held = bool(devices) and inside not in ([], [""], [host]) and ways <= {"lo"}
        return _bound("network", held, f"network devices inside: {' '.join(devices) or 'unknown'}")

    def environment(self, expected: frozenset[str]) -> Guarantee:
        whole = ["\n".join(lines) for path, lines in self._lines.items() if path.endswith("/environ")]
        inside = {variable.partition("=")[0] for each in whole for variable in each.split("\0")}
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


def _tools(closed: Sequence[Path]) -> Guarantee:
    if not closed:
        return Guarantee("tools", "enforced", "every directory of PATH that is mounted can be entered inside")
    names = " ".join(dict.fromkeys(map(str, closed)))
    return Guarantee("tools", "weak", f"closed to the user of commands: {names}; `chmod -R o+rX {names}` opens them")
