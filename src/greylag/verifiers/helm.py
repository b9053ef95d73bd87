"""Helm: the lint of each chart; and kubeconform on what it renders, where the repository uses that with own schemas.

Schemas that lie elsewhere cannot be had when a change is verified, so kubeconform is left out then. Charts that a chart
depends on are fetched by the preparation.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _evidence, _tool
from greylag.verifiers._evidence import Evidence, outermost
from greylag.verifiers._files import failing, program, roots
from greylag.verifiers._plan import Plan, Step
from greylag.verifiers._pyproject import text

_DEPENDS = re.compile(r"^dependencies:[ \t]*(?:#[^\n]*)?(?:\n[ \t]*-|\[[ \t]*[^\]\s])", re.MULTILINE)
_DECIDES = ("Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock")
_MISSING = r"missing these dependencies[^\n]*|found in Chart\.yaml, but missing in charts/ directory[^\n]*"
_LINT_OPTIONS = "--strict --with-subcharts --kube-version= --skip-schema-validation"
_GO = " -strict -ignore-missing-schemas -skip= -reject= -kubernetes-version= -schema-location="
_CONFORM_OPTIONS = _GO + _GO.replace(" -", " --")
_ELSEWHERE = re.compile(r"default$|\w+:|/|@|(?:.*/)?\.\.(?:/|$)")
_LIBRARY = re.compile(r"^type:[ \t]*['\"]?library\b", re.MULTILINE)
_RENDERED = ".greylag-rendered"
_FROM = re.compile(rf"{re.escape(_RENDERED)}/[^/]+/")  # and the name of the chart


class Helm:
    """Verifier of Helm charts."""

    name = "helm"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """The lint of each chart that is in no other one, after a preparation where it depends on others."""
        places = outermost(roots(tree, lambda name: name == "Chart.yaml"))
        lint = _evidence.find(tree, "helm lint", options=_LINT_OPTIONS) if places else []
        conform = _evidence.find(tree, "kubeconform", options=_CONFORM_OPTIONS) if places else []
        options = lint[0].options if lint else ()
        found = [activation for root in places for activation in _activations(root, tree, options)]
        return found + [a for evidence in conform for root in places for a in _conformity(root, tree, evidence)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run Helm, and kubeconform on what it rendered; the exit codes decide."""
        return _tool.run(activation, context)


PLUGIN = Helm


def _activations(root: str, tree: Tree, options: Sequence[str]) -> Iterator[Activation]:
    files = {posixpath.normpath(f"{root}/{name}") for name in _DECIDES}
    deciding = [path for path in tree.paths() if path in files]
    said = "\n".join(text(tree, path) for path in deciding)
    base = program("helm", "install Helm")
    if _DEPENDS.search(said):
        fetch = replace(
            base,
            programs=(*base.programs, ("true",)),  # one that is missing is said by the lint
            arguments=("dependency", "build", "."),
            may_fail=True,
        )
        inputs = () if "file:" in said else tuple(deciding)  # a chart of the same repository is copied
        plan = Plan((fetch,))
        yield Activation("helm", "helm dependency", Phase.PREPARE, root, deciding[0], inputs, plan, ("charts/",))
    lint = replace(
        base,
        arguments=("lint", *options, "."),
        read_log=failing(readers.helm_text, alone=True),
        untold=_MISSING,
        merge=True,
        title="helm lint",
    )
    tools = {"helm": ("helm", "version", "--short")}
    yield Activation("helm", "helm lint", Phase.STATIC, root, "Chart.yaml", (), Plan((lint,), tools))


def _conformity(root: str, tree: Tree, evidence: Evidence) -> Iterator[Activation]:
    """kubeconform on the rendered chart, by the schemas of the repository."""
    words = [re.sub("^--", "-", part) for option in evidence.options for part in option.split("=", 1)]
    places = [at for at, word in enumerate(words) if at and words[at - 1] == "-schema-location"]
    if not places or any(_ELSEWHERE.match(words[at]) for at in places) or _LIBRARY.search(_chart(root, tree)):
        return
    options = (f"@workspace@/{word}" if at in places else word for at, word in enumerate(words))
    room = Step((("mkdir",),), ("-p", _RENDERED))  # a chart may render nothing
    render = replace(
        program("helm", "install Helm"),
        arguments=("template", "release-name", ".", "--output-dir", _RENDERED),
        read_log=readers.helm_text,
        untold=_MISSING,
        merge=True,
    )
    check = replace(
        program("kubeconform", "install kubeconform"),
        arguments=("-output", "json", *options, _RENDERED),
        read_log=_by_template,
        title="kubeconform",
    )
    plan = Plan((room, render, check), {"kubeconform": ("kubeconform", "-v")})
    yield Activation("helm", "kubeconform", Phase.STATIC, root, evidence.reason, (), plan)


def _by_template(data: bytes, root: str, workspace: str) -> tuple[Diagnostic, ...]:
    """What kubeconform says of rendered files, said of the templates that they come from."""
    found = readers.kubeconform_json(data, root, workspace)
    return tuple(replace(d, path=_FROM.sub("", d.path, count=1) if d.path else None) for d in found)


def _chart(root: str, tree: Tree) -> str:
    return text(tree, f"{root}/Chart.yaml")
