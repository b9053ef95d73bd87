"""Where a repository is, how it may be reached, and how a commit of greylag's gets there."""

import base64
import os
import re
import shlex
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from greylag.errors import GreylagError, InfraError, UserError
from greylag.git import SETTINGS, Git, GitError, disk, printable

_NETWORK = ("HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository to fetch from or push to: a URL that git understands, `path` when it is on this machine."""

    url: str
    path: Path | None = None
    token: str | None = field(default=None, repr=False)

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

    def run(self, git: Git, *arguments: str) -> bytes:
        """Run git for a transfer with this repository."""
        return git.run(*arguments, env=self.environment(), config=self.config())

    def service(self, name: str) -> list[str]:
        """Option that hardens the other side, `upload-pack` or `receive-pack`, where that is on this machine.

        A repository's own hooks do not run. As root, a repository is written to as its owner, so that nothing in it
        belongs to root afterwards.
        """
        if self.path is None:
            return []
        keys = ("core.hooksPath", "core.fsmonitor", "core.alternateRefsCommand", "gc.auto", "receive.autogc")
        command = ["git", *(part for key in keys for part in ("-c", f"{key}={SETTINGS[key]}")), name]
        command[1:1] = ["-c", "receive.denyCurrentBranch=refuse"]
        owner = self.path.stat()
        if name == "receive-pack" and os.geteuid() == 0 and owner.st_uid:
            ids = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
            command = ["setpriv", *ids, "env", f"GIT_CONFIG_GLOBAL={os.devnull}", "HOME=/", *command]
        return [f"--{name}={shlex.join(command)}"]


def explain(error: GitError, remote: Remote) -> GreylagError:
    """Who must act after a transfer that failed, in one line."""
    where, said = printable(remote.url), error.errors + error.report
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, said):
            return UserError(f"{where} {remedy}")
    if rejected := re.search(r"\[(?:remote )?rejected\] \((.+)\)", said):
        return UserError(f"{where} refuses the push: {printable(rejected[1])}; allow greylag's branches there")
    if remote.path is not None and "fatal:" in said and not re.search(r"index-pack|unpack|timed out", said):
        return UserError(f"{where} cannot be used as a git repository: {error}")
    return InfraError(f"{where}: {error}")


_REMEDIES = (
    (
        r"insufficient permission for adding an object|unable to create temporary object directory"
        r"|unpacker error|unable to create .*: Permission denied",
        "cannot be written by this user; run greylag as its owner, or give this user the right to write",
    ),
    (r"does not appear to be a git repository|not a git repository", "is not a git repository; name one"),
    (
        r"[Rr]epository not found|[Rr]epository .* not found|does not exist",
        "does not exist or may not be read; check URL and token",
    ),
    (
        r"Authentication failed|could not read Username|could not read Password|error: 40[13]",
        "refuses access; name a token for it in the forge's settings",
    ),
    (
        r"Permission denied \(|Host key verification failed",
        "refuses access by ssh; load a key into the ssh agent and accept the host key",
    ),
    (r"branch is currently checked out", "has that branch checked out; switch to another one there"),
    (r"mismatched algorithms|unsupported hash", "uses SHA-256 object names, which greylag cannot handle yet"),
    (r"transport '.*' not allowed", "uses a transport that is not allowed; use a path or an https, ssh or file URL"),
    (r"unable to update url base from redirection|redirect", "has moved; use its new URL"),
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit in greylag's own clone; fits `greylag.protocols.Pushable`."""

    commit: str
    tree: str
    base: str
    committer: str  # address
    git: Git = field(repr=False, compare=False)

    def push(self, url: str, branch: str, *, expect: str | None, token: str | None = None) -> None:
        """Push with a lease: the remote branch must be at `expect` (None: must not exist) or at this commit already.

        Raises `UserError` when it is elsewhere: somebody has taken the branch over.
        """
        remote, ref = Remote.of(url, token), f"refs/heads/{branch}"
        lease = f"--force-with-lease={ref}:{expect or ''}"
        options = ["--porcelain", "--no-verify", "--no-follow-tags", lease, *remote.service("receive-pack")]
        try:
            remote.run(self.git, "push", *options, "--", remote.url, f"{self.commit}:{ref}")
        except GitError as error:
            if head(self.git, remote, branch) == self.commit:
                return  # an earlier push whose answer was lost
            if "stale info" in error.report or "already exists" in error.report:
                raise UserError(
                    f"branch `{branch}` of {printable(remote.url)} has commits that are not greylag's: it is handed "
                    "over; merge, close or delete it"
                ) from error
            raise explain(error, remote) from error

    def save(self, destination: Path) -> None:
        """Keep the commit as a git bundle (`git fetch FILE BRANCH` reads it) that needs the base commit."""
        names = self.git.text("for-each-ref", "--format=%(refname)", f"--points-at={self.commit}", "refs/heads")
        bundle = self.git.run("bundle", "create", "--quiet", "-", *names.splitlines(), f"^{self.base}")
        with disk(destination):
            destination.write_bytes(bundle)


def head(git: Git, remote: Remote, branch: str) -> str | None:
    """The commit that a branch of a repository is at; None when it does not exist."""
    ref = f"refs/heads/{branch}"
    try:
        listed = remote.run(git, "ls-remote", *remote.service("upload-pack"), "--", remote.url, ref).decode()
    except GitError as error:
        raise explain(error, remote) from error
    return next((line.split("\t")[0] for line in listed.splitlines() if line.endswith(f"\t{ref}")), None)
