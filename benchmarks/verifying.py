"""Verification of a tree that nobody has seen, against its tool alone; the gate after it; what a model gets to read.

The allowance is what verification may cost beside its tool: 5 % of the tool's time, and 300 ms.
"""

import subprocess
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.measure import medians, tell
from greylag import assembly, config
from greylag.model import Repo
from greylag.report import Report
from greylag.testing.service import make_service
from greylag.verification import Verification
from greylag.workspace import Workspace

SECONDS = 2  # that the tests of the sample repository take
NOISE = 'for n in $(seq 20000); do echo "downloading part $n of the world"; done; exit 1\n'


def opened(place: Path, repo: Path) -> tuple[Workspace, Verification]:
    """As in a run, with a warm cache."""
    settings, directories = config.parse("", "benchmark"), config.Directories(place / "state", place / "cache")
    box = assembly.backend(settings, unsafe=False)
    home = place / "run"
    home.mkdir()
    workspace = Workspace.checkout(Repo(str(repo)), home=home, cache=directories.cache, owner=box.owner)
    return workspace, assembly.verification(
        workspace, settings, directories, home=home, box=box, observe=lambda _: None
    )


def verifying(workspace: Workspace, verification: Verification, baseline: Report) -> Callable[[], object]:
    numbers = count()

    def once() -> None:
        (workspace.directory / "greeting").write_text(f"Hello {next(numbers)}\n")
        report = verification.run(workspace.freeze(verification.backend), mode="loop", baseline=baseline)
        assert report.passed, report.render()

    return once


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        repo = make_service(place / "service", {"tests/slow.sh": f"sleep {SECONDS}\n"})
        workspace, verification = opened(place, repo)
        baseline = verification.baseline()

        def tool() -> None:
            subprocess.run(["sh", "run-tests"], cwd=repo, check=True, stdout=subprocess.DEVNULL)

        def gate() -> None:
            assert verification.run(workspace.freeze(), mode="gate", baseline=baseline).passed

        whole, again, bare = medians(7, verifying(workspace, verification, baseline), gate, tool)
        tell("what verification adds to its tool", (whole - bare) / (0.05 * bare + 0.3), "the allowance")
        tell("a gate that knows the tree", again / 0.1, "100 ms")

        (workspace.directory / "tests/slow.sh").write_text(NOISE)
        report = verification.run(workspace.freeze(), mode="loop", baseline=baseline)
        log = next(verification.home / "logs" / v.log for v in report.failed if v.log)
        tell("a log whose failures are read", log.stat().st_size / len(report.render().encode()), "what a model gets")
        verification.close()
        workspace.close()


if __name__ == "__main__":
    main()
