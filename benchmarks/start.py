"""Start-up: `greylag --version` and `greylag --help` against an interpreter that does nothing."""

import subprocess
import sys
from collections.abc import Callable

from benchmarks.measure import medians, tell

HEAVY = ("click", "rich", "pydantic", "sqlalchemy", "httpx2", "asyncio", "pydantic_ai", "openai", "anthropic", "mcp")


def running(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)


def imported(*arguments: str) -> set[str]:
    command = [sys.executable, "-X", "importtime", "-m", "greylag", *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return {line.rpartition("|")[2].strip() for line in said.splitlines()}


def main() -> None:
    nothing, version, usage = medians(
        30, running("-c", "pass"), running("-m", "greylag", "--version"), running("-m", "greylag", "--help")
    )
    tell("greylag --version", version / nothing, "python -c pass")
    tell("greylag --help", usage / nothing, "python -c pass")
    for arguments in (["--version"], ["--help"], ["run", "--help"]):
        found = imported(*arguments)
        print(f"  not imported by greylag {' '.join(arguments)}: {', '.join(n for n in HEAVY if n not in found)}")


if __name__ == "__main__":
    main()
