"""What Xcode projects say of themselves, read from their files; nothing is run and nothing raises.

Lines of a project.pbxproj are read as Xcode, XcodeGen and CocoaPods write them. Settings that a build would have to
evaluate are not: where neither target, project, name nor xcconfig files name a platform, it is Xcode's default, macOS.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from greylag.kinds import VENDORED, matches
from greylag.protocols import Tree
from greylag.verifiers._evidence import outermost
from greylag.verifiers._pyproject import FOREIGN, below, text

PLATFORMS = {"macOS": "macosx", "iOS": "iphone", "tvOS": "appletv", "visionOS": "xr", "watchOS": "watch"}  # as in SDKs
_CONTAINER = re.compile(r"(?:.*/)?[^/]+\.(?:xcworkspace/contents\.xcworkspacedata|xcodeproj/project\.pbxproj)")
_OTHERS = FOREIGN - {"test", "tests", "testing"}  # what a workspace lists there is no material
_WITHIN = (".xcodeproj", ".xcworkspace", ".playground")
_SCHEME = re.compile(r"xcshareddata/xcschemes/([^/-][^/]*)\.xcscheme")
_LOCATION = re.compile(r'location\s*=\s*"([^"]{1,1000})"')
_TESTABLE = re.compile(r"<TestableReference([^>]{0,500})>")
_LEFT_OUT = re.compile(r'skipped\s*=\s*"YES"')
_BLUEPRINT = re.compile(r'BlueprintIdentifier\s*=\s*"([^"]{1,100})"')
_OBJECT = re.compile(r"\t\t(\w{1,100})(?: /\*.*\*/)? = \{")
_SETTINGS = re.compile(r'\b(SDKROOT|SUPPORTED_PLATFORMS)\s*=\s*"?([A-Za-z][\w. ]*)')
_LIST = 2000  # characters of a list of configurations that are looked at
_TARGET = re.compile(r"isa = PBX\w{0,50}Target;")
_CONFIGURATIONS = re.compile(r"buildConfigurationList = (\w{1,100})")
_LIST_ITEM = re.compile(r"^\t\t\t\t(\w{1,100})", re.MULTILINE)
_NAMED = re.compile(rf"(?<![A-Za-z])({'|'.join(PLATFORMS)})(?![a-z])")


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme that is shared, so that other machines have it."""

    name: str
    platform: str
    tested: bool


@dataclass(frozen=True, slots=True)
class Project:
    """A workspace, or a project that is in none; `container` is its path. `projects` are paths of `.xcodeproj`."""

    root: str
    container: str
    projects: tuple[str, ...]
    schemes: tuple[Scheme, ...]
    beside: tuple[str, ...]  # other ones in the same directory, which are not looked at

    @property
    def platform(self) -> str:
        """The platform that most schemes with tests are for; of several, the one that needs no simulator."""
        tested = [s.platform for s in self.schemes if s.tested] or [s.platform for s in self.schemes]
        return max(PLATFORMS, key=tested.count)

    @property
    def lock(self) -> str:
        """Where Xcode keeps the versions of packages."""
        inner = "" if self.container.endswith(".xcworkspace") else "/project.xcworkspace"
        return f"{self.container}{inner}/xcshareddata/swiftpm/Package.resolved"


def find(tree: Tree) -> Iterator[Project]:
    """One for each outermost directory that has any: the one with tests, and rather a workspace."""
    found = [path for path in tree.paths() if _CONTAINER.fullmatch(path) and _own(path, _OTHERS)]
    places: dict[str, list[str]] = {}
    for container in (posixpath.dirname(path) for path in found if _own(path)):
        places.setdefault(posixpath.dirname(container) or ".", []).append(container)
    schemes = _schemes(tree)
    for root in outermost(places):
        near = [posixpath.dirname(path) for path in found if path.endswith(".pbxproj") and below(path, root)]
        projects = [_project(path, near, schemes, tree) for path in places[root]]
        best = max(projects, key=_worth)
        beside = {path for path in places[root] if path not in {best.container, *best.projects}}
        others = tuple(sorted(p for p in beside if p.endswith(".xcodeproj")))
        yield Project(best.root, best.container, best.projects, best.schemes, others)


def _own(path: str, foreign: frozenset[str] = FOREIGN) -> bool:
    """Whether it is neither a part of something else, nor generated, nor material such as an example."""
    parts = posixpath.dirname(posixpath.dirname(path)).split("/")
    inner = any(part.endswith(_WITHIN) or part.startswith(".") for part in parts)
    return not (inner or foreign & {part.lower() for part in parts} or matches(path, VENDORED))


