"""What `.pre-commit-config.yaml` says of tools: hooks, where they come from and in which version, their arguments."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from greylag.protocols import Tree
from greylag.verifiers import _yaml
from greylag.verifiers._pyproject import text

HOOKS = (".pre-commit-config.yaml", ".pre-commit-config.yml")
_MOST = 500  # hooks that are looked at: aliases make many of few
_WORD = 2000  # characters of a word, such as an argument
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+(?:(?:a|b|rc|\.post)\d+)?)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.\[\],<>=!~ -]*")


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook, the file that names it and the address that it comes from, in `version` where that names one."""

    path: str
    id: str
    repository: str
    version: str
    arguments: tuple[str, ...] | None  # None: as the hook's own repository has it
    packages: tuple[str, ...]  # what is installed beside its tool, such as plug-ins
    chosen: bool  # whether it does not look at all files that its tool is for


def hooks(tree: Tree) -> list[Hook]:
    """All hooks; none of a file that cannot be read."""
    return [hook for path in HOOKS for hook in _read(path, text(tree, path))]


def named(tree: Tree, tool: str) -> Iterator[Hook]:
    """Hooks that are named after a tool, as `ruff-format` is."""
    name = re.compile(rf"{tool}(?:-\w+)*")
    return (hook for hook in hooks(tree) if name.fullmatch(hook.id))


def pinned(tree: Tree, repository: str) -> str:
    """The version in which pre-commit takes its hooks from a repository on GitHub; nothing where it names none."""
    address = re.compile(rf"(?:.*[/:])?(?:{repository})(?:\.git)?/?", re.IGNORECASE)
    return next((it.version for it in hooks(tree) if it.version and address.fullmatch(it.repository)), "")


def brought(tree: Tree, tool: str) -> tuple[str, ...]:
    """What pre-commit installs beside a tool, such as its plug-ins."""
    return next((hook.packages for hook in hooks(tree) if hook.id == tool), ())


@functools.lru_cache(maxsize=8)
def _read(path: str, source: str) -> tuple[Hook, ...]:
    return tuple(islice(_hooks(path, source), _MOST))


def _hooks(path: str, source: str) -> Iterator[Hook]:
    config = _yaml.load(source) if source else None
    everywhere = _some(config)
    for repo in _list(config, "repos"):
        repository, version = _word(repo, "repo"), _version(_word(repo, "rev"), source)
        listed = [hook for hook in _list(repo, "hooks") if _word(hook, "id")] or [{"id": ""}]  # a pin counts alone, too
        for hook in listed:
            yield Hook(
                path,
                _word(hook, "id"),
                repository,
                version,
                tuple(_words(hook, "args")) if isinstance(hook, dict) and "args" in hook else None,
                tuple(filter(_REQUIREMENT.fullmatch, _words(hook, "additional_dependencies"))),
                everywhere or _some(hook),
            )


def _some(table: object) -> bool:
    return bool(_word(table, "files") or _word(table, "exclude"))


def _version(rev: str, source: str) -> str:
    """The version that a tag names, or that a comment says of a commit, as `autoupdate --freeze` writes it."""
    if _COMMIT.fullmatch(rev):
        comment = re.search(rf"{rev}['\"]?[ \t]{{1,9}}#[ \t]{{0,9}}(?:frozen:)?[ \t]{{0,9}}(\S{{1,50}})", source)
        rev = comment[1] if comment else ""
    hit = _VERSION.fullmatch(rev[:50])
    return hit[1] if hit else ""


def _list(table: object, key: str) -> list[object]:
    found = table.get(key) if isinstance(table, dict) else None
    return found[:_MOST] if isinstance(found, list) else []


def _words(table: object, key: str) -> list[str]:
    return [word for word in _list(table, key) if isinstance(word, str) and len(word) < _WORD]


def _word(table: object, key: str) -> str:
    found = table.get(key) if isinstance(table, dict) else None
    return found[:_WORD].strip() if isinstance(found, str) else ""
