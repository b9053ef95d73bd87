"""A whole run against the commands that it cannot do without: the tests of the base, the change, the tests again."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.measure import medians, tell
from greylag.testing.service import make_service

CHANGE = "echo Hello, you > greeting"
SETTINGS = f'[agent]\nname = "command"\nrun = "{CHANGE}"\n[judge]\nmode = "off"\n'
SECONDS = 2  # that the tests of the sample repository take


def run(place: Path, repo: Path) -> Callable[[], object]:
    """A run that nothing is remembered from."""
    (place / "greylag.toml").write_text(SETTINGS)
    numbers = count()

    def once() -> None:
        number = next(numbers)
        env = {"PATH": os.environ["PATH"], "HOME": str(place), "GREYLAG_CONFIG": str(place / "greylag.toml")}
        env |= {f"GREYLAG_{name}": str(place / f"{name}{number}") for name in ("STATE", "CACHE")}
        command = [sys.executable, "-m", "greylag", "run", "-m", f"Add a greeting {number}", "--repo", str(repo)]
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)

    return once


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        repo = make_service(place / "service", {"tests/slow.sh": f"sleep {SECONDS}\n"})

        def commands() -> None:
            for script in ("sh run-tests", CHANGE, "sh run-tests"):
                subprocess.run(["sh", "-c", script], cwd=repo, check=True, stdout=subprocess.DEVNULL)

        def nothing() -> None:
            subprocess.run([sys.executable, "-c", "pass"], check=True)

        whole, bare, unit = medians(5, run(place, repo), commands, nothing)
    tell(f"a run whose tests take {SECONDS} s", whole / bare, "its commands alone")
    tell("what the run adds to its commands", (whole - bare) / unit, "python -c pass")


if __name__ == "__main__":
    main()
