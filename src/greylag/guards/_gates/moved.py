"""Files that move to where linters do not look, and are changed on the way."""

import re
from collections import Counter
from collections.abc import Iterator

from greylag.diffs import FileDiff
from greylag.guards._guard import finding
from greylag.kinds import matches
from greylag.model import Diagnostic
from greylag.protocols import Change

_CHECKED = "*.yml *.yaml *.tf *.tfvars *.sh *.bash *.toml Dockerfile* *.proto"
_PASSED_OVER = "fixtures/ testdata/ __snapshots__/ example/ examples/ sample/ samples/"
_RELATIVE = re.compile(r"(?:\.{1,2}/)+")


def out_of_sight(change: Change, file: FileDiff) -> Iterator[Diagnostic]:
    """A file that is moved as it is, or with other relative paths, is none."""
    if file.status != "renamed" or not matches(file.old_path, _CHECKED):
        return
    if matches(file.old_path, _PASSED_OVER) or not matches(file.path, _PASSED_OVER):
        return
    removed, added = (Counter(_RELATIVE.sub("", line.text) for line in lines) for lines in (file.removed, file.added))
    if removed != added:
        message = f"moves {file.old_path} to {file.path}, where linters do not look, and changes it"
        yield finding(change, "lint", "gates/hidden", message, file.path)
