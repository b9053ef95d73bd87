"""Ruby projects of Bundler: RuboCop or Standard where configured, RSpec, and Minitest or test-unit by way of Rake.

Gems are installed by the preparation, in the versions of Gemfile.lock where one is tracked; those that the machine has
in that version are taken as they are. Later phases start every program by `bundle exec`, in the bundle's version.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _summaries, _tool
from greylag.verifiers._files import roots
from greylag.verifiers._plan import Again, Reader
from greylag.verifiers._pyproject import below, text
from greylag.verifiers._tool import Plan, Step

_GEMFILES = ("Gemfile", "gems.rb")
_LOCKS = {"Gemfile": "Gemfile.lock", "gems.rb": "gems.locked"}
_HOME = "@home@/.greylag/gems"
_STANDARD = re.compile(r"""(?:\bgem|_dependency)[ (]+["']standard["']""")
_RAKE = re.compile(r"TestTask|\btask[ (]+(?::test\b|[\"']test[\"']|test:)|\bload_tasks\b|Hoe\.spec")
_TEST, _SPEC = re.compile(r"(?:.*/)?(?:test_[^/]*|[^/]*_test)\.rb"), re.compile(r"(?:.*/)?[^/]*_spec\.rb")
_BEGUN = "@home@/.greylag/rspec-begun.txt"
_JOURNAL = """
class GreylagJournal
  RSpec::Core::Formatters.register self, :example_started

  def initialize(output)
    @output = output
  end

  def example_started(told)
    @output.puts "#{told.example.location} #{told.example.full_description}"
    @output.flush
  end
end
"""
_RSPEC = (
    *("--no-color", "--no-fail-fast", "--format", "progress"),
    *("--require", "@files@/journal.rb", "--format", "GreylagJournal", "--out", _BEGUN),
    *("--format", "json", "--out"),
)
_MACHINE = r"Your Ruby version is \S+, but your Gemfile specified|requires (?:rubygems|ruby) version .* which is inc"
_NETWORK = (
    r"Could not reach host \S+|Network error while fetching \S+|Could not fetch specs from \S+|SocketError"
    r"|Gem::RemoteFetcher::FetchError|Git error: command `git (?:clone|fetch)"
)
_UNTOLD = r"(?:command not found: |can't find executable |cannot load such file -- )(?:rubocop|standardrb|standard)\b"


@dataclass(frozen=True, slots=True)
class _Project:
    """A directory with a Gemfile. Files are relative to it, without those of projects below."""

    root: str
    gemfile: str
    files: tuple[str, ...]
    tree: Tree

    def text(self, name: str) -> str:
        return text(self.tree, f"{self.root}/{name}")

    def at(self, name: str) -> str:
        return posixpath.normpath(f"{self.root}/{name}")


class Ruby:
    """Verifier of Ruby projects: each directory with a Gemfile."""

    name = "ruby"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, and one activation for each tool that the project has."""
        return [activation for project in _projects(tree) for activation in _activations(project)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _summaries.uncounted(_tool.run(activation, context))


PLUGIN = Ruby


def _projects(tree: Tree) -> Iterator[_Project]:
    found = roots(tree, lambda name: name in _GEMFILES)
    for root in found:
        others = [other for other in found if below(other, root)]
        inside = [path for path in tree.paths() if below(path, root) and not any(below(path, o) for o in others)]
        files = tuple(posixpath.relpath(path, root) for path in inside)
        yield _Project(root, next(name for name in _GEMFILES if name in files), files, tree)


def _activations(project: _Project) -> Iterator[Activation]:
    checks = [*_lint(project), *_tests(project)]
    if not checks:
        return
    locked = _LOCKS[project.gemfile] in project.files
    inputs = tuple(project.at(file) for file in project.files if _decides(file))
    outputs = ("/" + project.at("vendor/bundle/"), *(() if locked else ("/" + project.at(_LOCKS[project.gemfile]),)))
    note = "" if locked else f"there is no {_LOCKS[project.gemfile]}: versions are the registry's newest that fit"
    install = _bundle("install", locked=locked, unable=f"{_MACHINE}|{_NETWORK}")
    reason = project.at(project.gemfile)
    tools = {"ruby": ("ruby", "--version"), "bundler": ("bundle", "--version")}
    plan = Plan((install,), tools, note)
    yield Activation("ruby", "bundle install", Phase.PREPARE, project.root, reason, inputs, plan, outputs)
    for name, phase, why, step in checks:
        yield Activation("ruby", name, phase, project.root, project.at(why), (), Plan((step,), tools))


def _decides(file: str) -> bool:
    """Whether a file can say which gems are installed; a gemspec mostly reads its version from a file of its own."""
    name = posixpath.basename(file)
    own = name in {*_GEMFILES, *_LOCKS.values(), ".ruby-version", ".tool-versions", "version.rb"}
    return own or name.endswith(".gemspec") or file == ".bundle/config"


def _lint(project: _Project) -> Iterator[tuple[str, Phase, str, Step]]:
    specs = [file for file in (project.gemfile, *project.files) if file == project.gemfile or file.endswith(".gemspec")]
    named = [file for file in specs if _STANDARD.search(project.text(file))]
    tool, why = ("standardrb", [".standard.yml"]) if ".standard.yml" in project.files else ("standardrb", named)
    if ".rubocop.yml" in project.files:
        tool, why = "rubocop", [".rubocop.yml"]
    if why:
        step = _bundle("exec", tool, "--format", "json", "--cache", "false", read=readers.rubocop_json, untold=_UNTOLD)
        yield tool, Phase.STATIC, why[0], step


def _tests(project: _Project) -> Iterator[tuple[str, Phase, str, Step]]:
    specs = [file for file in project.files if file.startswith("spec/") and _SPEC.fullmatch(file)]
    if specs:
        yield "rspec", Phase.TEST, specs[0], _rspec(project)
    rakefile = next((file for file in ("Rakefile", "rakefile", "Rakefile.rb") if file in project.files), "")
    if rakefile and _RAKE.search(project.text(rakefile)) and any(map(_is_test, project.files)):
        words = ("exec", "rake", "test")
        again: Again = lambda failed: (*words, f"TESTOPTS=--verbose --name='/{_named(failed)}/'")  # noqa: E731
        step = _bundle(*words, "TESTOPTS=--verbose", read=readers.minitest_text, again=again)
        yield "rake test", Phase.TEST, rakefile, step


def _is_test(file: str) -> bool:
    return file.startswith("test/") and bool(_TEST.fullmatch(file))


def _rspec(project: _Project) -> Step:
    report = f"@home@/.greylag/rspec-{re.sub(r'[^A-Za-z0-9]+', '-', project.root)}.json"
    words = ("exec", "rspec", *_RSPEC, report)
    prefix = "" if project.root == "." else f"{project.root}/"

    def again(failed: Sequence[Diagnostic]) -> tuple[str, ...]:
        names = dict.fromkeys(f"--example={d.test}" for d in failed)
        places = dict.fromkeys(f"./{d.path.removeprefix(prefix)}" for d in failed if d.path)
        return (*words, *names, *places)

    step = _bundle(*words, report=report, read=readers.rspec_json, again=again)
    return replace(step, files={"journal.rb": _JOURNAL}, journal=_BEGUN)


def _named(failed: Sequence[Diagnostic]) -> str:
    """A pattern of the methods that failed, which needs no quoting in a shell."""
    names = (re.sub(r"\W", ".", str(d.test).partition("#")[2]) for d in failed)
    return f"^({'|'.join(dict.fromkeys(names))})$"


def _bundle(
    *words: str,
    locked: bool = False,
    read: Reader | None = None,
    report: str = "",
    again: Again | None = None,
    unable: str = _MACHINE,
    untold: str = "",
) -> Step:
    return Step(
        (("bundle",),),
        words,
        install="install Ruby and Bundler",
        env={
            "GEM_HOME": _HOME,
            "BUNDLE_JOBS": "@cpus@",
            "BUNDLE_SILENCE_ROOT_WARNING": "true",
            **({"BUNDLE_FROZEN": "true"} if locked else {}),
        },
        reports=(report,) if report else (),
        read_report=read if report else None,
        read_log=None if report else read,
        merge=not untold,
        again=again,
        unable=unable,
        untold=untold,
        title=" ".join(word for word in ("bundle", *words[:2])) if words[0] == "exec" else f"bundle {words[0]}",
    )