def _worth(project: Project) -> tuple[bool, bool, bool]:
    tested = any(scheme.tested for scheme in project.schemes)
    return tested, bool(project.schemes), project.container.endswith(".xcworkspace")


def _schemes(tree: Tree) -> Mapping[str, list[tuple[str, str]]]:
    """Names and paths of shared schemes by what they belong to."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in tree.paths():
        container, _, rest = path.partition("/xcshareddata/")
        if rest and (hit := _SCHEME.fullmatch(f"xcshareddata/{rest}")):
            found.setdefault(container, []).append((hit[1], path))
    return found


def _project(container: str, near: Sequence[str], shared: Mapping[str, list[tuple[str, str]]], tree: Tree) -> Project:
    root = posixpath.dirname(container) or "."
    projects = [container]
    if container.endswith(".xcworkspace"):
        places = _LOCATION.findall(text(tree, f"{container}/contents.xcworkspacedata"))
        listed = {posixpath.basename(place.rpartition(":")[2]) for place in places}
        projects = [path for path in near if posixpath.basename(path) in listed]
    files = dict(entry for place in (*projects, container) for entry in shared.get(place, ()))
    targets = {
        key: value for path in projects for key, value in _targets(text(tree, f"{path}/project.pbxproj")).items()
    }
    general = _general(tree, root) if files else ""
    schemes = tuple(_scheme(name, text(tree, path), targets, general) for name, path in sorted(files.items()))
    return Project(root, container, tuple(projects), schemes, ())


def _scheme(name: str, source: str, targets: Mapping[str, str], general: str) -> Scheme:
    """Its platform is that of what it tests, else of what it builds."""
    before, _, rest = source.partition("<TestAction")
    test = rest.partition("</TestAction>")[0]
    tested = "<TestPlanReference" in test or any(not _LEFT_OUT.search(hit) for hit in _TESTABLE.findall(test))
    blueprints = [*_BLUEPRINT.findall(test), *_BLUEPRINT.findall(before)]
    platform = next((targets[key] for key in blueprints if targets.get(key)), "")
    hit = _NAMED.search(name)
    return Scheme(name, platform or (hit[1] if hit else "") or general or next(iter(PLATFORMS)), tested)


def _targets(source: str) -> dict[str, str]:
    """Platforms of the targets in a project.pbxproj, by their ids; nothing where settings do not name one."""
    objects = dict(_objects(source))
    settings = {key: dict(_SETTINGS.findall(body)) for key, body in objects.items()}
    lists = {
        key: _LIST_ITEM.findall(body[:_LIST]) for key, body in objects.items() if "isa = XCConfigur" in body[:_LIST]
    }

    def said(body: str) -> dict[str, str]:
        hit = _CONFIGURATIONS.search(body)
        keys = lists.get(hit[1], ()) if hit else ()
        return {name: value for key in keys for name, value in settings.get(key, {}).items()}

    default = next((said(body) for body in objects.values() if "isa = PBXProject;" in body), {})
    found = {key: body for key, body in objects.items() if _TARGET.search(body)}
    return {key: _platform({**default, **said(body)}) for key, body in found.items()}


def _objects(source: str) -> Iterator[tuple[str, str]]:
    """Ids and bodies of the objects in a project.pbxproj, by their indentation."""
    key, lines = "", list[str]()
    for line in source.split("\n"):
        if not key and (hit := _OBJECT.match(line[:1000])):
            key, lines = hit[1], [line[hit.end() :]]
        elif key:
            lines.append(line)
        if key and line.endswith("};") and (line.startswith("\t\t};") or len(lines) == 1):
            yield key, "\n".join(lines)
            key = ""


def _platform(settings: Mapping[str, str]) -> str:
    """The first platform of `PLATFORMS` that settings name."""
    words = (settings.get("SUPPORTED_PLATFORMS") or settings.get("SDKROOT", "")).split()
    return next((name for name, sdk in PLATFORMS.items() if any(word.startswith(sdk) for word in words)), "")


def _general(tree: Tree, root: str) -> str:
    """The platform that xcconfig files of the repository name."""
    paths = (path for path in tree.paths() if path.endswith(".xcconfig") and below(path, root) and _own(path))
    return _platform({name: value for path in paths for name, value in _SETTINGS.findall(text(tree, path))})
