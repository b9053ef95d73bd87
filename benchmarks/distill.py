"""The distiller: a log of 32 MB, noise with a few failures, against reading the file."""

import tempfile
from pathlib import Path

from benchmarks.measure import medians, tell
from greylag.distill import distill

NOISE = "2026-01-02T03:04:05Z INFO  worker-{0}: downloaded org.example:part-{0}:1.{0}.jar in {0} ms\n"
FAILURE = "src/part_{0}.c:{0}:5: error: expected ';' before 'return'\n"


def log(size: int) -> str:
    block = "".join(NOISE.format(n) for n in range(2000)) + FAILURE.format(7)
    return block * (size // len(block)) + "make: *** [all] Error 1\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "log")
        path.write_text(log(32 << 20))
        reading, distilling = medians(3, path.read_bytes, lambda: distill(path.read_bytes(), budget=800))
    tell("distilling a log", distilling / reading, "reading it")


if __name__ == "__main__":
    main()
