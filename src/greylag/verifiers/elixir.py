"""Elixir projects of Mix: the formatter where it is configured, compilation, ExUnit.

Preparation fetches and compiles dependencies, if there are any; everything runs in Mix's environment `test`. Warnings
are errors where CI, a Makefile or mix.exs says so. A formatter of our own, beside the usual one, writes TAP: ExUnit's
text does not name the tests that passed.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from greylag import readers
from greylag.kinds import CI, matches
from greylag.model import Counts, Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _tool
from greylag.verifiers._files import failing, roots
from greylag.verifiers._plan import Again, Reader, Tests
from greylag.verifiers._pyproject import below, text
from greylag.verifiers._tool import Plan, Step

_MANIFEST = "mix.exs"
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_DEPENDENCY = re.compile(r"\{\s*:\w+\s*,\s*(?:\"|~[sS]|(?:path|git|github|in_umbrella|hex):|\[)")
_STRICT = "--warnings-as-errors"
_MACHINE = r"You're trying to run :\w+ on Elixir \S+ but it has declared|\*\* \(Mix\) .* requires Erlang/OTP"
_NETWORK = r"failed_connect|Request failed \(:(?:timeout|nxdomain|econnrefused)\)|httpc request failed|:nxdomain"
_ALL = b"# all of them\n"
_FORMATTER = r"""
defmodule Greylag.Formatter do
  use GenServer

  def init(_), do: {:ok, System.fetch_env!("GREYLAG_TAP")}

  def handle_cast({:test_started, test}, path) do
    begun = "#{test.tags.file}:#{test.tags.line} #{inspect(test.module)} #{test.name}\n"
    File.write!(path <> ".begun", begun, [:append])
    {:noreply, path}
  end

  def handle_cast({:test_finished, test}, path) do
    name = String.replace("#{inspect(test.module)} #{test.name}", ["\n", "#"], " ")
    File.write!(path, point(test.state, name, test), [:append])
    {:noreply, path}
  end

  def handle_cast({:suite_finished, _}, path) do
    File.write!(path, "# all of them\n", [:append])
    {:noreply, path}
  end

  def handle_cast(_, path), do: {:noreply, path}

  defp point(nil, name, _), do: "ok - #{name}\n"
  defp point({kind, _}, name, _) when kind in [:skipped, :excluded], do: "ok - #{name} # SKIP\n"

  defp point({:failed, failures}, name, test) do
    text = ExUnit.Formatter.format_test_failure(test, failures, 1, 80, fn _, said -> said end)
    said = text |> String.split("\n") |> Enum.drop(2) |> Enum.map_join("\n", &("    " <> line(&1)))
    "not ok - #{name}\n  ---\n  location: #{test.tags.file}:#{test.tags.line}:1\n  message: |-\n#{said}\n  ...\n"
  end

  defp point(_, name, _), do: "not ok - #{name}\n"

  defp line(said) do
    bare = String.trim(said)
    cond do
      bare == "..." -> "(...)"
      bare =~ ~r/^\S+\.exs?:\d+: / -> bare
      true -> String.replace_prefix(said, "     ", "")
    end
  end
