"""pre-commit: the hooks of `.pre-commit-config.yaml` on all files, without those whose tools greylag runs by itself.

What a hook would change is a failure; in a run, what it makes of files that the change touches is taken over. Hooks
whose repository cannot be reached are named and left out.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.text import cap, clean, one_line
from greylag.verifiers import _evidence, _hooked, _hooks, _tool, _uvtool
from greylag.verifiers._plan import Plan, Step

_STATE = "@home@/.greylag/pre-commit"
_BLOCK = re.compile(r"^- hook id: ([^\n]+)\n((?:- [^\n]*\n)*)", re.MULTILINE)
_END = re.compile(
    r"^.*\.(?:\([\w ]+\))?(?:Passed|Failed|Skipped)$|^(?:changed by hooks|no hook of pre-commit)", re.MULTILINE
)
_PLACE = re.compile(r"^(?!\d+:)([^\s:][^:\n]{0,400}):(\d{1,9})(?::(\d{1,9}))?(?::? +|:)(\S.*)", re.MULTILINE)
_CHANGED = re.compile(r"^changed by hooks: (.+)$", re.MULTILINE)
_NUMBER = re.compile(r"\d+")


class PreCommit:
    """Verifier of a repository with hooks of pre-commit."""

    name = "pre-commit"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Installation of the hooks and one run of them, at the top of a repository."""
        config = next((path for path in _hooked.HOOKS if path in tree.paths()), "")
        if not config:
            return ()
        version = _evidence.required(tree, "pre-commit")
        python = f"{_uvtool.directory('pre-commit', version)}/pre-commit/bin/python"
        elsewhere = _hooks.elsewhere(tree)
        untold = r"hooks that cannot be had: [^\n]*"
        plan = Plan(
            (
                _uvtool.install("pre-commit", version),
                replace(_step(python, "prepare", config, elsewhere), untold=untold),
            )
        )
        run = replace(
            _step(python, "run", config, elsewhere),
            read_log=hooks_text,
            untold=r"no hook of pre-commit has been run",
            rewrite=Step((("true",),)),  # the hooks have mended what they can, in a copy that is thrown away
            title="pre-commit run --all-files",
        )
        tools = {"pre-commit": (python, "-m", "pre_commit", "--version")}
        return (
            Activation(self.name, "pre-commit install-hooks", Phase.PREPARE, ".", config, (config,), plan, ()),
            Activation(self.name, "pre-commit", Phase.STATIC, ".", config, (), Plan((run,), tools)),
        )

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = PreCommit


def _step(python: str, verb: str, config: str, elsewhere: Sequence[str]) -> Step:
    program = Path(__file__).with_name("_hooks_inside.py").read_text("utf-8")
    return Step(
        ((python,),),
        ("-c", program, verb, config, _STATE),
        absent="pre-commit could not be installed",
        paths=(".venv/bin", "node_modules/.bin"),
        env={"SKIP": ",".join(elsewhere)},
        title="pre-commit install-hooks",
    )


def hooks_text(data: bytes, root: str, workspace: str) -> tuple[Diagnostic, ...]:
    """What `pre-commit run` prints: places that hooks name, files that they change, else that a hook has failed."""
    text = clean(data)
    heads = list(_BLOCK.finditer(text))
    bodies = [_END.split(text[head.end() :], maxsplit=1)[0].strip() for head in heads]
    changed = _CHANGED.findall(text)
    found: list[Diagnostic] = []
    for head, body in zip(heads, bodies, strict=True):
        found += _of_hook(one_line(head[1]), head[2], body, changed, (root, workspace))
    named = {d.path for d in found}
    paths = [posixpath.normpath(posixpath.join(root, path)) for path in changed]
    found += [
        Diagnostic("a hook changes this file", path=path, rule="pre-commit") for path in paths if path not in named
    ]
    return tuple(dict.fromkeys(found))


def _of_hook(hook: str, head: str, body: str, changed: Sequence[str], where: tuple[str, str]) -> Iterator[Diagnostic]:
    root, workspace = where
    places = [hit.groups() for hit in _PLACE.finditer(body)]
    for path, line, column, message in places:
        inside = path.removeprefix(f"{workspace}/") if path.startswith("/") else posixpath.normpath(f"{root}/{path}")
        yield Diagnostic(message, path=inside, line=int(line), column=int(column) if column else None, rule=hook)
    mended = [path for path in changed if _names(body, path)] if "files were modified" in head else []
    for path in mended:
        inside = posixpath.normpath(posixpath.join(root, path))
        yield Diagnostic(f"hook `{hook}` changes this file", path=inside, rule=hook)
    if not places and not mended and "files were modified" not in head:
        # its rule depends on what the hook says: two failures of one hook need not be the same one
        digest = hashlib.sha256(_NUMBER.sub("#", body).encode("utf-8", "surrogateescape")).hexdigest()[:8]
        yield Diagnostic(f"hook `{hook}` failed", rule=f"{hook}-{digest}", excerpt=cap(body, 2000))


def _names(text: str, path: str) -> bool:
    return bool(re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w-])", text))
