"""yamllint over all YAML files that its settings do not ignore, where the repository uses it."""

import re

from greylag import readers
from greylag.verifiers._files import FileVerifier, Tool, failing


class Yamllint(FileVerifier):
    """Verifier of YAML files."""

    tool = Tool(
        "yamllint",
        files=re.compile(r".*\.ya?ml|(?:.*/)?\.yamllint"),
        arguments=("--format=parsable",),
        read=failing(readers.yamllint_text, alone=True),
        install="install yamllint",
        configs=(".yamllint", ".yamllint.yaml", ".yamllint.yml"),
        options="-c= --config-file= -d= --config-data= -s --strict --no-warnings",
        packages=("yamllint",),
        pins={"adrienverge/yamllint": "yamllint"},
    )


PLUGIN = Yamllint