end
"""


class Elixir:
    """Verifier of Mix projects and umbrellas."""

    name = "elixir"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation where there are dependencies, compilation, tests; the formatter where it is configured."""
        return [activation for root in _roots(tree) for activation in _activations(root, tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = Elixir


def _roots(tree: Tree) -> list[str]:
    """Directories with a mix.exs, but the applications of an umbrella, and fetched dependencies."""
    found = [root for root in roots(tree, lambda name: name == _MANIFEST) if "deps" not in root.split("/")]
    umbrellas = [root for root in found if "apps_path" in text(tree, f"{root}/{_MANIFEST}")]
    return [root for root in found if not any(below(root, umbrella) for umbrella in umbrellas)]


def _activations(root: str, tree: Tree) -> Iterator[Activation]:
    prefix = "" if root == "." else f"{root}/"
    files = [path.removeprefix(prefix) for path in tree.paths() if path.startswith(prefix)]
    inputs = tuple(f"{prefix}{file}" for file in files if _decides(file))
    tools, reason = {"elixir": ("elixir", "--version")}, f"{prefix}{_MANIFEST}"

    def activation(name: str, phase: Phase, why: str, *steps: Step) -> Activation:
        return Activation("elixir", name, phase, root, why, (), Plan(steps, tools))

    if any(_DEPENDENCY.search(_COMMENT.sub("", text(tree, path))) for path in inputs if path.endswith(_MANIFEST)):
        outputs = (f"/{prefix}deps/", f"/{prefix}_build/", *([] if "mix.lock" in files else [f"/{prefix}mix.lock"]))
        plan = Plan(tuple(_fetch()), tools)
        yield Activation("elixir", "mix deps.get", Phase.PREPARE, root, reason, inputs, plan, outputs)
    if ".formatter.exs" in files:
        step = replace(_mix("format", "--check-formatted", read=readers.elixir_text), rewrite=_mix("format"))
        yield activation("mix format", Phase.FORMAT, f"{prefix}.formatter.exs", step)
    strict = (_STRICT,) if _is_strict(tree, prefix) else ()
    read = failing(readers.elixir_text, alone=True) if strict else readers.elixir_text
    yield activation("mix compile", Phase.COMPILE, reason, _mix("compile", *strict, read=read))
    if any(re.fullmatch(r"(?:apps/[^/]+/)?test/(?:.*/)?[^/]+_test\.exs", file) for file in files):
        yield activation("mix test", Phase.TEST, reason, _test(root, prefix))


def _decides(file: str) -> bool:
    """Whether a file can say which dependencies are fetched, or how they are compiled."""
    name = posixpath.basename(file)
    configures = "/config/" in f"/{file}" and name.endswith(".exs")
    return name in {_MANIFEST, "mix.lock"} or configures


def _is_strict(tree: Tree, prefix: str) -> bool:
    own = {f"{prefix}{name}" for name in (_MANIFEST, "Makefile", "justfile")}
    said = (path for path in tree.paths() if path in own or (path.startswith(".") and matches(path, CI)))
    return any(_STRICT in text(tree, path) for path in said)


def _fetch() -> Iterator[Step]:
    """Hex and rebar where the machine has none, then the dependencies; compiled, since some fetch what they need."""
    for words in (("local.hex", "--force", "--if-missing"), ("local.rebar", "--force", "--if-missing")):
        yield _mix(*words, unable=f"{_MACHINE}|{_NETWORK}")
    yield _mix("deps.get", unable=f"{_MACHINE}|{_NETWORK}")
    yield _mix("deps.compile", read=readers.elixir_text, unable=f"{_MACHINE}|{_NETWORK}")


def _test(root: str, prefix: str) -> Step:
    report = f"@home@/.greylag/mix-{re.sub(r'[^A-Za-z0-9]+', '-', root)}.tap"
    formatters = ("--formatter", "ExUnit.CLIFormatter", "--formatter", "Greylag.Formatter")
    words = ("-e", _FORMATTER, "-S", "mix", "test", *formatters)

    def again(failed: Sequence[Diagnostic]) -> tuple[str, ...]:
        places = (f"./{d.path.removeprefix(prefix)}:{d.line}" for d in failed if d.path and d.line)
        return (*words, *dict.fromkeys(places))

    return _mix(*words, program="elixir", report=report, read=_complete, again=again)


def _complete(data: bytes, root: str, workspace: str) -> Tests:
    """TAP of our formatter. Code of a test can end Elixir, with any exit code, before the other tests have run."""
    points, whole, _ = data.partition(_ALL)
    if whole and not points:
        return Counts(0), ()
    counts, found = readers.tap(data, root, workspace)
    early = Diagnostic("the tests ended before all of them had run", rule=readers.UNREADABLE)
    return counts, found if data.endswith(_ALL) else (*found, early)


def _mix(
    *words: str,
    program: str = "mix",
    read: Reader | None = None,
    report: str = "",
    again: Again | None = None,
    unable: str = _MACHINE,
) -> Step:
    return Step(
        ((program,),),
        words,
        install="install Elixir and Erlang",
        env={"MIX_ENV": "test", "MIX_HOME": "@home@/.mix", "HEX_HOME": "@home@/.hex", "GREYLAG_TAP": report},
        append={"ELIXIR_ERL_OPTIONS": "+S @cpus@"},
        offline_env={"HEX_OFFLINE": "1"},
        reports=(report,) if report else (),
        journal=f"{report}.begun" if report else "",
        read_report=read if report else None,
        read_log=readers.elixir_text if report else read,
        again=again,
        unable=unable,
        title="mix test" if report else f"mix {words[0]}",
    )
