"""Package managers of JavaScript: where they come from, and how they are asked for things."""

from collections.abc import Sequence
from dataclasses import dataclass

RELEASE = "GREYLAG_YARN"  # variable: yarn's own program in the repository
_INSTALL = (
    '{there} || {{ mkdir -p "$1" && cd "$1"'
    ' && npm install --global --prefix "$1" --ignore-scripts --no-audit --no-fund "$3"{then}; }}'
)
_OF_BUN = " && cd lib/node_modules/bun && node install.js"  # which puts the program of this machine in its place
_SHIM = (
    'mkdir -p "$1/bin" && cd "$1/bin" && printf \'%s\\n\' "#!/bin/sh" \'exec node "$'
    + RELEASE
    + '" "$@"\' >yarn && chmod +x yarn'
)


@dataclass(frozen=True, slots=True)
class Manager:
    """A package manager: how it comes, is started, installs; `version` is empty where nothing pins it."""

    name: str
    version: str
    lock: str  # file name, empty when there is none
    berry: bool = False
    release: str = ""  # yarn's own program in the repository
    pnp: bool = False  # no node_modules: only the package manager can start a dependency's program

    @property
    def programs(self) -> tuple[tuple[str, ...], ...]:
        """The beginning of its command line. What preparation has put into `directory` is found first."""
        return (("node", self.release),) if self.release else ((self.name,),)

    @property
    def directory(self) -> str:
        """Where preparation puts it, and scripts find it; npm comes with Node.js."""
        name = f"{self.name}{'-berry' if self.berry else ''}-{self.version or 'any'}"
        return "" if self.name == "npm" else f"@home@/.greylag/{name}"

    @property
    def paths(self) -> tuple[str, ...]:
        """Where its program is, beside the machine's."""
        return (f"{self.directory}/bin",) if self.directory else ()

    @property
    def provision(self) -> tuple[str, ...]:
        """Arguments for a shell that make its program: a pinned one and yarn 2 or later always, another one where the
        machine has none.

        npm is started where it sees no project of the repository: neither its workspaces nor its settings are npm's.
        """
        if not self.directory:
            return ()
        if self.release:
            return ("-c", _SHIM, "sh", self.directory)
        certain = self.berry or self.version.count(".") == 2  # the yarn of a machine is mostly yarn 1
        there = '[ -x "$1/bin/$2" ]' if certain else 'command -v "$2" >/dev/null'
        then = _OF_BUN if self.name == "bun" else ""
        return ("-c", _INSTALL.format(there=there, then=then), "sh", self.directory, self.name, self.package)

    @property
    def package(self) -> str:
        """What npm is asked for to have it."""
        known = {
            "pnpm": ("pnpm", "9"),
            "bun": ("bun", "1"),
            "yarn": ("@yarnpkg/cli-dist", "4") if self.berry else ("yarn", "1"),
        }
        name, version = known.get(self.name, (self.name, ""))
        return f"{name}@{self.version or version}"

    @property
    def install(self) -> tuple[str, ...]:
        """Arguments that install what the lock file says, and fail when package.json says otherwise."""
        if self.name == "npm":
            return ("ci" if self.lock else "install", "--no-audit", "--no-fund", "--no-progress")
        if self.name == "pnpm":
            return ("install", "--frozen-lockfile" if self.lock else "--no-frozen-lockfile")
        if self.name == "bun":
            return ("install", *(("--frozen-lockfile",) if self.lock else ()))
        if self.berry:
            return ("install", "--immutable" if self.lock else "--no-immutable")
        return ("install", "--non-interactive", *(("--frozen-lockfile",) if self.lock else ()))

    def script(self, name: str, arguments: Sequence[str] = ()) -> tuple[str, ...]:
        """Arguments that run a script of package.json with more arguments behind it."""
        quiet = ("--silent",) if self.name == "npm" else ()
        return ("run", *quiet, name, *(("--", *arguments) if arguments and self.name == "npm" else arguments))

    def binary(self, *command: str) -> tuple[str, ...]:
        """Arguments that run a program that a dependency brings."""
        return {"npm": ("exec", "--no", "--"), "pnpm": ("exec",)}.get(self.name, ("run",)) + command
