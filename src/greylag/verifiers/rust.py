"""Cargo workspaces and packages: rustfmt and clippy where the repository uses them, compilation, tests.

Preparation fetches what Cargo.lock names, `--locked`; where none is tracked, Cargo makes one that later phases share.
Later phases are offline. What is built stays with one tree: nothing is taken over from the build of another.

rustfmt and clippy run where a file of theirs, CI, a Makefile or the like says so, with the tool chain that is named
there (`cargo +nightly fmt`; for clippy one that names none goes first), and are skipped where the machine lacks that.
Having them proves nothing, since they come with Rust, and clippy's opinions change with each version. It denies
warnings where CI does. A number of threads for tests is taken from there, too.

Features are the default ones, which exist for certain; `.greylag.toml` can declare commands with others. Tests are run
by nextest where `.config/nextest.toml` configures it, and then those of the documentation beside it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _cargo, _crates, _tool
from greylag.verifiers._cargo import Project
from greylag.verifiers._plan import Affected
from greylag.verifiers._tool import Plan, Reader, Step

Check = tuple[str, Phase, str, tuple[Step, ...]]  # name, phase, reason, what to run

_ENV = {
    "CARGO_BUILD_JOBS": "@cpus@",
    "CARGO_INCREMENTAL": "0",  # nothing is built twice
    "RUSTUP_AUTO_INSTALL": "0",  # a tool chain is the machine's, and what is missing of one is said at once
}
_CHECK = "cargo check"
_RUSTC = {"rustc": ("rustc", "--version")}
# A command says more than other traces of a tool do: it may name a tool chain.
_FORMATS = re.compile(r"\bcargo (?:(?P<value>\+[\w.-]+) )?fmt\b"), re.compile(r"\brustfmt\b|\bid: (?:cargo-)?fmt\b")
_LINTS = (  # one in the repository's own tool chain goes first: jobs with another one often only look ahead
    re.compile(r"\bcargo clippy\b"),
    re.compile(r"\bcargo (?P<value>\+[\w.-]+) clippy\b"),
    re.compile(r"\bid: (?:cargo-)?clippy\b"),
)
_DENIES = re.compile(r"(?:-D ?|--deny[ =])warnings\b")
_THREADS = re.compile(r"test[-_]threads\W{1,6}(?P<value>[1-9]\d?)\b", re.IGNORECASE)
_MACHINE = (  # what this machine has is not what the repository needs
    r"^error: toolchain '.+' is not installed|^error: .*'[\w-]+' .*is not (?:installed|available|applicable) (?:for|to)"
    r" |^info: syncing channel updates|^error: no such (?:sub)?command: `(?:fmt|clippy|\+.*)`"
    r"|^error: rustc \S+ is not supported by the following|because it requires rustc \d"
    r"|this version of Cargo does not understand this lock file"
)
_UNBUILT = (
    r"|error: linker `.+` not found|the `.+` target may not be installed|\(signal: 9, SIGKILL: kill\)"
    r"|No space left on device|Cannot allocate memory|you're using offline mode|but --offline was specified"
)
_UNTESTED = r"^error: linker `.+` not found|^error: no such command: `nextest`|requires nextest version"
_REGISTRY = r"|^  \[(?:5|6|7|16|28|35|52|55|56|92)\] |, got 5\d\d$"  # numbers of curl's errors
_TARGETS = ("--tests", "--examples", "--bins")
_NEXTEST = (  # a profile of its own, which inherits from the repository's default one
    'report=$1; shift; printf \'[profile."@tool:greylag:run".junit]\\npath = "%s"\\n\' "$report" >"$report.toml" && '
    'exec cargo nextest run --tool-config-file "greylag:$report.toml" --profile @tool:greylag:run "$@"'
)


class Rust:
    """Verifier of Cargo workspaces and of packages that belong to none, one or several in a repository."""

    name = "rust"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, compilation and tests for each root; formatter and linter where the repository uses them."""
        return [activation for project in _cargo.projects(tree) for activation in _activations(project)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = Rust


def _activations(project: Project) -> Iterator[Activation]:
    outputs = () if project.locked else (f"/{project.at('Cargo.lock')}",)
    note = "" if project.locked else "there is no Cargo.lock: versions are the registry's newest that fit"
    fetch = _step("fetch", *_locked(project), unable=_MACHINE + _REGISTRY)
    plan = Plan((fetch,), _RUSTC, note)
    yield Activation("rust", "cargo fetch", Phase.PREPARE, project.root, project.why, project.inputs, plan, outputs)
    for name, phase, reason, steps in (*_format(project), *_lint(project), _compile(project), _test(project)):
        clean = (_step("clean", unable=_MACHINE),) if project.built and phase is not Phase.FORMAT else ()
        plan = Plan((*clean, *steps), _RUSTC, keep_going=phase is Phase.TEST and len(steps) > 1)
        yield Activation("rust", name, phase, project.root, reason, (), plan)


def _format(project: Project) -> Iterator[Check]:
    own = project.first("rustfmt.toml", ".rustfmt.toml")
    said = project.saying(*_FORMATS)
    if own or said.path:
        step = _step("fmt", "--check", chain=said.value, read=readers.rustfmt_text, unable=_MACHINE)
        step = replace(step, rewrite=_step("fmt", "--", chain=said.value, unable=_MACHINE))
        yield "cargo fmt", Phase.FORMAT, own or said.path, (*_there(said.value, "cargo-fmt"), step)


def _lint(project: Project) -> Iterator[Check]:
    own = project.first("clippy.toml", ".clippy.toml") or project.linted
    said = project.saying(*_LINTS)
    if own or said.path:
        deny = ("--", "-D", "warnings") if _DENIES.search(said.text) else ()
        step = _checked(project, "clippy", said.value, deny)
        yield "cargo clippy", Phase.STATIC, own or said.path, (*_there(said.value, "cargo-clippy"), step)


def _there(chain: str, program: str) -> tuple[Step, ...]:
    """Asks rustup, which runs nothing of the repository, for a tool chain that only a command line names: a machine
    without it lacks a linter.
    """
    step = Step(
        (("rustup",),),
        ("which", "--toolchain", chain.removeprefix("+"), program),
        absent=f"this machine has no rustup to look for the tool chain `{chain}`",
        env=_ENV,
        untold=r"error: [^\n]*",
    )
    return (step,) if chain else ()


def _compile(project: Project) -> Check:
    return _CHECK, Phase.COMPILE, project.why, (_checked(project, "check"), *_built(project))


def _built(project: Project) -> Iterator[Step]:
    """The tests themselves, before any of them runs: what is run again is then there. It proves nothing by itself."""
    if not project.built:
        step = _step("test", "--workspace", "--no-run", *_locked(project), unable=_UNTESTED)
        step = replace(step, may_fail=True, title="cargo test --no-run")
        yield replace(step, affected=_affected(project, step))


def _checked(project: Project, command: str, chain: str = "", more: Sequence[str] = ()) -> Step:
    """All targets, as far as one can be compiled without another. Benchmarks are left out where they need a compiler
    that is not the repository's.
    """
    words = ("--workspace", "--message-format=json", *_locked(project))
    step = _step(command, chain=chain, read=readers.cargo_json, unable=_MACHINE + _UNBUILT)
    begin = step.arguments
    fallback = replace(step, arguments=(*begin, *words, *_TARGETS, *more))
    return replace(
        step,
        arguments=(*begin, *words, "--all-targets", "--keep-going", *more),
        fallback=fallback,
        fallback_on=r'"code":"E0554"|argument .--keep-going',
    )


def _test(project: Project) -> Check:
    threads = project.saying(_THREADS).value or "@cpus@"  # tests that share something need it so
    env = {"RUST_TEST_THREADS": threads, "NEXTEST_TEST_THREADS": threads}
    words = ("--workspace", "--no-fail-fast", *_locked(project))
    step = replace(_step("test", *words, read=readers.libtest, unable=_UNTESTED, env=env), helper=_CHECK)
    config = project.first(".config/nextest.toml")
    if not config:
        test = replace(step, affected=_affected(project, step), again=lambda failed: _only(step.arguments, failed))
        return "cargo test", Phase.TEST, project.why, (test,)
    report = f"@home@/.greylag/nextest-{re.sub(r'[^A-Za-z0-9]+', '-', project.root)}.xml"
    nextest = replace(
        step,
        programs=(("sh",),),
        arguments=("-c", _NEXTEST, "sh", report, *words),
        reports=(report,),
        read_report=readers.junit_xml,
        read_log=None,
        empty_codes=(4,),
        title="cargo nextest run",
    )
    documentation = replace(
        step,
        arguments=(*step.arguments, "--doc"),
        empty="no library targets found in package",
        title="cargo test --doc",
    )
    nextest = replace(nextest, affected=_affected(project, nextest), again=lambda _: nextest.arguments)
    return "cargo nextest", Phase.TEST, config, (nextest, documentation)


def _only(arguments: tuple[str, ...], failed: Sequence[Diagnostic]) -> tuple[str, ...]:
    """The tests that failed, in whatever binary; all of them where one is of the documentation, or a whole binary."""
    names = [str(d.test).partition("::") for d in failed]
    if any(not test or "." in binary for binary, _, test in names):
        return arguments
    return (*arguments, "--", "--exact", *dict.fromkeys(test for _, _, test in names))


def _affected(project: Project, step: Step) -> Affected:
    def affected(tree: Tree, changed: Collection[str]) -> Step | None:
        chosen = [f"--package={name}" for name in _crates.affected(project.root, tree, changed) or ()]
        others = (part for part in step.arguments if part != "--workspace")
        return replace(step, arguments=(*others, *chosen)) if chosen else None

    return affected


def _locked(project: Project) -> tuple[str, ...]:
    return ("--locked",) if project.locked else ()


def _step(
    command: str,
    *arguments: str,
    unable: str,
    chain: str = "",
    read: Reader | None = None,
    env: Mapping[str, str] | None = None,
) -> Step:
    return Step(
        (("cargo",),),
        (*([chain] if chain else []), command, *arguments),
        install="install Rust, such as by https://rustup.rs",
        env={**_ENV, **(env or {})},
        offline_env={"CARGO_NET_OFFLINE": "true"},
        read_log=read,
        unable=f"(?m){unable}",
        title=f"cargo {command}",
    )
