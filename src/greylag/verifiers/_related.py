"""jest and vitest know which tests import a file: how they are asked to run only these."""

import re
import shlex
from collections.abc import Collection

_SOURCE = re.compile(
    r"(?!.*\.config\.|(?:.*/)?\.|.*setup|(?:.*/)?__mocks__/)[\w@+][\w./@+-]*\.(?:[cm]?[jt]sx?|vue|svelte)"
)
_RUNS = {"run", "--run"}
_STARTER = re.compile(r"^(?:npx|bunx|(?:pnpm|yarn|bun)(?:\s+exec|\s+run)?)\s+")  # of a program that a dependency brings


def related(command: str, files: Collection[str]) -> tuple[str, ...]:
    """The words of a command for `files`; nothing where it names others, or some are no sources that can be imported.

    An option with its value behind a blank looks like the name of a file, too. vitest takes what follows some options
    for their value, so that files stand before them.
    """
    try:
        program, *words = shlex.split(_STARTER.sub("", command))
    except ValueError:
        return ()
    options = [word for word in words if program != "vitest" or word not in _RUNS]
    if not all(map(_SOURCE.fullmatch, files)) or not all(word.startswith("-") for word in options):
        return ()
    if program == "vitest":
        return ("vitest", "related", *files, "--run", *options)
    return ("jest", *options, "--findRelatedTests", *files) if program == "jest" else ()
