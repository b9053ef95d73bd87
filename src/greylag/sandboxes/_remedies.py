"""From what bubblewrap or the kernel says to what a person can do about it."""

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

from greylag.errors import GreylagError, InfraError, UserError

_APPARMOR = (
    "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or a profile for bubblewrap alone: "
    r"`printf 'abi <abi/4.0>,\ninclude <tunables/global>\n"
    r"profile bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n}\n'"
    " | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`"
)
_CLONE = "`sudo sysctl -w kernel.unprivileged_userns_clone=1`"
_MOST = "`sudo sysctl -w user.max_user_namespaces=28633`"
_DOCKER = "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`"
# file below /proc/sys, the text that forbids, the remedy
_SWITCHES = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", _APPARMOR),
    ("kernel/unprivileged_userns_clone", "0", _CLONE),
    ("user/max_user_namespaces", "0", _MOST),
)
_NAMESPACES = (
    r"setting up uid map|[Cc]reating new namespace|No permissions to create|loopback: Failed RTM_NEWADDR|unshare:"
)
_REMEDIES = (
    (r"Resource temporarily unavailable", "this user may start no more processes: see `ulimit -u`, or end some"),
    (
        r"Can't mount proc",
        "this container masks /proc, so that no private one can be mounted: start it with "
        "`--security-opt systempaths=unconfined`",
    ),
    (r"^drop privileges", "greylag runs as root but may not become another uid: run it as an ordinary user"),
    (r"^exec: Permission denied", "bubblewrap must lie where every user can run it, and so must all directories above"),
)


def missing(program: str) -> str:
    """What to type when bubblewrap is not installed."""
    return (
        f"the sandbox needs bubblewrap, and `{program}` is not on PATH: `sudo apt-get install bubblewrap` "
        "(Fedora: `sudo dnf install bubblewrap`, Alpine: `apk add bubblewrap`)"
    )


def explain(text: str, root: Path = Path("/")) -> GreylagError:
    """The error to raise for a sandbox that did not start: the user's where a remedy is known, else the machine's."""
    line = " ".join(text.split())[:500] or "it ended without a word"
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, line):
            return UserError(f"the sandbox cannot start ({line}): {remedy}")
    if re.search(_NAMESPACES, line):
        return UserError(f"the sandbox cannot start: this system forbids user namespaces: {_allow(root)} ({line})")
    return InfraError(f"the sandbox could not be started: {line}")


def _allow(root: Path) -> str:
    """The remedy for what forbids them here, as far as it can be seen; else for all that is known to."""
    found = []
    for name, forbids, remedy in _SWITCHES:
        with contextlib.suppress(OSError):
            found += [remedy] if (root / "proc/sys" / name).read_text().strip() == forbids else []
    if found:
        return " and ".join(found)
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return f"start this container with {_DOCKER}"
    return f"Ubuntu 23.10 or later: {_APPARMOR}. Elsewhere: {_CLONE}, {_MOST}. In a container: {_DOCKER}"


def incapable(names: Iterable[str]) -> str:
    """What to do as a root that may not do what root does."""
    return (
        f"greylag runs as root but without {', '.join(names)}, as in a container: run it as an ordinary user, "
        "or give the container these capabilities (`--cap-add`)"
    )
