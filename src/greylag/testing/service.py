"""A small repository that greylag can verify anywhere without the network: a shell script with tests of its own.

`.greylag.toml` declares its test command; each file `tests/*.sh` is a test that passes when it exits with 0.
"""

from pathlib import Path

from greylag.testing.repos import Files, make_repo

RUNNER = """#!/bin/sh
# Runs every test and writes a JUnit report.
failed=0
{
  echo '<testsuite name="sh">'
  for test in tests/*.sh; do
    name=$(basename "$test" .sh)
    if out=$(sh "$test" 2>&1); then echo "<testcase classname='sh' name='$name'/>"
    else
      failed=1
      echo "$name: $out" >&2
      echo "<testcase classname='sh' name='$name' file='$test'><failure message='$out'/></testcase>"
    fi
  done
  echo '</testsuite>'
} > report.xml
exit $failed
"""

FILES: Files = {
    ".greylag.toml": '[[command]]\nname = "sh tests"\nrun = "sh run-tests"\nreports = ["report.xml"]\n',
    "run-tests": RUNNER,
    "greet": "#!/bin/sh\necho Hello, $1\n",
    "tests/hello.sh": '[ "$(sh greet Ada)" = "Hello, Ada" ] || { echo "greet said: $(sh greet Ada)"; exit 1; }\n',
    "tests/name.sh": 'sh greet Bob | grep -q Bob || { echo "no name"; exit 1; }\n',
    "README.md": "# greet\n",
}


def make_service(path: Path, changes: Files | None = None) -> Path:
    """A repository with `FILES`, some of them changed."""
    files = {**FILES, **(changes or {})}
    return make_repo(path, {name: text for name, text in files.items() if text is not None})
