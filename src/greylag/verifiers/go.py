"""Go modules and workspaces: gofmt, go vet, go build, go test, and golangci-lint where the repository configures it.

Preparation downloads the modules of go.mod and go.sum, and the tool chain that go.mod asks for, where the machine's Go
may fetch one. Later phases run with `GOPROXY=off`. Nothing edits go.mod: what is missing there is an error.
"""

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _goimports, _gomod, _tool
from greylag.verifiers._gomod import Unit
from greylag.verifiers._plan import Again
from greylag.verifiers._tool import Plan, Reader, Step

_GO = {"go": ("go", "version")}
_OFFLINE = {"GOPROXY": "off"}
_SHARE = "-p=@cpus@"
_MACHINE = (  # words of the go command: a test's own stand in JSON, in lines that begin with a brace
    r"(?m)^(?!\{).*?(?:requires go >= \S+ \(running go |go: download go1\.\d|note: module requires Go \d"
    r"|invalid go version '1\.\d+\.\d+': must match|unknown \w+(?: type)?: (?:toolchain|tool|godebug|ignore)$"
    r"|module lookup disabled by GOPROXY=off|executable file not found in \$PATH|in the pkg-config search path"
    r"|[Nn]o space left on device|[Cc]annot allocate memory|(?:compile|link|asm|cgo|vet): signal: killed)"
)
_NETWORK = (
    r"dial tcp|proxyconnect|TLS handshake timeout|i/o timeout|connection reset by peer|server misbehaving|no such host"
    r"|unexpected EOF|: 50[0234] |: 429 "
)
_LINTER = (  # a binary that is too old or too new for the configuration or for the code
    r"can't load config: (?:the Go language version|unsupported version of the configuration)|unknown flag: "
)
# gofmt of the tool chain that go.mod asks for. With -d it ends with 1 for a difference only since Go 1.25 or so.
_GOFMT = (
    'root=$(go env GOROOT) || exit; found=$("$root/bin/gofmt" -d -- "$@"); code=$?;'
    ' [ -z "$found" ] || { printf "%s\\n" "$found"; exit 1; }; exit $code'
)
_GOFMT_WRITE = 'root=$(go env GOROOT) && exec "$root/bin/gofmt" -w -- "$@"'
_FILES = 1000  # of one gofmt
_TEST = re.compile(r"(?:(?P<place>[^\n]*?)\.)?(?P<test>(?:Test|Fuzz|Example)\w*)(?:/|$)")


class Go:
    """Verifier of Go: each go.work with its modules, and each module that belongs to none."""

    name = "go"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation and one activation per tool, for each workspace or module."""
        return [activation for unit in _gomod.units(tree) for activation in _activations(unit)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation; the events of `go test -json` say what the tests did."""
        return _tool.run(activation, context)


PLUGIN = Go


def _activations(unit: Unit) -> Iterator[Activation]:
    def activation(name: str, phase: Phase, *steps: Step) -> Activation:
        plan = Plan(steps, _GO, keep_going=len(steps) > 1)
        return Activation("go", _named(name, unit), phase, unit.root, unit.reason, (), plan)

    yield _preparation(unit)
    if unit.written:
        yield activation("gofmt", Phase.FORMAT, *_gofmt(unit))
    yield activation("go vet", Phase.STATIC, _go(unit, "vet", _SHARE, *unit.patterns, read=readers.go_text))
    if unit.linter:
        lint = _golangci(unit)
        plan = Plan((lint,), {**_GO, "golangci-lint": (*lint.programs[0], "--version")})
        yield Activation("go", _named("golangci-lint", unit), Phase.STATIC, unit.root, unit.linter, (), plan)
    build = _go(unit, "build", _SHARE, "-o", "/dev/null", *unit.patterns, read=readers.go_text)
    yield activation("go build", Phase.COMPILE, build)
    if unit.tests:
        yield activation("go test", Phase.TEST, _test(unit))


def _named(name: str, unit: Unit) -> str:
    return f"{name}, GOWORK=off" if unit.outside else name


