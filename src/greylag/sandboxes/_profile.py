"""What every bubblewrap sandbox looks like from inside: arguments for bwrap(1)."""

import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from greylag.sandboxes._toolchains import Tools

WORKSPACE, HOME, FILES, SOCKETS = "/workspace", "/home/agent", "/run/greylag/files", "/run/greylag/sockets"
RELAY = "/run/greylag/relay.py"
_ROOT_NAMES = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SHARED_MEMORY = 1 << 30

# Never shadow, keys, configuration of package managers or git: they hold credentials on many machines.
_ETC = (
    *("alternatives", "ca-certificates", "crypto-policies", "debian_version", "fonts", "gai.conf", "host.conf"),
    *(
        "ld.so.cache",
        "ld.so.conf",
        "ld.so.conf.d",
        "localtime",
        "locale.alias",
        "locale.conf",
        "magic",
        "maven/m2.conf",
        "maven/logging",
    ),
    *("mime.types", "os-release", "perl", "pki/ca-trust", "pki/java", "pki/tls/cert.pem", "pki/tls/certs"),
    *("protocols", "python3", "rpc", "services", "sgml", "shells", "ssl/ca-bundle.pem", "ssl/cert.pem", "ssl/certs"),
    *("ssl/openssl.cnf", "ssl/java", "terminfo", "timezone", "xml"),
)
_ETC_PATTERNS = ("java*", "python3.*", "lsb-release", "*-release")
_PHP = ("php/*/cli/conf.d/*.ini", "php/conf.d/*.ini", "php.d/*.ini")  # of Debian, Arch and Fedora
_PHP_LINE = re.compile(rb"\s*(?:;.*|(?:zend_)?extension\s*=\s*[\w./\"-]+\s*)?")
_BUNDLES = (
    *("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"),
    *("/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"),
)
_BUNDLE_VARIABLES = (
    *("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE"),
    *("GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO"),
)
# Layers may belong to other uids than the sandbox's; git would refuse them, and there is nobody to protect inside.
_GIT = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
ETC_FILES = {
    "/etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n"
    f"agent:x:1000:1000:agent:{HOME}:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    "/etc/group": "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}
_HOSTS = "127.0.0.1 localhost greylag\n::1 localhost\n"


@dataclass(frozen=True, slots=True)
class Mount:
    """A source, by the path at which bubblewrap finds it, and its place inside."""

    source: str
    target: str
    writable: bool = False


def environment(tools: Tools) -> dict[str, str]:
    """The environment that every command starts from; `@home@` is replaced later."""
    bundle = next((path for path in _BUNDLES if Path(path).exists()), None)
    return {
        "HOME": HOME,
        "USER": "agent",
        "LOGNAME": "agent",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "TERM": "dumb",
        "CARGO_HOME": f"{HOME}/.cargo",
        "GOPATH": f"{HOME}/go",
        **_GIT,
        **dict.fromkeys(_BUNDLE_VARIABLES if bundle else (), bundle or ""),
        **tools.env,
    }


def namespaces(*, host_network: bool, features: frozenset[str]) -> list[str]:
    """Everything is unshared; no capability, no nested user namespace, no life after greylag."""
    words = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    words += [] if host_network else ["--unshare-net"]
    words += ["--disable-userns"] if "--disable-userns" in features else []
    words += ["--uid", "1000", "--gid", "1000", "--hostname", "greylag"]
    return [*words, "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]


@functools.cache
def system() -> tuple[str, ...]:
    """The host's programs, read-only, and what of /etc they need: looked for once, since every command has them."""
    words = ["--ro-bind", "/usr", "/usr"]
    for path in (Path("/", name) for name in _ROOT_NAMES):
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    words += ["--ro-bind-try", "/opt", "/opt"]
    for path in sorted(_etc()):
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif os.access(path, os.R_OK):
            words += ["--ro-bind-try", str(path), str(path)]
    return tuple(words)


@functools.cache
def _etc() -> frozenset[Path]:
    etc = Path("/etc")
    found = {etc / name for name in _ETC if (etc / name).exists() or (etc / name).is_symlink()}
    return frozenset(found.union(_extensions(etc), *(etc.glob(pattern) for pattern in _ETC_PATTERNS)))


def _extensions(etc: Path) -> Iterator[Path]:
    """Files by which PHP loads its extensions, and what they are links to; none that says more, and may hold a key."""
    for path in (path for pattern in _PHP for path in etc.glob(pattern)):
        file = path.resolve()
        known = file.is_relative_to(etc) and file.is_file() and os.access(file, os.R_OK)
        if known and all(_PHP_LINE.fullmatch(line) for line in file.read_bytes().splitlines()):
            yield from (path, file)


def own_file_systems(temporary: int) -> list[str]:
    """Private /proc and /dev, and memory-backed places with a size; /dev/shm is one that is easily forgotten."""
    shared = str(min(temporary, _SHARED_MEMORY))
    words = ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", shared, "--tmpfs", "/dev/shm"]  # noqa: S108
    words += ["--remount-ro", "/dev"]
    words += ["--perms", "1777", "--size", str(temporary), "--tmpfs", "/tmp"]  # noqa: S108 - the sandbox's own
    return [*words, "--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--dir", "/run"]  # noqa: S108


def network_files(*, host_network: bool) -> dict[str, str]:
    """Names on the network: nothing but localhost, or what the host itself uses."""
    if not host_network:
        return {"/etc/hosts": _HOSTS}
    names = ("/etc/hosts", "/etc/resolv.conf")
    return {name: Path(name).read_text(errors="replace") for name in names if Path(name).exists()}


def mounts(wanted: Iterable[Mount]) -> list[str]:
    """Binds in order; a later one may lie inside an earlier one."""
    return [
        word for mount in wanted for word in ("--bind" if mount.writable else "--ro-bind", mount.source, mount.target)
    ]


def links(tools: Tools) -> list[str]:
    """The symbolic links that lead to tool chains; what they lie in is no mount, or has them already."""
    wanted = ((path, text) for path, text in tools.links.items() if _etc().isdisjoint((path, *path.parents)))
    return [word for path, text in wanted for word in ("--symlink", text, str(path))]


def masks(tools: Tools, spool: Callable[[bytes], int]) -> list[str]:
    """A harmless file, or an empty directory, over what could hold credentials."""
    words: list[str] = []
    for path, text in tools.masked_files.items():
        words += ["--ro-bind-data", str(spool(text.encode())), str(path)]
    for path in tools.masked_directories:
        words += ["--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path)]
    return words


def setenv(env: Mapping[str, str]) -> list[str]:
    """The whole environment of the command."""
    return [word for name, value in env.items() for word in ("--setenv", name, value)]
