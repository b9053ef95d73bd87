"""What build files run, by the names of their tasks: targets of make, scripts, steps, tables of tasks, build code."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from posixpath import basename

from greylag.guards._code.source import LARGEST, language, scan
from greylag.guards._gates import gate_tables as tables
from greylag.guards._gates.makefiles import Task, joined, of_just, of_make
from greylag.guards._gates.shell import Command, commands
from greylag.kinds import LOCKS, MANIFESTS, matches

MAKE = "Makefile GNUmakefile makefile *.mk"
_SCRIPTS = "*.sh *.bash *.zsh *.ps1 *.bat .husky/ .githooks/"
_IMAGES = "Dockerfile* *.dockerfile Containerfile* Earthfile"
_CODE = "Rakefile *.rake dodo.py tasks.py noxfile.py Gruntfile.* gulpfile.* Jakefile* build.cake Jenkinsfile*"
_TABLES = (
    "pyproject.toml pixi.toml hatch.toml deno.json deno.jsonc composer.json turbo.json nx.json project.json mise.toml"
    " .mise.toml Makefile.toml"
)
_YAML = "*.yml *.yaml"
_STRING = re.compile(
    r"\"((?>(?:[^\"\\\n]|\\.)*))\"|'((?>(?:[^'\\\n]|\\.)*))'|`((?>(?:[^`\\]|\\.)*))`|(?<![\w:]):(\w{1,60})\b"
)
_BETWEEN = re.compile(r"\s*+,\s*+")
_KEY = re.compile(r"(?:- +)?(?:(?P<key>[\w./@*-]{1,80}+|\"[^\"\n]{1,80}\"):(?:[ \t]++|$))?")
_TOLD = re.compile(
    r"name|desc\w*|summary|title|image|id|label|echo|message|version|uses|if|when|exclude|files?|paths?|rev|repo|types?|key",
    re.IGNORECASE,
)
_RUN = re.compile(r"run|\w*script|cmds?|commands?|entry|sh|bash")
_ENDING = re.compile(r"\.(?:sh|bash|py|[mc]?[jt]s|rb|pl|ps1|bat)$")
_RUNS = re.compile(
    r"\.(?:scripts|tasks|commands|dependsOn|test[-_]?command\w*)(?:\.|$)|^(?:scripts|tasks)\.|\.(?:cmd|command|shell)$"
)
_MOST, _LONGEST = 300, 4000  # tasks of a file, and characters of a line


Tasks = Mapping[str, Task]


def tasks(path: str, text: str) -> Tasks:
    """The tasks of a build file; one without a name for a script. None for other files."""
    text = text[:LARGEST]
    read = next((reader for patterns, reader in _READERS.items() if matches(path, patterns)), None)
    if read is _steps and matches(path, f"{LOCKS} {MANIFESTS}"):
        return {}
    if read is None and text.startswith("#!") and re.match(r"#!.{0,60}\b(?:ba|da|z|k)?sh\b", text):
        read = _script
    return read(path, text) if read else {}


def bare(path: str) -> bool:
    """Whether a name alone may be a task that is run."""
    return matches(path, f"{_CODE} Taskfile.y*ml turbo.json nx.json project.json")


def _script(_path: str, text: str) -> Tasks:
    return {"": Task(commands(text, script=True))}


def _image(_path: str, text: str) -> Tasks:
    text = re.sub(r"\\\n(?>(?:[ \t]*+\#[^\n]*+\n)*)", "\\\n", text)
    task = Task()
    for match in re.finditer(
        r"^[ \t]*+(?:RUN|CMD|ENTRYPOINT)\b((?>(?:[^\\\n]|\\\n?)*))", text, re.MULTILINE | re.IGNORECASE
    ):
        line = re.sub(r"^(?>(?:\s*+--\S++)*)", "", match[1])
        line = re.sub(r"[\[\],\"]", " ", line) if line.lstrip().startswith("[") else line
        task.commands += commands(line, line=text.count("\n", 0, match.start()) + 1)
        if len(task.commands) > _MOST:
            break
    return {"": task}


def _steps(_path: str, text: str) -> Tasks:
    """YAML, line by line: what stands behind a key or a dash may be a command."""
    task = Task()
    for number, line in joined(text):
        stripped = line.strip()[:_LONGEST]
        match = _KEY.match(stripped)
        value = stripped[match.end() :].strip() if match else stripped
        if not value or value.startswith("#") or (match and match["key"] and _TOLD.fullmatch(match["key"].strip('"'))):
            continue
        for part in re.split(r"[\[\]{},]|\w+: ", value) if value[0] in "[{" else [value]:
            task.commands += _step(part.strip(), number, run=bool(match and _RUN.fullmatch(match["key"] or "")))
        if len(task.commands) > 10 * _MOST:
            break
    return {"": task}


def _step(text: str, number: int, *, run: bool) -> list[Command]:
    """Commands of one value; a path alone may be anything, unless its key or its name says that it is run."""
    whole = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
    path = "/" in whole and " " not in whole and not whole.startswith(("./", "../"))
    return [] if not whole or (path and not run and not _ENDING.search(whole)) else commands(whole, line=number)


def _table(path: str, text: str) -> Tasks:
    """Values of tables that hold tasks, each by its key."""
    try:
        data = tables.toml(text) if path.endswith(".toml") else tables.json_with_comments(text)
    except tables.UnreadableError:
        return {}
    found: dict[str, Task] = {}
    for key, value in islice(_leaves(data, ""), 10 * _MOST):
        if _RUNS.search(key):
            lines = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
            found[key.lstrip(".")] = Task([one for line in lines for one in commands(line[:_LONGEST])])
    return found


def _leaves(value: object, name: str, deep: int = 0) -> Iterator[tuple[str, object]]:
    """Keys of what is no table, with what they hold."""
    if isinstance(value, dict) and deep < 12:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key), deep + 1)
    else:
        yield name, value


def code(path: str, text: str) -> Tasks:
    """Build code: each text in quotes is a command, and several in a row are the words of one."""
    source = scan(text, language(path) or "hash")
    task, words, end = Task(), list[str](), 0
    plain = (
        "".join(a if b.isspace() else " " for a, b in zip(text, source.comments, strict=True))
        if source.comments.strip()
        else text
    )
    line, at = 1, 0
    for match in islice(_STRING.finditer(plain), 10 * _MOST):
        line, at = line + plain.count("\n", at, match.start()), match.start()
        word = next(one for one in match.groups() if one is not None)
        row = bool(words) and _BETWEEN.fullmatch(plain, end, match.start()) is not None
        if not row and len(words) > 1:
            task.commands.append(Command(tuple(words), line))
        words, end = ([*words, word] if row else [word])[-100:], match.end()
        task.commands += commands(word[:_LONGEST], line=line)
    if len(words) > 1:
        task.commands.append(Command(tuple(words), line))
    return {"": task}


def _build_code(path: str, text: str) -> Tasks:
    return code(path if "." in basename(path) else f"{path}.rb", text)


_READERS: Mapping[str, Callable[[str, str], Tasks]] = {
    MAKE: of_make,
    "justfile .justfile *.just": of_just,
    _IMAGES: _image,
    _CODE: _build_code,
    _TABLES: _table,
    _SCRIPTS: _script,
    _YAML: _steps,
}
