"""Xcode projects on macOS: packages, pods, `xcodebuild`, its results. Written by the documentation; unproven.

Needs Xcode 16. A machine without xcodebuild skips all of it, says so, and vouches for nothing. Only shared schemes are
built and tested, of one platform: the one that most schemes with tests are for.
"""

import json
import posixpath
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from greylag import readers
from greylag.kinds import VENDORED, matches
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _tool, _xcodeproj
from greylag.verifiers._pyproject import below, text
from greylag.verifiers._tool import Plan, Step
from greylag.verifiers._xcodeproj import Project

_ABSENT = "needs macOS with Xcode"
_NO_XCODE = r"tool 'xcodebuild' requires Xcode|invalid active developer path|No developer tools were found"
_BROKEN_XCODE = rf"\A(?![\s\S]*(?:{_NO_XCODE}))"  # it cannot even say its version, and is there
_MACHINE = (
    r"greylag: (?:no simulator|xcresulttool cannot|\S+ cannot be removed)|Xcode license agreements|Agreeing to the X"
    r"|Unable to find a (?:device|destination) matching|is not installed\. Please download and install the platform"
)
_NETWORK = r"Could not resolve host|Failed to connect to|Couldn.t fetch updates|Couldn.t download|CDN: trunk"
_MANIFESTS = frozenset(
    {"project.pbxproj", "contents.xcworkspacedata", "Package.resolved", "Package.swift", "Podfile", "Podfile.lock"}
)
_PACKAGES = re.compile(r"XC(?:Remote|Local)SwiftPackageReference")
_OTHERS = re.compile(r"flutter|node_modules|react[-_]native|\bexpo\b", re.IGNORECASE)
_WORKSPACE = re.compile(r"^[ \t]*workspace[ \t(]+['\"]([\w./ +-]+)['\"]", re.MULTILINE)
_SOURCES = (".swift", ".m", ".mm", ".c", ".cc", ".cpp")
_UNTOUCHED = ("-disableAutomaticPackageResolution", "-skipPackageUpdates")
_TRUSTED = ("-skipMacroValidation", "-skipPackagePluginValidation")  # nobody is there to be asked
_TOOLS = {"xcode": ("xcodebuild", "-version")}


