"""Structured reports of tools -> diagnostics and counts. One function per format; verifiers import them by name.

Reports are written by hostile code: sizes are capped, nothing is trusted, nothing raises. What cannot be read gives an
error diagnostic with the rule `unreadable-report`. Readers take the bytes of a report and where the tool ran: `cwd`
relative to the repository, and `workspace`, the repository's absolute path as the tool saw it. Paths come out relative
to the repository; those outside of it stay absolute.
"""

from greylag.readers._common import UNREADABLE, WORKSPACE, Tests
from greylag.readers._unread import vitest_places
from greylag.readers.bazel import bazel_report, bazel_text
from greylag.readers.checkstyle import checkstyle_xml
from greylag.readers.dotnet import msbuild_text, trx
from greylag.readers.elixir import elixir_text
from greylag.readers.files import (
    actionlint_json,
    buf_json,
    helm_text,
    kubeconform_json,
    shellcheck_json1,
    terraform_json,
    yamllint_text,
)
from greylag.readers.golang import go_test, go_text, gofmt_text
from greylag.readers.gradle import gradle_text
from greylag.readers.javascript import jest_json
from greylag.readers.junit import junit_xml
from greylag.readers.libtest import libtest
from greylag.readers.linters import eslint_json, golangci_json, mypy_json, pyright_json, ruff_json, sarif
from greylag.readers.meson import meson_tests
from greylag.readers.native import ctest_text, native_text
from greylag.readers.quality import (
    biome_gitlab,
    biome_text,
    black_text,
    flake8_text,
    mypy_text,
    ruff_format_text,
    ty_gitlab,
)
from greylag.readers.ruby import minitest_text, rspec_json, rubocop_json
from greylag.readers.rust import cargo_json, rustfmt_text
from greylag.readers.scala import END as SBT_END
from greylag.readers.scala import sbt_tests, sbt_text
from greylag.readers.tap import ava_tap, tap
from greylag.readers.text import maven_text, tsc_text
from greylag.readers.uvu import uvu_text
from greylag.readers.xcresult import xcresult_json

__all__ = [
    "SBT_END",
    "UNREADABLE",
    "WORKSPACE",
    "Tests",
    "actionlint_json",
    "ava_tap",
    "bazel_report",
    "bazel_text",
    "biome_gitlab",
    "biome_text",
    "black_text",
    "buf_json",
    "cargo_json",
    "checkstyle_xml",
    "ctest_text",
    "elixir_text",
    "eslint_json",
    "flake8_text",
    "go_test",
    "go_text",
    "gofmt_text",
    "golangci_json",
    "gradle_text",
    "helm_text",
    "jest_json",
    "junit_xml",
    "kubeconform_json",
    "libtest",
    "maven_text",
    "meson_tests",
    "minitest_text",
    "msbuild_text",
    "mypy_json",
    "mypy_text",
    "native_text",
    "pyright_json",
    "rspec_json",
    "rubocop_json",
    "ruff_format_text",
    "ruff_json",
    "rustfmt_text",
    "sarif",
    "sbt_tests",
    "sbt_text",
    "shellcheck_json1",
    "tap",
    "terraform_json",
    "trx",
    "tsc_text",
    "ty_gitlab",
    "uvu_text",
    "vitest_places",
    "xcresult_json",
    "yamllint_text",
]
