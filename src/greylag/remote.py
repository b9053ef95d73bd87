"""Where a repository is, how it may be reached, and how a commit of greylag's gets there."""

import base64
import os
import re
import shlex
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from greylag.errors import UserError
from greylag.git import SETTINGS, Git, printable

_NETWORK = ("HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository to fetch from or push to: a URL that git understands, `path` when it is on this machine."""

    url: str
    path: Path | None = None
    token: str | None = None

    @classmethod
    def of(cls, name: str, token: str | None = None) -> "Remote":
        """From a path, a `file://`, `https://`, `http://` or `ssh://` URL, or `user@host:path`.

        Raises `UserError` for anything else, for a password in the URL, and for a token that would travel in clear.
        """
        if "://" not in name and not re.match(r"[\w.-]+@[\w.-]+:", name):
            return cls._local(Path(name).expanduser(), name)
        parts = urllib.parse.urlsplit(name) if "://" in name else urllib.parse.SplitResult("ssh", "", name, "", "")
        if parts.scheme == "file":
            return cls._local(Path(urllib.parse.unquote(parts.path)), name)
        if parts.scheme not in {"https", "http", "ssh"}:
            raise UserError(f"repository `{printable(name)}`: use a path or an https, ssh or file URL")
        if parts.password is not None:
            clean = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
            raise UserError(f"the URL of {printable(clean)} contains a password; name a token in the forge's settings")
        if parts.scheme == "http" and token and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise UserError(f"{printable(name)} would send the token in clear; use https")
        return cls(name, None, token if parts.scheme != "ssh" else None)

    @classmethod
    def _local(cls, path: Path, name: str) -> "Remote":
        if not path.is_dir():
            raise UserError(f"no repository at `{printable(name)}`; give a path or a URL that exists")
        return cls(str(path.resolve()), path.resolve())

    def config(self) -> dict[str, str]:
        """Settings for a transfer: the token as a header for this repository's URL and no other."""
        if self.token is None:
            return {}
        basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        return {f"http.{self.url}.extraHeader": f"Authorization: Basic {basic}"}

    def environment(self) -> dict[str, str]:
        """Variables of the user's that a transfer needs: proxies and certificates, for ssh also the agent."""
        names: tuple[str, ...] = ()
        if self.path is None:
            names = (*_NETWORK, *_CERTIFICATES)
            if not self.url.startswith("http"):
                names = (*names, "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK")
        return {name: os.environ[name] for name in names if name in os.environ}

    def service(self, name: str) -> list[str]:
        """Option that hardens the other side, `upload-pack` or `receive-pack`, where that is on this machine.

        A repository's own hooks do not run. As root, a repository is written to as its owner, so that nothing in it
        belongs to root afterwards.
        """
        if self.path is None:
            return []
        keys = ("core.hooksPath", "core.fsmonitor", "core.alternateRefsCommand", "gc.auto", "receive.autogc")
        command = ["git", *(part for key in keys for part in ("-c", f"{key}={SETTINGS[key]}")), name]
        owner = self.path.stat()
        if name == "receive-pack" and os.geteuid() == 0 and owner.st_uid:
            ids = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
            command = ["setpriv", *ids, "env", f"GIT_CONFIG_GLOBAL={os.devnull}", "HOME=/", *command]
        return [f"--{name}={shlex.join(command)}"]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit in greylag's own clone; fits `greylag.protocols.Pushable`."""

    commit: str
    tree: str
    base: str
    git: Git = field(repr=False, compare=False)

    def push(self, url: str, branch: str, *, expect: str | None, token: str | None = None) -> None:
        """Push with a lease: the remote branch must be at `expect` (None: must not exist)."""
        raise NotImplementedError

    def save(self, destination: Path) -> None:
        """Keep the commit as a git bundle that needs the base commit."""
        raise NotImplementedError
