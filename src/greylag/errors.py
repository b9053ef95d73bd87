"""Errors, by who must act.

    GreylagError
    ├── UserError    the person must change something: one line, exit 2, never retried
    ├── InfraError   the machine or a service failed: retried, never shown to an agent, exit 75
    └── AgentError   the agent crashed or broke its protocol: ends the run, exit 4

A verdict is never an exception. Anything else that is raised is a bug of ours: exit 3 with a report to paste.
"""

from typing import ClassVar


class GreylagError(Exception):
    """Root of the errors that greylag raises on purpose; its text is one line for a person."""

    exit_code: ClassVar[int] = 3


class UserError(GreylagError):
    """Configuration, prompt, credentials, a path: names the thing and the remedy."""

    exit_code = 2


class InfraError(GreylagError):
    """A sandbox, network, disk or service failed. It says nothing about the change; an agent never sees it."""

    exit_code = 75


class AgentError(GreylagError):
    """The agent could not be started, crashed or broke its protocol."""

    exit_code = 4