class Xcode:
    """Verifier of Xcode workspaces and projects: the outermost ones, without what other tools generate."""

    name = "xcode"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation where there are packages or pods, compilation, and tests where a shared scheme has some."""
        return [activation for project in _xcodeproj.find(tree) for activation in _activations(project, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = Xcode


def _activations(project: Project, tree: Tree) -> Iterator[Activation]:
    prefix, reason = "" if project.root == "." else f"{project.root}/", _reason(project)
    inside = [path for path in tree.paths() if below(path, project.root)]
    if cannot := _cannot(project, prefix, inside, tree):
        nothing = Step((), absent=cannot, title="xcodebuild")
        yield Activation("xcode", "xcodebuild build", Phase.COMPILE, project.root, reason, (), _plan(nothing))
        return
    inputs = tuple(p for p in inside if posixpath.basename(p) in _MANIFESTS and not matches(p, VENDORED))
    pods = f"{prefix}Podfile" in inputs and not any(path.startswith(f"{prefix}Pods/") for path in inside)
    container = _container(project, prefix, tree) if pods else project.container
    state = f"@home@/.greylag/xcode-{re.sub(r'[^A-Za-z0-9]+', '-', project.root)}"
    kind = "-workspace" if container.endswith(".xcworkspace") else "-project"
    kept = ("-derivedDataPath", f"{state}/build", "-clonedSourcePackagesDirPath", f"{state}/packages")
    place = (kind, f"./{container.removeprefix(prefix)}", *kept)
    packages = any(_PACKAGES.search(text(tree, path)) for path in inputs) or project.lock in inputs
    made = (f"/{prefix}Pods/", *((f"/{container}/",) if container != project.container else ())) if pods else ()
    if pods or packages:
        steps = [_pods(locked=f"{prefix}Podfile.lock" in inputs)] if pods else []
        steps += [_resolve(project, place, locked=project.lock in inputs)] if packages else []
        outputs = (*made, *((f"/{project.lock}",) if packages and project.lock not in inputs else ()))
        yield Activation("xcode", "xcode packages", Phase.PREPARE, project.root, reason, inputs, _plan(*steps), outputs)
    schemes = [scheme for scheme in project.schemes if scheme.platform == project.platform]
    tested = [scheme.name for scheme in schemes if scheme.tested]
    reports = tuple(f"{state}/tests-{number}.json" for number, _ in enumerate(tested))
    words = (*place, "-quiet", *_TRUSTED, *(_UNTOUCHED if packages else ()))
    asked = {"platform": project.platform, "arguments": words, "schemes": [scheme.name for scheme in schemes]}
    request, note = json.dumps({**asked, "tested": tested, "reports": reports}), _note(project)
    build = _plan(_run("build", request), note=note)
    yield Activation("xcode", "xcodebuild build", Phase.COMPILE, project.root, reason, (), build)
    if tested:
        sources = tuple(path for path in inside if path.endswith(_SOURCES))
        test = _plan(_run("test", request, reports, sources), note=note)
        yield Activation("xcode", "xcodebuild test", Phase.TEST, project.root, reason, (), test)


def _reason(project: Project) -> str:
    """The file that it goes by, and what of it can be used elsewhere than on the machine of who wrote it."""
    shared = [scheme.name for scheme in project.schemes]
    several = f"{len(shared)} shared schemes such as {shared[0]}" if shared else "no shared scheme"
    return f"{project.container}, " + (f"shared scheme {shared[0]}" if len(shared) == 1 else several)


def _note(project: Project) -> str:
    """What is there and left out."""
    others = [f"{s.name} ({s.platform})" for s in project.schemes if s.platform != project.platform]
    left = [*others, *(posixpath.basename(path) for path in project.beside)]
    more = f" and {len(left) - 5} more" if left[5:] else ""
    return f"schemes for {project.platform} only; left out: {', '.join(left[:5])}{more}" if left else ""


def _cannot(project: Project, prefix: str, inside: Sequence[str], tree: Tree) -> str:
    """Why nothing can be built here, whatever the machine."""
    if not project.schemes:
        return f"{project.container} has no shared scheme: share one in Xcode, and it will be built and tested"
    if _OTHERS.search(text(tree, f"{prefix}Podfile")):
        return f"{prefix}Podfile needs packages of Flutter or Node, which are not prepared for it"
    built = [text(tree, f"{path}/project.pbxproj") for path in project.projects]
    built.append(text(tree, f"{project.container}/contents.xcworkspacedata"))
    tracked = any(path.startswith(f"{prefix}Carthage/") for path in inside)
    if f"{prefix}Cartfile" in inside and not tracked and any("Carthage/" in source for source in built):
        return f"{prefix}Cartfile names what Carthage would have to build, which is not run"
    return ""


def _container(project: Project, prefix: str, tree: Tree) -> str:
    """The workspace that CocoaPods makes, or adds its pods to."""
    if project.container.endswith(".xcworkspace"):
        return project.container
    hit = _WORKSPACE.search(text(tree, f"{prefix}Podfile"))
    own = posixpath.basename(project.container).removesuffix(".xcodeproj")
    name = posixpath.basename(hit[1]).removesuffix(".xcworkspace") if hit else own
    return f"{prefix}{name}.xcworkspace"


def _plan(*steps: Step, note: str = "") -> Plan:
    """The question for Xcode comes first, before any code of the repository runs."""
    there = Step((("xcodebuild",),), ("-version",), absent=_ABSENT, untold=_NO_XCODE, unable=_BROKEN_XCODE)
    return Plan((there, *steps), _TOOLS, note)


def _pods(*, locked: bool) -> Step:
    words = ("install", *(("--deployment",) if locked else ()))
    return Step((("pod",),), words, install="install CocoaPods", env={"COCOAPODS_DISABLE_STATS": "1"}, unable=_NETWORK)


def _resolve(project: Project, place: Sequence[str], *, locked: bool) -> Step:
    words = (*place, "-scheme", project.schemes[0].name, *_TRUSTED)
    words = (*words, *(("-onlyUsePackageVersionsFromResolvedFile",) if locked else ()))
    title = "xcodebuild -resolvePackageDependencies"
    unable = f"{_MACHINE}|{_NETWORK}"
    return Step(
        (("xcodebuild",),), ("-resolvePackageDependencies", *words), install=_ABSENT, unable=unable, title=title
    )


@cache
def _program() -> str:
    return Path(__file__).with_name("_xcode_inside.py").read_text("utf-8")


def _run(verb: str, request: str, reports: tuple[str, ...] = (), sources: tuple[str, ...] = ()) -> Step:
    words = ("-I", "-S", "@files@/xcode.py", verb, "@files@/xcode.json", "-jobs", "@cpus@")
    return Step(
        ((sys.executable,),),
        words,
        files={"xcode.py": _program(), "xcode.json": request},
        reports=reports,
        read_report=partial(readers.xcresult_json, files=sources) if reports else None,
        read_log=readers.native_text,
        again=(lambda failed: (*words, *_only(failed))) if reports else None,
        unable=_MACHINE,
        title=f"xcodebuild {verb}",
    )


def _only(failed: Sequence[Diagnostic]) -> list[str]:
    return list(dict.fromkeys(f"-only-testing:{d.test}" for d in failed))
