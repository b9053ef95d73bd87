"""Reports of tools that look at single files (golden files, made by running them) become diagnostics."""

from collections.abc import Callable
from pathlib import Path

import pytest

from greylag import readers
from greylag.model import Diagnostic, Severity

GOLDEN = Path(__file__).parent / "golden"
Read = Callable[..., tuple[Diagnostic, ...]]
READERS: dict[str, Read] = {
    "shellcheck": readers.shellcheck_json1,
    "actionlint": readers.actionlint_json,
    "yamllint": readers.yamllint_text,
    "buf": readers.buf_json,
    "terraform": readers.terraform_json,
    "kubeconform": readers.kubeconform_json,
    "helm": readers.helm_text,
}


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def places(found: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{d.path}:{d.line}:{d.column} {d.rule}" for d in found]


def test_shellcheck() -> None:
    found = readers.shellcheck_json1(golden("shellcheck/findings.json"), "services")
    assert places(found)[:2] == ["services/scripts/deploy.sh:4:6 SC2086", "services/scripts/deploy.sh:5:1 SC2034"]
    assert places(found)[2:4] == ["services/scripts/broken.sh:2:1 SC1046", "services/scripts/broken.sh:2:1 SC1073"]
    assert [d.severity for d in found] == [*[Severity.WARNING] * 2, *[Severity.ERROR] * 4]
    assert readers.shellcheck_json1(golden("shellcheck/none.json")) == ()


def test_hadolint_by_its_sarif() -> None:
    assert places(readers.sarif(golden("hadolint/findings.sarif"))) == [
        "Dockerfile:2:1 DL3003",
        "Dockerfile:2:1 SC2086",
        "Dockerfile:3:1 DL4000",
        "docker/Dockerfile.broken:2:4 DL1000",
    ]


def test_actionlint() -> None:
    found = readers.actionlint_json(golden("actionlint/findings.json"))
    assert places(found) == [
        ".github/workflows/ci.yml:6:23 expression",
        ".github/workflows/ci.yml:8:3 job-needs",
        ".github/workflows/ci.yml:12:9 shellcheck",
        ".github/workflows/syntax.yml:3:None syntax-check",
    ]
    assert found[0].message == 'property "nope" is not defined in object type {}'
    assert "matrix.nope" in found[0].excerpt
    assert readers.actionlint_json(b"[]\n") == ()


def test_yamllint() -> None:
    found = readers.yamllint_text(golden("yamllint/findings.txt"))
    assert places(found) == [
        "config/a.yml:1:1 document-start",
        "config/a.yml:1:5 colons",
        "config/a.yml:2:7 commas",
        "config/syntax.yml:1:1 document-start",
        "config/syntax.yml:2:1 syntax",
    ]
    assert [d.severity for d in found[:2]] == [Severity.WARNING, Severity.ERROR]
    assert found[4].message == "syntax error: expected the node content, but found '<stream end>'"


def test_buf() -> None:
    assert places(readers.buf_json(golden("buf/lint.jsonl"), "api")) == [
        "api/proto/acme/v1/user.proto:3:9 MESSAGE_PASCAL_CASE",
        "api/proto/acme/v1/user.proto:4:10 FIELD_LOWER_SNAKE_CASE",
    ]
    assert places(readers.buf_json(golden("buf/compile.jsonl"))) == ["proto/acme/v1/a.proto:4:3 COMPILE"]


def test_terraform() -> None:
    (missing,) = readers.terraform_json(golden("terraform/invalid.json"), "infra")
    assert (missing.path, missing.line, missing.column) == ("infra/main.tf", 8, 12)
    assert missing.message.startswith('Missing required argument: The argument "value" is required')
    assert missing.excerpt == 'output "y" {}'
    assert places(readers.terraform_json(golden("terraform/syntax.json")))[0] == "main.tf:2:10 None"
    (provider,) = readers.terraform_json(golden("terraform/provider.json"))
    assert provider.path is None
    assert provider.message.endswith("by running: terraform init")


def test_kubeconform() -> None:
    found = readers.kubeconform_json(golden("kubeconform/invalid.json"))
    assert [(d.message, d.rule) for d in found] == [
        ("Widget w: could not find schema for Widget", "statusError"),
        ("ConfigMap a /data/port: got number, want string", "statusInvalid"),
    ]
    assert {d.path for d in found} == {".greylag-rendered/web/templates/cm.yaml"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("template", ["charts/web/templates/cm.yaml:4:18 None"]),
        ("render", ["charts/web/templates/cm.yaml:4:18 None"]),
        ("parse", ["charts/web/templates/cm.yaml:4:None None"]),
        ("strict", ["charts/web/templates/cm.yaml:None:None None"]),
    ],
)
def test_helm_names_templates(name: str, expected: list[str]) -> None:
    assert places(readers.helm_text(golden(f"helm/{name}.txt"), "charts/web")) == expected


def test_helm_names_other_files_of_a_chart() -> None:
    found = readers.helm_text(golden("helm/settings.txt"))
    assert places(found)[:2] == ["Chart.yaml:None:None None", "values.yaml:1:None None"]
    assert found[-1].message.startswith("unable to load chart cannot load values.yaml: error converting YAML")
    assert {d.severity for d in found} == {Severity.ERROR}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"[" * 5000,
        b"{" * 5000,
        b"[1, [], {}]",
        b'{"comments": 1, "path": [], "resources": {}}',
        b"\xff\xfe",
    ],
)
def test_nonsense_is_survived(name: str, data: bytes) -> None:
    for d in READERS[name](data):
        assert d.message


@pytest.mark.parametrize("name", ["shellcheck", "actionlint", "terraform", "kubeconform"])
def test_no_report_is_not_taken_for_a_clean_one(name: str) -> None:
    assert [d.rule for d in READERS[name](b"cannot open file")] == [readers.UNREADABLE]
