"""From what bubblewrap or the kernel says to what a person can do about it."""

import re

from greylag.errors import GreylagError, InfraError, UserError

_APPARMOR = (
    "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or a profile for bubblewrap alone: "
    r"`printf 'abi <abi/4.0>,\ninclude <tunables/global>\n"
    r"profile bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n}\n'"
    " | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`"
)
_SYSCTLS = "`sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=28633`"
_REMEDIES = (
    (
        r"setting up uid map|[Cc]reating new namespace|No permissions to create|loopback: Failed RTM_NEWADDR|unshare:",
        "this system forbids user namespaces to ordinary programs. "
        f"Ubuntu 23.10 or later: {_APPARMOR}. Elsewhere: {_SYSCTLS}. "
        "In a container: `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`",
    ),
    (
        r"Can't mount proc",
        "this container masks /proc, so that no private one can be mounted: start it with "
        "`--security-opt systempaths=unconfined`",
    ),
    (r"^exec: Permission denied", "bubblewrap must lie where every user can run it, and so must all directories above"),
    (r"drop privileges", "greylag runs as root but may not become another uid: run it as an ordinary user"),
)


def missing(program: str) -> str:
    """What to type when bubblewrap is not installed."""
    return (
        f"the sandbox needs bubblewrap, and `{program}` is not on PATH: `sudo apt-get install bubblewrap` "
        "(Fedora: `sudo dnf install bubblewrap`, Alpine: `apk add bubblewrap`)"
    )


def explain(text: str) -> GreylagError:
    """The error to raise for a sandbox that did not start: the user's where a remedy is known, else the machine's."""
    line = " ".join(text.split())[:500] or "it ended without a word"
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, line):
            return UserError(f"the sandbox cannot start ({line}): {remedy}")
    return InfraError(f"the sandbox could not be started: {line}")
