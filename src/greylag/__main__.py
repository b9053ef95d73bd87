"""The process boundary: exit codes, one clear line for expected errors, a report to paste for our own bugs.

Exit codes: 0 done (opened, nothing to change, declined, verified), 1 the gate said no, 2 the user must act,
3 a bug of greylag, 4 the agent failed, 75 infrastructure failed (try again), 130 interrupted.
"""

import errno
import gc
import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    _fill_streams()
    if sys.argv[1:] == ["--version"]:  # without importing anything: editors and scripts ask often
        from greylag import __version__  # noqa: PLC0415 - start-up time

        print(f"greylag {__version__}")
        _leave(0)
    gc.set_threshold(50_000, 20, 20)  # what is imported stays: no need to look through it again and again,
    try:
        code = _run()
        _stay_true()
    except KeyboardInterrupt:  # of the imports as well
        print("greylag: interrupted", file=sys.stderr)
        code = 130
    _leave(code)


def _leave(code: int) -> None:
    try:
        sys.stdout.flush()
    except OSError as error:  # a full disk, which the interpreter would find at its end, with an exit code of its own
        _silence()
        code = code or (141 if isinstance(error, BrokenPipeError) else _no_room(error))
    gc.freeze()  # nor at the end
    sys.exit(code)


def _fill_streams() -> None:
    """A standard stream that was closed becomes an empty one: no file that is opened later may take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            taken = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            os.set_inheritable(taken, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def _stay_true() -> None:
    """All is done and said: a signal that comes while the interpreter takes its leave must not deny it."""
    import signal  # noqa: PLC0415 - start-up time

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _run() -> int:
    from greylag.cli import command_line  # noqa: PLC0415 - start-up time
    from greylag.errors import GreylagError  # noqa: PLC0415

    try:
        code = command_line()
        sys.stdout.flush()
    except GreylagError as error:
        print(f"greylag: {' '.join(str(error).split())}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        code = error.exit_code
    except BrokenPipeError:
        _silence()
        code = 141
    except OSError as error:
        code = _no_room(error) if error.errno in {errno.ENOSPC, errno.EDQUOT} else _forbidden(error) or _bug()
    except Exception:  # noqa: BLE001 - the one place: a bug of ours becomes a report instead of a bare traceback
        code = _bug()
    return code


def _no_room(error: OSError) -> int:
    _silence()
    where = f" for {error.filename}" if error.filename else ""
    print(f"greylag: {error.strerror}{where}; make room, and try again", file=sys.stderr)
    return 75


def _forbidden(error: OSError) -> int:
    """2 for something of somebody else in a place of ours, such as a run as root leaves there; 0 for all else."""
    from pathlib import Path  # noqa: PLC0415

    from greylag import config  # noqa: PLC0415

    places = {"STATE": (known := config.Directories.of(os.environ)).state, "CACHE": known.cache}
    name = next((n for n, place in places.items() if Path(str(error.filename)).is_relative_to(place)), None)
    if name is None or not isinstance(error, PermissionError):
        return 0
    remedy = f"take back what is another user's in {places[name]}, or set GREYLAG_{name} to a directory of yours"
    print(f"greylag: {error.filename}: {error.strerror}; {remedy}", file=sys.stderr)
    return 2


def _silence() -> None:
    """Nobody takes what is still to be printed: the interpreter must not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bug() -> int:
    import platform  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    from greylag import __version__  # noqa: PLC0415

    print("greylag: this is a bug in greylag. Please report it with the lines below.\n", file=sys.stderr)
    print(f"greylag {__version__}, Python {platform.python_version()}, {platform.platform()}", file=sys.stderr)
    print(f"command: greylag {' '.join(sys.argv[1:2])} ...", file=sys.stderr)
    traceback.print_exc()
    return 3


if __name__ == "__main__":
    main()
