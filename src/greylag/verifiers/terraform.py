"""Terraform: the format and the validity of each directory with configuration. No state and no cloud is asked.

Preparation fetches providers and modules (`init -backend=false`). What it could not have is left to the validation,
which says so: without them nothing can be told, and what is wrong with the configuration is for the later phases.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.text import clean, one_line
from greylag.verifiers import _tool
from greylag.verifiers._files import program, roots, some
from greylag.verifiers._plan import Plan

_CONFIGURATION = (".tf", ".tf.json")
_LOCK = ".terraform.lock.hcl"
_OUTPUTS = (".terraform/", _LOCK)
_ENV = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
_TOOLS = {"terraform": ("terraform", "version")}
_INCOMPLETE = (
    r"requires provider \S+, but that provider isn't available|Module not installed|Module version requirements have "
    r"changed|Module source has changed|Missing or corrupted provider plugins|Required plugins are not installed"
    r"|Inconsistent dependency lock file|does not support Terraform version \d[\d.]*"
)
_BROKEN = re.compile(r"^Error: (?P<what>[^\n]+)\n\s*on (?P<path>[^\n]+?) line (?P<line>\d+)", re.MULTILINE)


class Terraform:
    """Verifier of Terraform configuration."""

    name = "terraform"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, format and validation for each directory with `*.tf`."""
        places = roots(tree, lambda name: name.endswith(_CONFIGURATION))
        own = [path for path in tree.paths() if path.endswith((*_CONFIGURATION, _LOCK))]
        return [activation for root in places for activation in _activations(root, own)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run Terraform; its exit code decides."""
        return _tool.run(activation, context)


PLUGIN = Terraform


def _activations(root: str, paths: Sequence[str]) -> Iterator[Activation]:
    own = [path for path in paths if (posixpath.dirname(path) or ".") == root]
    # A module may be in any directory of the repository; the lock is that of the directory.
    inputs = tuple(path for path in paths if path in own or path.endswith(_CONFIGURATION))
    reason = some([name for path in own if (name := posixpath.basename(path)) != _LOCK])
    base = replace(program("terraform", "install Terraform"), env=_ENV)
    init = replace(
        base,
        programs=(*base.programs, ("true",)),  # one that is missing is said by the other phases
        arguments=("init", "-backend=false", "-input=false", "-no-color"),
        may_fail=True,
    )
    write = replace(base, arguments=("fmt", "-no-color"))
    form = replace(base, arguments=("fmt", "-check", "-no-color"), read_log=unformatted, merge=True, rewrite=write)
    valid = replace(
        base,
        arguments=("validate", "-json", "-no-color"),
        read_log=readers.terraform_json,
        untold=_INCOMPLETE,
        title="terraform validate",
    )
    yield Activation("terraform", "terraform init", Phase.PREPARE, root, reason, inputs, Plan((init,)), _OUTPUTS)
    yield Activation("terraform", "terraform fmt", Phase.FORMAT, root, reason, (), Plan((form,), _TOOLS))
    yield Activation("terraform", "terraform validate", Phase.STATIC, root, reason, (), Plan((valid,), _TOOLS))


def unformatted(data: bytes, root: str, _workspace: str) -> tuple[Diagnostic, ...]:
    """Names of files, one a line; or what is wrong with one that cannot be read."""
    printed = clean(data)
    names = [line for line in printed.split("\n") if line.endswith((".tf", ".tfvars", ".tftest.hcl"))]
    said = "not formatted as `terraform fmt` does"
    found = [Diagnostic(said, path=posixpath.normpath(f"{root}/{name}"), rule="terraform-fmt") for name in names]
    for hit in _BROKEN.finditer(printed):
        place = posixpath.normpath(f"{root}/{hit['path']}")
        found.append(Diagnostic(one_line(hit["what"], 300), path=place, line=int(hit["line"])))
    return tuple(found)
