"""What every sandbox backend must do. `CONTRACT` holds checks; each takes a backend and an empty directory.

    @pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
    def test_contract(check, tmp_path):
        check(MyBackend(), tmp_path)

They need a POSIX shell and a Python inside, nothing else. What isolates is not in here: it cannot hold for `none`.
"""

from collections.abc import Callable
from pathlib import Path

from greylag.protocols import SandboxBackend
from greylag.testing.sandbox import ends, inside, results
from greylag.testing.sandbox.helpers import Sleepers, alive, echo_server, python, shell, spec, until

__all__ = ["CONTRACT", "Sleepers", "alive", "echo_server", "python", "shell", "spec", "until"]

CONTRACT: tuple[Callable[[SandboxBackend, Path], None], ...] = (
    results.exit_codes_are_told_apart,
    results.streams_are_merged_or_apart,
    results.streams_can_be_reopened_by_name,
    results.standard_input_is_given_or_empty,
    results.large_output_keeps_head_and_tail,
    results.bytes_are_not_text,
    results.an_answer_comes_apart_from_the_output,
    inside.marks_are_replaced,
    inside.marks_in_words_of_others_stay,
    inside.the_environment_is_what_was_asked_for,
    inside.writes_go_to_the_upper,
    inside.unchanged_files_stay_below,
    inside.the_home_stays_between_commands,
    inside.commands_run_in_their_directory,
    inside.sockets_and_forwards_reach_the_host,
    ends.time_is_bounded,
    ends.output_is_bounded,
    ends.memory_is_bounded_and_named,
    ends.processes_are_bounded,
    ends.a_callback_that_raises_ends_the_command,
    ends.an_interrupt_ends_the_command,
    ends.kill_ends_commands_at_once,
    ends.nothing_outlives_a_command,
    ends.closing_kills_and_refuses,
    ends.commands_run_at_the_same_time,
)
