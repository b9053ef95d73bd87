"""The command line: parsing and printing only. A verb is one file in `greylag.commands`, imported when used."""

import signal
import sys
from importlib import import_module
from types import FrameType

import click

from greylag import __version__
from greylag.errors import UserError

VERBS = {
    "run": "Carry out one prompt on one repository, up to the pull request.",
    "verify": "Verify a directory as the gate would.",
    "judge": "Let the judge compare a change with a prompt.",
    "distill": "Keep the few lines of a log that matter.",
    "mcp": "Serve the tool `verify` over stdio, for any agent or IDE.",
    "hook": "Stop gate for Claude Code and Codex.",
    "prompt": "Point out what a prompt lacks.",
    "replay": "Carry out a stored run again, with the recorded answers of its models.",
    "show": "Show the newest runs, or the time line of one.",
    "doctor": "Check this machine and the settings.",
    "init": "Choose an agent, a judge and a forge, and write the settings.",
}


class _Verbs(click.Group):
    """A group whose commands are imported on demand: `--version` and `--help` stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"greylag.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


EPILOG = (
    "Begin with `greylag doctor` and `greylag verify PATH`. Exit codes: 0 done, 1 the gate said no, 2 something is "
    "yours to mend, 3 a bug of greylag, 4 the agent failed, 75 the machine or a service failed, 130 interrupted."
)


@click.group(
    cls=_Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, message="greylag %(version)s")
def greylag() -> None:
    """Background coding agents for fleets of repositories, with a gate that tells the truth."""


def command_line(arguments: list[str] | None = None) -> int:
    """Run a verb; the answer is the exit code. Errors of ours pass through to the process boundary."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` has it
            signal.signal(number, _interrupt)
    streams = sys.stdout, sys.stderr
    try:
        result = greylag.main(arguments, prog_name="greylag", standalone_mode=False)
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except SystemExit:
        if sys.stdout is streams[0]:
            raise
        sys.stdout, sys.stderr = streams  # click puts others there when the reader of its output has gone
        raise BrokenPipeError from None
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(file=sys.stderr)
        return 2
    except click.ClickException as error:
        raise UserError(_one_line(error)) from error
    return result if isinstance(result, int) else 0


def _one_line(error: click.ClickException) -> str:
    """What is wrong with the command line, and where its options are explained."""
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "greylag"
    return f"{error.format_message().rstrip('.')} (see `{path} --help`)"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """A polite end is the same as Ctrl-C: the agent is stopped, sandboxes are killed, the record is closed."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # shell and kernel may both send one
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
