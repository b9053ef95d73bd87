"""A machine without the tool of a verifier: nobody's fault but the machine's, and a person is told what to install."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from greylag import plugins
from greylag.model import Outcome, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.testing.verifiers import Bench
from greylag.verifiers._tool import Plan

SAMPLES = {
    "make": {"Makefile": "all:\ntest:\n", "a.c": ""},
    "meson": {"meson.build": "project('a')\ntest('a', b)\n", "subprojects/c.wrap": ""},
    "ruby": {"Gemfile": "", "spec/a_spec.rb": "", "test/a_test.rb": "", "Rakefile": "Rake::TestTask.new\n"},
    "php": {"composer.json": "{}", "phpunit.xml": ""},
    "elixir": {"mix.exs": '{:a, "~> 1.0"}', ".formatter.exs": "", "test/a_test.exs": ""},
    "dotnet": {"a.csproj": "<IsTestProject>true"},
    "swift": {"Package.swift": '.package(url: "")', "Tests/A/A.swift": ""},
    "sbt": {"build.sbt": "", "src/test/scala/ATest.scala": ""},
    "bazel": {"MODULE.bazel": "", "BUILD": "cc_test(name = 'a')"},
}


class _Missing:
    """A verifier none of whose programs is there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._verifier = plugins.load("verifiers", name)

    def detect(self, tree: Tree) -> Sequence[Activation]:
        return [replace(found, plan=_without(found.plan)) for found in self._verifier.detect(tree)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        verdict: Verdict = self._verifier.verify(activation, context)
        return verdict


def _without(plan: object) -> Plan:
    assert isinstance(plan, Plan)
    steps = (replace(step, programs=(("no-such-program-here",),), fallback=None) for step in plan.steps)
    return replace(plan, steps=tuple(steps), tools={})


@pytest.mark.parametrize("name", SAMPLES)
def test_a_tool_that_is_missing_is_the_machines(bench: Callable[..., Bench], name: str) -> None:
    verdicts = bench(SAMPLES[name]).verify(_Missing(name))
    assert len(verdicts) >= 2
    for verdict in verdicts.values():
        assert verdict.outcome is Outcome.ERRORED
        assert "was not found: install" in verdict.summary
