"""From what a test framework printed about one failed test to a diagnostic: place, message, the lines that matter."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from greylag.model import Diagnostic, Origin, Severity
from greylag.readers._common import Locate
from greylag.text import cap, clean, one_line

_TEXT = 100_000  # characters that are looked at of one failure
_LINE = 400
_JAVA = re.compile(r"\s*at (?:[\w.@-]+/)*([\w.$]+)\.[\w$<>]+\((\w+\.(?:java|kt|scala|groovy)):(\d+)\)")
_PYTHON = re.compile(r'\s*File "([^"]+)", line (\d+)')
_PLAIN = re.compile(r"(?:\s*\u276f (?:\S+ )?)?([^\s():]+\.\w+):(\d+)(?::\d+)?:?(?: |$)")
_NATIVE = re.compile(r"([^\s():'\"]+\.(?:c|cc|cpp|cxx|h|hh|hpp|hxx|m|mm)):(\d{1,9})\b")
_SCRIPT = re.compile(r"((?:file://)?/?[^\s():]+\.\w+):(\d+):\d+\)?(?: \{)?$")
_RUST = re.compile(r"(?:panicked at |did not panic as expected at |', )(\S+\.rs):(\d+):\d+:?$")
_SAID = (  # by a failed test of Rust: the first of these that it says is meant
    re.compile(
        r"^note: (panic did not contain expected string(?:\n .*)*|test did not panic as expected)", re.MULTILINE
    ),
    re.compile(r"^thread '.*panicked at .*:\n((?:(?!note: |stack backtrace:|failures:).+(?:\n|$))+)", re.MULTILINE),
    re.compile(r"^((?:Error|error\[E\d+\]): .*)", re.MULTILINE),
)
# U+276F is the arrow that vitest puts before a frame.
_FRAME = re.compile(r"\s*(?:at |\u276f )")
_FOREIGN = re.compile(
    r"node_modules/|node:internal|\(node:|<anonymous>\)|\(index \d+\)|site-packages/|/lib/python\d|importlib/"
    r"|\bat (?:[\w.@-]+/)*(?:java|javax|jdk|sun|com\.sun|kotlin|scala|groovy|org\.junit|org\.opentest4j"
    r"|munit|sbt|org\.scalatest|org\.specs2"
    r"|org\.apache\.maven|org\.assertj|org\.hamcrest|org\.testng|org\.mockito|org\.gradle|worker\.org\.gradle)\."
)
_TITLE = re.compile(r"\s*\u25cf")  # the bullet before a title of jest
_KEEP = 10  # lines of an excerpt
_TELLING = re.compile(r"(?i)fail|error|assert|exception|expect|abort|panic|sanitizer|signal|unhandled")
_FINE = re.compile(r"(?i)\bpass(?:ed)?\b|\[ +(?:ok|run) +\]|^ok\b|\b0 fail")

Resolve = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Failed:
    """One failed test as a report has it. `own` is the file of the test, as the tool wrote it."""

    test: str
    message: str
    text: str
    own: str | None = None
    line: int | None = None
    owner: str | None = None  # class of the test, where frames name classes
    flaky: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a stack trace; `owner` is the class where frames name classes."""

    path: str | None
    line: int
    owner: str | None = None


def resolver(files: Collection[str]) -> Resolve:
    """A function from the end of a path (`a/CalcTest.java`) to the one file in `files` that ends so."""
    by_name: dict[str, list[str]] = {}
    for path in files:
        by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)

    def resolve(end: str) -> str | None:
        found = [p for p in by_name.get(end.rsplit("/", 1)[-1], ()) if p == end or p.endswith("/" + end)]
        return found[0] if len(found) == 1 else None

    return resolve


def diagnose(failed: Failed, locate: Locate, resolve: Resolve) -> Diagnostic:
    """The diagnostic of a failed test. Its path is the test's own file where that is known, so that the fingerprint of
    a test does not depend on where it broke; the excerpt has the frames below.
    """
    lines = [line[:_LINE].rstrip() for line in clean(failed.text[:_TEXT]).split("\n")]
    frames = list(_frames(lines, locate, resolve))
    own = locate(failed.own)
    if own is None and failed.owner:
        own = resolve(_source(failed.owner, "")) or next((f.path for f in frames if _within(f, failed.owner)), None)
    mine = [f for f in frames if (f.path == own if own else _within(f, failed.owner))]
    inner = mine or ([] if own else [f for f in frames if f.path])
    last = any(line.startswith("E  ") for line in lines)  # pytest puts the innermost frame last, all others first
    frame = inner[-1 if last else 0] if inner else None
    return Diagnostic(
        _message(failed.message, lines),
        Severity.WARNING if failed.flaky else Severity.ERROR,
        own or (frame.path if frame else None),
        frame.line if frame else failed.line,
        test=one_line(failed.test, 300),
        excerpt="\n".join(_pytest_excerpt(lines) if last else _excerpt(lines)),
        origin=Origin.FLAKY if failed.flaky else Origin.NEW,
    )


