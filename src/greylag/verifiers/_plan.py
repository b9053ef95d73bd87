"""A command-line verifier as data: a plan of steps."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from greylag.model import Counts, Diagnostic
from greylag.protocols import Tree

Tests = tuple[Counts, tuple[Diagnostic, ...]]
Reader = Callable[[bytes, str, str], Tests | tuple[Diagnostic, ...]]  # of `greylag.readers`: data, root, workspace
Located = Callable[[Sequence[Diagnostic], bytes, str, str], Sequence[Diagnostic]]  # found, log, root, workspace
Rest = Callable[[bytes], bytes]

Again = Callable[
    [Sequence[Diagnostic]], tuple[str, ...]
]  # failed tests -> arguments of a step that runs them, and as few others as can be
Affected = Callable[
    [Tree, Collection[str]], "Step | None"
]  # a tree and the paths that a change touches -> a step that runs only what may notice it; None: all of it


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a plan, in `cwd` below the activation's root.

    `programs` are candidates for the beginning of the command line: the first one that the sandbox has is taken, with
    `arguments` behind it. `reports` are globs below the root, or `@home@/...` paths. Besides the marks of `Command`
    there are `@cpus@`, the share of the machine, and `@long@`, seconds after which one test takes strangely long.
    """

    programs: tuple[tuple[str, ...], ...]
    arguments: tuple[str, ...] = ()
    cwd: str = "."
    install: str = ""  # what to tell a person when none of `programs` is there
    absent: str = ""  # why that is no defect of the machine: the step is skipped with this reason
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)  # name -> text, read-only at `@files@/NAME`
    append: Mapping[str, str] = field(default_factory=dict)  # to variables, keeping what the sandbox has in them
    paths: tuple[str, ...] = ()  # directories, seen from `cwd` or `@home@/...`, where programs are looked for first
    offline: tuple[str, ...] = ()  # more arguments where there is no network
    offline_env: Mapping[str, str] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    read_report: Reader | None = field(default=None, repr=False)
    read_log: Reader | None = field(default=None, repr=False)
    located: Located | None = field(default=None, repr=False)  # adds places to the reports that only the log tells
    rest: Rest | None = None  # what `read_log` leaves of a log that it knows only in part
    merge: bool = True  # False: standard error is kept out of what `read_log` reads
    may_fail: bool = False
    fatal: str = ""  # `may_fail` does not cover a log in which this pattern occurs
    unable: str = ""  # a failure whose log has this pattern is the machine's, whatever else was found
    unable_codes: tuple[int, ...] = ()  # exit codes that say so
    untold: str = ""  # a failure whose log has this pattern says nothing of the repository: the step is skipped
    cut_short: str = ""  # a log with this pattern is of tests that did not all run, whatever the reports say
    empty: str = ""  # a run whose log has this pattern and whose reports have no test had none
    empty_codes: tuple[int, ...] = ()  # exit codes that say so
    again: "Again | None" = field(default=None, repr=False)  # to see whether tests that failed are flaky
    affected: "Affected | None" = field(default=None, repr=False)  # to spare an agent the rest
    journal: str = ""  # a file in which its runner writes down each test as it begins
    helper: str = ""  # the name of an activation that does a part of its work: what that took counts as well
    traced: "Step | None" = (
        None  # taken where tests ran before and none now: its reports tell where their process ended
    )
    rewrite: "Step | None" = None  # with names of files behind it, it mends what this one complains about
    fallback: "Step | None" = None  # taken instead when this one failed with `fallback_on` in its log
    fallback_on: str = ""
    seconds: float | None = None  # None: as long as the person allows, `minutes` of `[verify]`
    title: str = ""  # how people know the command, when its arguments do not say it well

    @property
    def line(self) -> str:
        """The command as people know it."""
        return self.title or " ".join((*self.programs[0], *self.arguments))


@dataclass(frozen=True, slots=True)
class Plan:
    """What an activation does. `tools` are command lines that print a version; `note` goes into the summary."""

    steps: tuple[Step, ...]
    tools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    note: str = ""
    keep_going: bool = False  # steps are independent of each other: all of them are taken
