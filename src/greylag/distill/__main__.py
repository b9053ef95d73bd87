"""`python -m greylag.distill [--budget TOKENS]`: distil standard input."""

import sys

from greylag.distill import distill


def main() -> None:
    """Print what matters of the log on standard input."""
    budget = int(sys.argv[2]) if sys.argv[1:2] == ["--budget"] and len(sys.argv) == 3 else 1000
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    if text := distill(sys.stdin.buffer.read(), budget=budget).text:
        print(text)


if __name__ == "__main__":
    main()
