"""Files that steer coding agents, editors and git itself: a change to them reaches into the next session."""

from collections.abc import Iterator
from functools import partial

from greylag.diffs import parse
from greylag.guards._guard import Guard, finding
from greylag.kinds import AGENTS, matches
from greylag.model import Diagnostic
from greylag.protocols import Change


def check(change: Change) -> Iterator[Diagnostic]:
    """Each such file that the change touches, also by renaming it away."""
    for file in parse(change.diff):
        for name in sorted(file.names):
            if matches(name, AGENTS):
                message = f"changes {name}, which configures agents, editors or git"
                yield finding(change, "agents", "agents-config/changed", message, name)


PLUGIN = partial(Guard, "agents-config", check)
