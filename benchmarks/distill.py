"""The distiller: a log of 32 MB, noise with a few failures, against reading the file; and what it finds in others.

These are real tools' logs, each between some thousand lines of noise, with what a reader must learn from them in
`logs.toml`. The distiller has been mended by some of them, so they show that it got no worse, not how good it is.
"""

import random
import tempfile
import tomllib
from functools import partial
from pathlib import Path

from benchmarks.measure import medians, tell
from greylag.distill import distill

GOLDEN = Path(__file__).parent.parent / "tests/golden"
TOKENS = 1000  # of four characters

NOISE = "2026-01-02T03:04:05Z INFO  worker-{0}: downloaded org.example:part-{0}:1.{0}.jar in {0} ms\n"
FAILURE = "src/part_{0}.c:{0}:5: error: expected ';' before 'return'\n"

SIZE = 16 << 20
ODD = {
    "errors that differ in numbers": b"".join(FAILURE.format(n).encode() for n in range(SIZE // 50))[:SIZE],
    "errors that all differ": b"".join(b"error: %x in %x\n" % (hash(str(n)), n * n) for n in range(SIZE // 36))[:SIZE],
    "random bytes": random.Random(1).randbytes(SIZE),
    "lines of one character": b"a\n" * (SIZE // 2),
    "carriage returns": b"progress 10%\r" * (SIZE // 13),
    "bytes that are no UTF-8": bytes(random.Random(1).choice(b"\xff\xfe\xe9\xc3abc\n") for _ in range(1 << 20)) * 16,
    "names of packages": b"".join(b"[pkg-%d]: something goes on %d\n" % (n % 50, n) for n in range(SIZE // 35)),
    "tests that all fail": b"".join(
        b"--- FAIL: Test%x (0.00s)\n    a_test.go:%d: bad\n" % (n * n, n) for n in range(SIZE // 52)
    ),
    "other scripts": "\u9519\u8bef: \u6d4b\u8bd5 \u2717 fail\n".encode() * (SIZE // 32),
    "one line": b'{"level":"info","msg":"ok"},' * (SIZE // 28),
    "colours": b"\x1b[31mword\x1b[0m \x1b[32mnext\x1b[39m\n" * (SIZE // 34),
}


def log(size: int) -> str:
    block = "".join(NOISE.format(n) for n in range(2000)) + FAILURE.format(7)
    return block * (size // len(block)) + "make: *** [all] Error 1\n"


def recall() -> tuple[float, float, int]:
    """Shares of what is to be learned, by the distiller and by the end of the log, and how much there is."""
    wanted = found = last = 0
    for name, signals in tomllib.loads(Path(__file__).with_name("logs.toml").read_text("utf-8")).items():
        around = "".join(NOISE.format(n) for n in range(3000))
        text = around + (GOLDEN / name).read_text("utf-8") + around
        told, end = distill(text.encode(), budget=TOKENS).text, text[-4 * TOKENS :]
        wanted += len(signals)
        found += sum(signal in told for signal in signals)
        last += sum(signal in end for signal in signals)
        for signal in signals:
            if signal not in text:
                raise ValueError(f"{name} does not say {signal!r}")
    return found / wanted, last / wanted, wanted


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "log")
        path.write_text(log(32 << 20))
        reading, distilling = medians(3, path.read_bytes, lambda: distill(path.read_bytes(), budget=800))
    tell("distilling a log", distilling / reading, "reading it")
    print(f"  which is {32 / distilling:.0f} MiB a second here")
    for name, odd in ODD.items():
        (other,) = medians(3, partial(distill, odd, budget=800))
        print(f"  {name}: {(16 << 20) / other / (32 << 20) * distilling:.1f} times as fast")
    found, last, of = recall()
    print(
        f"  of {of} things that logs say, {found:.0%} are in {TOKENS} tokens of the distiller, {last:.0%} in the last"
    )


if __name__ == "__main__":
    main()
