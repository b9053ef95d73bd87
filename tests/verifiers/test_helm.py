"""Helm charts: what is found, and the real tools."""

import json
from collections.abc import Callable, Mapping

import pytest

from greylag.model import Outcome, Phase
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers._tool import Plan
from greylag.verifiers.helm import Helm

MakeBench = Callable[[dict[str, str]], Bench]
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  port: {}\n"
CI = ".github/workflows/ci.yml"
CONFORM = "- run: helm template . | kubeconform {} -strict\n"
SCHEMA = "'schemas/{{.ResourceKind}}{{.KindSuffix}}.json'"


def charts(**files: str) -> dict[str, str]:
    """A chart in `charts/web`, whose templates are `files`."""
    named = {f"charts/web/templates/{name}.yaml": text for name, text in files.items()}
    return {"charts/web/Chart.yaml": CHART, "charts/web/values.yaml": "port: 80\n", **named}


def test_each_chart_is_linted_and_those_in_it_belong_to_it() -> None:
    files = {
        **charts(),
        "charts/web/charts/db/Chart.yaml": CHART,
        "charts/api/Chart.yaml": CHART,
        "tests/Chart.yaml": "",
    }
    assert list(detect(Helm(), files)) == ["helm lint (charts/api)", "helm lint (charts/web)"]


def test_charts_that_a_chart_depends_on_are_fetched() -> None:
    remote = "dependencies:\n  - name: redis\n    version: 1.0.0\n    repository: https://charts.example.org\n"
    found = detect(Helm(), {"Chart.yaml": CHART + remote, "Chart.lock": ""})
    prepare = found["helm dependency"]
    assert (prepare.phase, prepare.outputs) == (Phase.PREPARE, ("charts/",))
    assert prepare.inputs == ("Chart.lock", "Chart.yaml")
    local = remote.replace("https://charts.example.org", "file://../redis")
    assert detect(Helm(), {"Chart.yaml": CHART + local})["helm dependency"].inputs == ()
    assert list(detect(Helm(), {"Chart.yaml": CHART + "dependencies: []\n"})) == ["helm lint"]


def test_it_is_as_strict_as_the_repository_is() -> None:
    plan = detect(Helm(), {**charts(), "Makefile": "\thelm lint --strict charts/*\n"})["helm lint (charts/web)"].plan
    assert isinstance(plan, Plan)
    assert plan.steps[0].arguments == ("lint", "--strict", ".")


@pytest.mark.parametrize(
    ("options", "applies"),
    [
        (f"-schema-location {SCHEMA}", True),
        (f"--schema-location={SCHEMA} -summary", True),
        ("", False),
        (f"-schema-location default -schema-location {SCHEMA}", False),
        ("-schema-location https://example.org/{{.ResourceKind}}.json", False),
        ("-schema-location ../x.json", False),
    ],
)
def test_kubeconform_needs_schemas_of_the_repository(options: str, applies: bool) -> None:
    found = detect(Helm(), {**charts(), CI: CONFORM.format(options)})
    assert ("kubeconform (charts/web)" in found) is applies
    if applies:
        plan = found["kubeconform (charts/web)"].plan
        assert isinstance(plan, Plan)
        place = "@workspace@/schemas/{{.ResourceKind}}{{.KindSuffix}}.json"
        assert plan.steps[-1].arguments[2:-1] == ("-schema-location", place, "-strict")


@pytest.mark.toolchain("helm")
def test_helm(bench: MakeBench) -> None:
    at = bench(charts(cm=MAP.format('"{{ .Values.port }}"')))
    lint = "helm lint"
    passed = at.verify(Helm())[lint]
    assert passed.outcome is Outcome.PASSED, passed
    at.files |= charts(cm=MAP.format("{{ .Values.a.b }}"))
    failed = at.verify(Helm())[lint]
    assert failed.outcome is Outcome.FAILED
    assert [(d.path, d.line) for d in failed.diagnostics] == [("charts/web/templates/cm.yaml", 6)]
    at.files |= charts(cm=MAP.format("1").replace("name: a", "name: A_b"))
    assert at.verify(Helm())[lint].outcome is Outcome.PASSED
    at.files["Makefile"] = "\thelm lint --strict charts/*\n"
    strict = at.verify(Helm())[lint]
    assert (strict.outcome, [d.path for d in strict.diagnostics]) == (Outcome.FAILED, ["charts/web/templates/cm.yaml"])


@pytest.mark.toolchain("helm", "kubeconform")
def test_kubeconform(bench: MakeBench) -> None:
    schema: Mapping[str, object] = {"properties": {"data": {"additionalProperties": {"type": "string"}}}}
    own = {CI: CONFORM.format(f"-schema-location {SCHEMA}"), "schemas/configmap-v1.json": json.dumps(schema)}
    at = bench({**charts(cm=MAP.format('"80"')), **own})
    passed = at.verify(Helm())["kubeconform"]
    assert passed.outcome is Outcome.PASSED, passed
    at.files |= charts(cm=MAP.format("{{ .Values.port }}"))
    failed = at.verify(Helm())["kubeconform"]
    assert failed.outcome is Outcome.FAILED
    assert [(d.path, d.message) for d in failed.diagnostics] == [
        ("charts/web/templates/cm.yaml", "ConfigMap a /data/port: got number, want string")
    ]
