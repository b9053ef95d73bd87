"""Solutions and projects of .NET: restore, build, and `dotnet test` by VSTest. Written by the documentation; unproven.

Packages are restored by the preparation, in locked mode where there are lock files; later phases neither restore nor
build again what is built. Tests on Microsoft.Testing.Platform write no TRX this way, so they are not counted.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import partial

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _evidence, _tool
from greylag.verifiers._files import roots
from greylag.verifiers._plan import Again
from greylag.verifiers._pyproject import below, text
from greylag.verifiers._tool import Plan, Reader, Step

_SOLUTIONS, _PROJECTS = (".slnx", ".sln"), (".csproj", ".fsproj", ".vbproj")
_TESTS = re.compile(r"Microsoft\.NET\.Test\.Sdk|<IsTestProject>\s*true|MSTest\.Sdk", re.IGNORECASE)
_DECIDING = re.compile(
    r"(?:.*/)?(?:[^/]+\.(?:slnx?|csproj|fsproj|vbproj|props|targets)|packages\.lock\.json|global\.json|nuget\.config"
    r"|dotnet-tools\.json)",
    re.IGNORECASE,
)
_MACHINE = r"compatible \.NET SDK was not found|\bNETSDK1(?:045|100|147)\b|You must install or update \.NET to run"
_NETWORK = r"\bNU1301\b|Unable to load the service index|The HTTP request to '[^']*' (?:with|has) timed out"


class DotNet:
    """Verifier of .NET: the outermost solutions, and projects that lie in the directory of none."""

    name = "dotnet"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, compilation, and tests where there is a project for them."""
        return [activation for target in _targets(tree) for activation in _activations(target, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = DotNet


def _targets(tree: Tree) -> list[str]:
    """One file for each outermost directory: a solution, else a project."""
    found: dict[str, str] = {}
    for endings in (_SOLUTIONS, _PROJECTS):
        outermost = _evidence.outermost(roots(tree, partial(_ends, endings)))
        for root in (root for root in outermost if not any(root == up or below(root, up) for up in found)):
            here = [path for path in tree.paths() if (posixpath.dirname(path) or ".") == root]
            found[root] = next(path for ending in endings for path in here if path.endswith(ending))
    return list(found.values())


def _ends(endings: tuple[str, ...], name: str) -> bool:
    return name.endswith(endings)


def _activations(target: str, tree: Tree) -> Iterator[Activation]:
    root, file = posixpath.dirname(target) or ".", f"./{posixpath.basename(target)}"
    inputs = tuple(path for path in tree.paths() if below(path, root) and _DECIDING.fullmatch(path))
    locked = ("--locked-mode",) if any(path.endswith("packages.lock.json") for path in inputs) else ()
    tools = {"dotnet": ("dotnet", "--version")}
    restore = Plan((_dotnet("restore", file, *locked, unable=f"{_MACHINE}|{_NETWORK}"),), tools)
    yield Activation("dotnet", "dotnet restore", Phase.PREPARE, root, target, inputs, restore, ("obj/",))
    build = Plan((_dotnet("build", file, "--no-restore", "-nologo", "-maxcpucount:@cpus@"),), tools)
    yield Activation("dotnet", "dotnet build", Phase.COMPILE, root, target, (), build)
    tested = (path for path in inputs if path.endswith(_PROJECTS) and _TESTS.search(text(tree, path)))
    if project := next(tested, ""):
        words = ("test", file, "--no-build", "--logger", "trx")
        step = _dotnet(
            *words,
            report="**/TestResults/*.trx",
            read=readers.trx,
            again=lambda failed: (*words, "--filter", _only(failed)),
        )
        yield Activation("dotnet", "dotnet test", Phase.TEST, root, project, (), Plan((step,), tools))


def _only(failed: Sequence[Diagnostic]) -> str:
    """The methods of failed tests, with all of their arguments."""
    methods = dict.fromkeys(re.sub(r"[^\w.+].*", "", str(d.test), flags=re.DOTALL) for d in failed)
    return "|".join(f"FullyQualifiedName~{method}" for method in methods if method)


def _dotnet(
    *words: str,
    report: str = "",
    read: Reader | None = None,
    again: Again | None = None,
    unable: str = _MACHINE,
) -> Step:
    return Step(
        (("dotnet",),),
        words,
        install="install the .NET SDK",
        env={
            "DOTNET_CLI_HOME": "@home@",
            "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
            "DOTNET_NOLOGO": "1",
            "NUGET_PACKAGES": "@home@/.nuget/packages",
            "MSBUILDDISABLENODEREUSE": "1",
            "MSBUILDTERMINALLOGGER": "off",
        },
        reports=(report,) if report else (),
        read_report=read,
        read_log=readers.msbuild_text,
        again=again,
        unable=unable,
        title=f"dotnet {words[0]}",
    )