def _frames(lines: Sequence[str], locate: Locate, resolve: Resolve) -> Iterator[Frame]:
    """Frames in the repository's own files, in the order of the trace."""
    for line in lines:
        if _FOREIGN.search(line):
            continue
        if found := _JAVA.match(line):
            name = found[2]
            loose = resolve(name) if name.endswith((".scala", ".kt")) else None  # directories need not be packages
            yield Frame(resolve(_source(found[1], name)) or loose, int(found[3][:9]), found[1])
        elif found := _PYTHON.match(line) or _PLAIN.match(line) or next(_searched(line), None):
            path = locate(found[1])
            if path and not path.startswith("/"):
                yield Frame(path, int(found[2][:9]))


def _searched(line: str) -> Iterator[re.Match[str]]:
    return filter(None, (pattern.search(line) for pattern in (_SCRIPT, _RUST, _NATIVE)))


def _source(owner: str, name: str) -> str:
    """`a/CalcTest.java` for a class `a.CalcTest$Inner` in the file `name`."""
    package, _, outer = owner.partition("$")[0].rpartition(".")
    return "/".join(part for part in (package.replace(".", "/"), name or f"{outer}.java") if part)


def _within(frame: Frame, owner: str | None) -> bool:
    return bool(owner and frame.owner) and str(frame.owner).partition("$")[0] == str(owner).partition("$")[0]


def _message(given: str, lines: Sequence[str]) -> str:
    """The first lines of what was asserted, folded into one."""
    said = [line for line in clean(given[:_TEXT]).split("\n") if line.strip() and not _TITLE.match(line)]
    if not said:
        said = [line for line in lines if line.strip() and not _FRAME.match(line)]
    end = next((at for at, line in enumerate(said[1:], 1) if _FRAME.match(line)), len(said))
    return one_line(" / ".join(line.strip() for line in said[: min(end, 4)]), 300) or "failed without a message"


def telling(output: str) -> str:
    """What says why a test failed, of all that its program printed about many: the end, when nothing looks like it."""
    lines = output[:_TEXT].strip("\n").split("\n")
    near = {at + more for at, line in enumerate(lines) if _TELLING.search(line[:_LINE]) for more in range(5)}
    kept = [line for at, line in enumerate(lines) if at in near and not _FINE.search(line[:_LINE])]
    return "\n".join(kept or lines[-_KEEP:])


def errors_of_pytest(text: str) -> str:
    """The lines that pytest marks with `E`, without the mark, of the last exception in a chain."""
    blocks: list[list[str]] = [[]]
    for line in text[:_TEXT].split("\n"):
        if line.startswith("E  "):
            blocks[-1].append(line[1:].strip())
        elif blocks[-1]:
            blocks.append([])
    return "\n".join((blocks[-1] or blocks[-2]) if len(blocks) > 1 else blocks[0])


def said_by_rust(text: str) -> str:
    """What a failed test of Rust says, without its thread and place; nothing when it says that in other words."""
    lines = "\n".join(line[:_LINE] for line in text[:_TEXT].split("\n"))
    hits = (pattern.search(lines) for pattern in _SAID)
    return next((hit[1] for hit in hits if hit), "")


def _pytest_excerpt(lines: Sequence[str]) -> list[str]:
    """The `E` lines with the frames before them; foreign frames and decoration left out."""
    full = [line for line in lines if line.strip(" E^~_-") and not _FOREIGN.search(line)]
    first = next((at for at, line in enumerate(full) if line.startswith("E  ")), 0)
    marked = [line for line in full[first:] if line.startswith("E  ")]
    rest = [line for line in full[first:] if not line.startswith("E  ")]
    errors = marked[:5]
    return [*full[max(0, first - 4) : first], *errors, *rest[: _KEEP - 4 - len(errors)]]


def _excerpt(lines: Sequence[str]) -> list[str]:
    """Said first, then the repository's own frames."""
    full = [line for line in lines if line.strip() and not _FOREIGN.search(line)]
    said = [line for line in full if not _FRAME.match(line)]
    frames = [line for line in full if _FRAME.match(line)]
    return [cap(line, _LINE) for line in [*said[: _KEEP - min(3, len(frames))], *frames[:3]]]
