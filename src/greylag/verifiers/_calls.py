"""Which scripts of which packages a command runs, when it runs scripts and does nothing else.

Followed is only what is certain: one script by its name or prefix, here, in all members of the workspace or in one that
is named, with arguments only here. Filters and tools with a plan of their own (turbo, nx, lerna) are not: no calls are
found, and the command is run as it stands.
"""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from greylag.verifiers._package import Package, Project

Call = tuple[Package, str, str]  # the last are arguments for the script, as a shell would read them

_RUN = ("run", "run-script")
_NAME = re.compile(r"[\w:.-]+")
_PREFIX = re.compile(r"/\^?([\w:-]+)(?:\.[*+])?/")  # pnpm's choice of scripts: /^test:.*/
_HARMLESS = re.compile(
    r"-s|--(?:silent|if-present|parallel|stream|aggregate-output|reverse|reporter-hide-prefix|loglevel=\w+)"
    r"|--(?:no-)?(?:bail|sort|color)|--(?:workspace-concurrency=\d+|reporter=[\w-]+|include-workspace-root)"
)
_EVERYWHERE = {
    "npm": ("-ws", "--workspaces", "--workspaces=true"),
    "pnpm": ("-r", "--recursive"),
    "yarn": (),
    "bun": (),
}
_CHOSEN = ("-w", "--workspace")  # npm's, with a name or a directory behind it
_ALIASES = {"t": "test", "tst": "test"}
_OF_NPM = ("test", "start", "stop", "restart", *_ALIASES)  # scripts that need no `run`
_OWN = re.compile(  # commands of pnpm and yarn that are no scripts, whatever scripts there are
    r"i|install|add|exec|dlx|audit|pack|publish|why|list|ls|update|up|link|remove|rm|create|init|node|config|info"
    r"|import|dedupe|workspaces?"
)
_CLASSIC = re.compile(r"yarn(?: -s| --silent)? workspaces(?: -s| --silent)? run ([\w:.-]+)")
_FOREACH = re.compile(
    r"yarn workspaces foreach(?: (?:-[AWaptvi]+|--(?:all|worktree|parallel|interlaced|topological(?:-dev)?|verbose)"
    r"|(?:-j|--jobs) \d+))* run ([\w:.-]+)"
)
_ONE = re.compile(r"yarn(?: -s| --silent)? workspace (\S+) (?:run )?([\w:.-]+)")
_LISTS = ("npm-run-all", "run-s", "run-p")


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked of a package manager: a script, and options."""

    manager: str
    script: str
    flags: tuple[str, ...]

    @property
    def everywhere(self) -> bool:
        return any(flag in self.flags for flag in _EVERYWHERE[self.manager])

    @property
    def places(self) -> list[str]:
        """Members that npm is told to go to."""
        return [flag.partition("=")[2] for flag in self.flags if flag.startswith("--workspace=")]

    @property
    def certain(self) -> bool:
        special = (*_EVERYWHERE[self.manager], *(f"--workspace={place}" for place in self.places))
        return all(flag in special or _HARMLESS.fullmatch(flag) for flag in self.flags)


def called(project: Project, package: Package, command: str) -> list[Call]:
    """Scripts that a command of a script of `package` runs, in their order; none when that is not certain."""
    words = [word.strip("\"'") for word in command.split()]
    if words[:1] and words[0] in _LISTS:
        return [(package, name, "") for name in _listed(package, words[1:])]
    if words[:1] == ["yarn"] and {"workspace", "workspaces"} & set(words[1:3]):
        return _of_yarn(project, package, " ".join(words))
    if not words[:1] or words[0] not in _EVERYWHERE:
        return []
    at = _behind(words)
    request = _request(words[:at])
    calls = _found(project, package, request) if request and request.certain else []
    more = command.split()[at + (words[0] == "npm") :]
    if not request or not more:
        return calls
    here = len(calls) == 1 and not request.everywhere and not request.places and more[0] != "--"
    return [(place, name, " ".join(more)) for place, name, _ in calls] if here else []


def _behind(words: Sequence[str]) -> int:
    """Where arguments for the script begin: behind npm's mark, behind the script's name for the others."""
    if words[0] == "npm":
        return words.index("--") if "--" in words else len(words)
    names = (at for at, word in enumerate(words) if at and word not in _RUN and not word.startswith("-"))
    return next(names, len(words)) + 1


def _listed(package: Package, words: Sequence[str]) -> list[str]:
    globs = [word for word in words if not word.startswith("-")]
    if not all(re.fullmatch(r"[\w:.*-]+", glob) for glob in globs):
        return []
    return [name for glob in globs for name in package.scripts if fnmatchcase(name, glob)]


def _request(words: Sequence[str]) -> _Request | None:
    manager, rest = words[0], _joined(words)
    plain = [word for word in rest if not word.startswith("-")]
    explicit = plain[:1] != [] and plain[0] in _RUN
    names = plain[explicit:]
    if len(names) != 1:
        return None
    name = names[0]
    if not explicit and (manager == "bun" or (name not in _OF_NPM if manager == "npm" else _OWN.fullmatch(name))):
        return None
    return _Request(
        manager, name if explicit else _ALIASES.get(name, name), tuple(word for word in rest if word.startswith("-"))
    )


def _joined(words: Sequence[str]) -> list[str]:
    """The arguments, with npm's `-w NAME` as one word."""
    rest, out = list(words[1:]), list[str]()
    while rest:
        word = rest.pop(0)
        out.append(f"--workspace={rest.pop(0)}" if words[0] == "npm" and rest and word in _CHOSEN else word)
    return out


def _found(project: Project, package: Package, request: _Request) -> list[Call]:
    if not request.everywhere and not request.places:
        return _in_some((package,), request.script)
    if package is not project.package or request.manager != project.manager.name:
        return []
    if request.places:
        packages = [member for place in request.places for member in _named(project, place)]
        return _in_all(packages, request.script) if len(packages) == len(request.places) else []
    root = (package,) if "--include-workspace-root" in request.flags else ()
    strict = request.manager == "npm" and "--if-present" not in request.flags
    return (_in_all if strict else _in_some)((*root, *project.members), request.script)


def _of_yarn(project: Project, package: Package, line: str) -> list[Call]:
    if package is not project.package or project.manager.name != "yarn":
        return []
    if hit := _CLASSIC.fullmatch(line):
        return _in_all(project.members, hit[1])
    if hit := _FOREACH.fullmatch(line):
        return _in_some((package, *project.members), hit[1])
    hit = _ONE.fullmatch(line)
    return _in_all(_named(project, hit[1]), hit[2]) if hit else []


def _named(project: Project, place: str) -> list[Package]:
    """The member of that name or directory."""
    path = posixpath.normpath(posixpath.join(project.package.root, place))
    return [member for member in project.members if place == member.name or path == member.root][:1]


def _in_all(packages: Sequence[Package], script: str) -> list[Call]:
    """None when one of them has no such script: the command fails then, and is to be seen to fail."""
    calls = _in_some(packages, script)
    return calls if {package.root for package, *_ in calls} == {package.root for package in packages} else []


def _in_some(packages: Sequence[Package], script: str) -> list[Call]:
    return [(package, name, "") for package in packages for name in _chosen(package, script)]


def _chosen(package: Package, script: str) -> list[str]:
    if prefix := _PREFIX.fullmatch(script):
        return [name for name in package.scripts if name.startswith(prefix[1])]
    return [script] if _NAME.fullmatch(script) and script in package.scripts else []