def _preparation(unit: Unit) -> Activation:
    """What is vendored needs no download, but maybe another tool chain."""
    words = ("version",) if unit.vendored else ("mod", "download", "-modcacherw")
    step = _go(unit, *words, read=readers.go_text, unable=f"{_MACHINE}|{_NETWORK}")
    if len(unit.modules) > 1 and not unit.vendored:  # their versions need not exist, which `download` does not know
        needed = _go(unit, "list", "-modcacherw", "-deps", "-test", *unit.patterns, read=readers.go_text)
        own = "|".join(re.escape(module) for module in unit.modules)
        step = replace(step, fallback=replace(needed, unable=step.unable), fallback_on=rf"(?:{own})@v")
    name, plan = _named(step.line, unit), Plan((step,), _GO)
    return Activation("go", name, Phase.PREPARE, unit.root, unit.reason, unit.inputs, plan, ())


def _go(
    unit: Unit, *words: str, read: Reader | None = None, again: Again | None = None, unable: str = _MACHINE
) -> Step:
    return Step(
        (("go",),),
        words,
        install="install Go, and put it on PATH",
        env=unit.env,
        offline_env=_OFFLINE,
        read_log=read,
        again=again,
        unable=unable,
        title=" ".join(("go", *words[: 1 + (words[0] == "mod")])),
    )


def _gofmt(unit: Unit) -> Iterator[Step]:
    write = Step((("sh", "-c", _GOFMT_WRITE, "gofmt"),), env=unit.env, offline_env=_OFFLINE)
    for first in range(0, len(unit.written), _FILES):
        yield replace(
            write,
            programs=(("sh", "-c", _GOFMT, "gofmt"),),
            arguments=tuple(f"./{file}" for file in unit.written[first : first + _FILES]),
            read_log=readers.gofmt_text,
            unable=rf"{_MACHINE}|: (?:command )?not found$",
            rewrite=write,
            title="gofmt -d",
        )


def _golangci(unit: Unit) -> Step:
    """Version 2 first. Without its limits, since a finding that is new must not hide behind many that are known."""
    report = f"@home@/.greylag/golangci-{re.sub(r'[^A-Za-z0-9]+', '-', unit.root)}.json"
    common = ("--max-issues-per-linter=0", "--max-same-issues=0", "--timeout=1h", "--concurrency=@cpus@")
    newer = Step(
        (("go", "tool", "golangci-lint") if unit.pinned else ("golangci-lint",),),
        ("run", f"--output.json.path={report}", "--path-mode=abs", *common, *unit.patterns),
        absent=f"{unit.linter} is there, but this machine has no golangci-lint",
        env=unit.env,
        offline_env=_OFFLINE,
        reports=(report,),
        read_report=readers.golangci_json,
        unable=f"{_MACHINE}|{_LINTER}",
        fallback_on="unknown flag: --(?:output|path-mode)",
        title="golangci-lint run",
    )
    older = ("run", f"--out-format=json:{report}", *common, *unit.patterns)
    return replace(newer, fallback=replace(newer, arguments=older))


def _test(unit: Unit) -> Step:
    """Without vet, which has its own say, and without results of earlier runs: what did not run is no proof."""
    words = ("test", "-json", "-vet=off", "-count=1", _SHARE)
    read = partial(readers.go_test, modules=unit.modules)
    step = _go(unit, *words, *unit.patterns, read=read, again=lambda failed: (*words, *_only(unit, failed)))

    def affected(tree: Tree, changed: Collection[str]) -> Step | None:
        packages = _goimports.affected(unit, tree, changed)
        return replace(step, arguments=(*words, *packages)) if packages else None

    return replace(step, affected=affected)


def _only(unit: Unit, failed: Sequence[Diagnostic]) -> tuple[str, ...]:
    """The functions that failed, with all of their subtests, and their packages."""
    found = [match for d in failed if (match := _TEST.match(d.test or ""))]
    places = (posixpath.relpath(match["place"] or ".", unit.root) for match in found)
    names = "|".join(dict.fromkeys(match["test"] for match in found))
    return (f"-run=^(?:{names})$", *dict.fromkeys(f"./{place}" for place in places))
