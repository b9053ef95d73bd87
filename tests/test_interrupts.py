"""What must not stay half done is finished before an interrupt, unless a person insists."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from greylag.interrupts import POLITE, held_off


@pytest.mark.parametrize("number", POLITE)
def test_a_signal_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    code = (
        "import os, signal; from greylag import cli; from greylag.interrupts import held_off\n"
        "for number in (signal.SIGTERM, signal.SIGHUP): signal.signal(number, cli._interrupt)\n"
        f"try:\n  with held_off():\n    os.kill(os.getpid(), {int(number)}); print('finished')\n"
        "  print('not reached')\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["finished", "interrupted"]


def test_a_second_ctrl_c_does_not_wait_but_a_terminal_that_closes_twice_does() -> None:
    before = [signal.signal(number, signal.default_int_handler) for number in POLITE]
    done = []

    def work() -> None:
        with held_off():
            for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGINT):
                os.kill(os.getpid(), number)
                done.append(number)

    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        assert done == [signal.SIGHUP, signal.SIGHUP]
        assert [signal.getsignal(number) for number in POLITE] == [signal.default_int_handler] * 3
    finally:
        for number, handler in zip(POLITE, before, strict=True):
            signal.signal(number, handler)


def test_what_was_ignored_stays_ignored_as_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with held_off():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_error_goes_before_the_interrupt() -> None:
    def work() -> None:
        with held_off():
            os.kill(os.getpid(), signal.SIGINT)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work()


def test_other_threads_may_use_it() -> None:
    done = []

    def work() -> None:
        with held_off():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
