"""`greylag verify` on broken repositories: one line for each fault, then false passes and places per ecosystem."""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.faults import ENDS, Fault, faults
from greylag.testing.repos import commit, git, make_repo, write

LINES = 10  # of a report, in which the place must stand
_ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Shown:
    """What came of one fault. `ended` is a word of `ENDS`, or the exit code that is none of them."""

    fault: Fault
    ended: str
    report: str
    seconds: float

    @property
    def missing(self) -> list[str]:
        """Words that the first lines of the report lack."""
        head = "\n".join(self.report.splitlines()[:LINES])
        return [word for word in self.fault.says if word not in head]

    @property
    def wrong(self) -> str:
        """What is wrong with it, the worst first; nothing when all is well."""
        if self.ended != self.fault.ends:
            named = {"passed": "FALSE PASS", "failed": "BLAMED" if self.fault.ends == "errored" else "FALSE ALARM"}
            return f"{named.get(self.ended, 'WRONG END')}: {self.ended}, not {self.fault.ends}"
        if said := [word for word in self.fault.never if word in self.report]:
            return f"NOISE: says {said}"
        return f"NOT IN {LINES} LINES: {self.missing}" if self.missing else ""


def show(fault: Fault, place: Path) -> Shown:
    """The fault, tried. Those with one base share a repository, whose base commit is verified once."""
    written = json.dumps([fault.base, fault.setup], sort_keys=True)
    repository = place / f"{fault.ecosystem}-{hashlib.sha256(written.encode()).hexdigest()[:8]}"
    if not (repository / ".git").is_dir():
        make_repo(repository, {})
        write(repository, fault.base)
        if fault.setup:
            subprocess.run(fault.setup, cwd=repository, check=True, capture_output=True, env=_environment(place))
        commit(repository, {}, "Start")
    git(repository, "reset", "--quiet", "--hard")
    git(repository, "clean", "--quiet", "-ffdx")
    write(repository, fault.change)
    settings = place / "settings.toml"
    settings.write_text(fault.settings)
    command = [sys.executable, "-m", "greylag", "verify", str(repository), "--config", str(settings)]
    begin = time.monotonic()
    done = subprocess.run(
        command, env=_environment(place), capture_output=True, text=True, errors="replace", check=False
    )
    ended = {code: word for word, code in ENDS.items()}.get(done.returncode, f"exit code {done.returncode}")
    report = done.stdout or done.stderr
    return Shown(fault, ended, report, time.monotonic() - begin)


def _environment(place: Path) -> dict[str, str]:
    own = {"HOME": place / "home", "GREYLAG_CACHE": place / "cache", "GREYLAG_STATE": place / "state"}
    own["HOME"].mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT / "src"), **{k: str(v) for k, v in own.items()}}


def table(shown: Sequence[Shown]) -> None:
    """One line per ecosystem and one for all."""
    print(f"\n{'':<12}{'faults':>7}{'false passes':>14}{'wrong ends':>12}{'placed':>10}{'seconds':>9}")
    for ecosystem in (*sorted({it.fault.ecosystem for it in shown}), "in total"):
        rows = [it for it in shown if ecosystem in {it.fault.ecosystem, "in total"}]
        false = sum(it.ended == "passed" != it.fault.ends for it in rows)
        other = sum(it.ended != it.fault.ends for it in rows) - false
        named = [it for it in rows if it.fault.says]
        placed = f"{sum(not it.missing for it in named)}/{len(named)}"
        seconds = sum(it.seconds for it in rows)
        print(f"{ecosystem:<12}{len(rows):>7}{false:>14}{other:>12}{placed:>10}{seconds:>9.0f}")


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("words", nargs="*", help="only faults that have one of these in `ecosystem/name`")
    options.add_argument("--keep", type=Path, metavar="DIR", help="where repositories and caches stay for the next run")
    options.add_argument("--report", action="store_true", help="print the report of each fault, not only of wrong ones")
    chosen = options.parse_args(arguments)
    found = [
        fault
        for fault in faults()
        if not chosen.words or any(word in f"{fault.ecosystem}/{fault.name}" for word in chosen.words)
    ]
    shown: list[Shown] = []
    with tempfile.TemporaryDirectory() as name:
        place = (chosen.keep or Path(name)).absolute()
        place.mkdir(parents=True, exist_ok=True)
        for fault in found:
            title = f"{fault.ecosystem}/{fault.name}"
            if lacking := [program for program in fault.needs if not shutil.which(program)]:
                print(f"SKIPPED  {title}: {', '.join(lacking)} missing here", flush=True)
                continue
            shown.append(it := show(fault, place))
            print(f"{'WRONG' if it.wrong else 'ok':<9}{title:<45}{it.seconds:6.1f} s  {it.wrong}", flush=True)
            if it.wrong or chosen.report:
                print("    | " + "\n    | ".join(it.report.splitlines()), flush=True)
    table(shown)
    return int(any(it.wrong for it in shown))


if __name__ == "__main__":
    sys.exit(main())
