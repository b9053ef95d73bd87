"""Terraform: what is found, and the real tool with the one provider that is built in.

Others come from a registry that no test can reach.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from greylag.model import Outcome, Phase
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers.terraform import Terraform, unformatted

MakeBench = Callable[[dict[str, str]], Bench]
GOLDEN = Path(__file__).parent.parent / "golden" / "terraform"
MODULE = 'variable "a" {\n  type = string\n}\n'
MAIN = 'module "m" {\n  source = "../modules/m"\n  a      = "x"\n}\n\nresource "terraform_data" "d" {}\n'


def test_each_directory_is_prepared_formatted_and_validated() -> None:
    files = {
        "prod/main.tf": "",
        "prod/.terraform.lock.hcl": "",
        "dev/.terraform.lock.hcl": "",
        "modules/m/a.tf": "",
        "examples/x/b.tf": "",
    }
    found = detect(Terraform(), files)
    assert list(found) == [
        *(f"terraform {what} (modules/m)" for what in ("init", "fmt", "validate")),
        *(f"terraform {what} (prod)" for what in ("init", "fmt", "validate")),
    ]
    init = found["terraform init (prod)"]
    assert [a.phase for a in found.values()][3:] == [Phase.PREPARE, Phase.FORMAT, Phase.STATIC]
    assert init.inputs == ("examples/x/b.tf", "modules/m/a.tf", "prod/.terraform.lock.hcl", "prod/main.tf")
    assert init.outputs == (".terraform/", ".terraform.lock.hcl")
    assert init.reason == "main.tf"


def test_what_is_not_formatted_and_what_cannot_be_read() -> None:
    (name,) = unformatted((GOLDEN / "fmt.txt").read_bytes(), "prod", "/workspace")
    assert (name.path, name.rule) == ("prod/main.tf", "terraform-fmt")
    (broken,) = unformatted((GOLDEN / "fmt-syntax.txt").read_bytes(), ".", "/workspace")
    assert (broken.path, broken.line, broken.message) == ("main.tf", 2, "Invalid expression")


@pytest.mark.toolchain("terraform")
def test_terraform(bench: MakeBench) -> None:
    at = bench({"prod/main.tf": MAIN, "modules/m/main.tf": MODULE})
    assert {v.outcome for v in at.verify(Terraform()).values()} == {Outcome.PASSED}
    at.files["prod/main.tf"] = MAIN.replace("  a      =", "  b =")
    names = ("terraform fmt", "terraform validate")
    form, valid = at.verify(Terraform(), *names).values()
    assert (form.outcome, [d.path for d in form.diagnostics]) == (Outcome.FAILED, ["prod/main.tf"])
    assert valid.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.message.split(":")[0]) for d in valid.diagnostics] == [
        ("prod/main.tf", 1, "Missing required argument"),
        ("prod/main.tf", 3, "Unsupported argument"),
    ]


@pytest.mark.toolchain("terraform")
@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ('resource "null_resource" "x" {}\n', "requires provider registry.terraform.io/hashicorp/null"),
        ('terraform {\n  required_version = ">= 99"\n}\n', "does not support Terraform version"),
        ('module "m" {\n  source = "acme/m/cloud"\n}\n', "Module not installed"),
    ],
)
def test_what_the_machine_does_not_have_says_nothing_of_the_configuration(
    bench: MakeBench, text: str, summary: str
) -> None:
    verdict = bench({"main.tf": text}).verify(Terraform(), "terraform validate")["terraform validate"]
    assert verdict.outcome is Outcome.SKIPPED
    assert summary in verdict.summary


@pytest.mark.toolchain("terraform")
def test_a_provider_that_cannot_be_fetched_does_not_stop_the_rest(bench: MakeBench) -> None:
    verdict = bench({"main.tf": 'resource "null_resource" "x" {}\n'}).verify(Terraform(), "terraform init")
    assert verdict["terraform init"].outcome is Outcome.PASSED
