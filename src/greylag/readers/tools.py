"""Which reader knows what a tool prints, by the name of the tool: for logs that greylag did not make itself."""

from collections.abc import Callable, Mapping

from greylag import readers
from greylag.model import Counts, Diagnostic
from greylag.readers import Tests

_Reader = Callable[[bytes], "Tests | tuple[Diagnostic, ...]"]
_READERS: Mapping[str, tuple[_Reader, ...]] = {
    "actionlint": (readers.actionlint_json,),
    "bazel": (readers.bazel_text,),
    "biome": (readers.biome_text,),
    "black": (readers.black_text,),
    "cargo": (readers.libtest,),
    "cargo-test": (readers.libtest,),
    "clang": (readers.native_text,),
    "cmake": (readers.native_text,),
    "ctest": (readers.ctest_text,),
    "dotnet": (readers.msbuild_text,),
    "eslint": (readers.eslint_json,),
    "flake8": (readers.flake8_text,),
    "gcc": (readers.native_text,),
    "go": (readers.go_text,),
    "go-test-json": (readers.go_test,),
    "gofmt": (readers.gofmt_text,),
    "golangci-lint": (readers.golangci_json,),
    "gradle": (readers.gradle_text,),
    "helm": (readers.helm_text,),
    "jest": (readers.jest_json,),
    "make": (readers.native_text,),
    "maven": (readers.maven_text,),
    "meson": (readers.native_text,),
    "minitest": (readers.minitest_text,),
    "mix": (readers.elixir_text,),
    "mypy": (readers.mypy_json, readers.native_text),
    "ninja": (readers.native_text,),
    "node": (readers.tap,),
    "pyright": (readers.pyright_json,),
    "rspec": (readers.rspec_json,),
    "rubocop": (readers.rubocop_json,),
    "ruff": (readers.ruff_json,),
    "rustfmt": (readers.rustfmt_text,),
    "sbt": (readers.sbt_text,),
    "shellcheck": (readers.shellcheck_json1, readers.native_text),
    "tap": (readers.tap,),
    "terraform": (readers.terraform_json,),
    "tsc": (readers.tsc_text,),
    "uvu": (readers.uvu_text,),
    "yamllint": (readers.yamllint_text,),
}
NAMES = tuple(_READERS)


def read(tool: str, log: bytes) -> tuple[tuple[Diagnostic, ...], Counts | None]:
    """What the log of a tool says, nothing where its name is not one of `NAMES` or the log has another form.

    Paths are as they are, relative to where the tool ran.
    """
    for reader in _READERS.get(tool, ()):
        found = reader(log)
        diagnostics = [part for part in found if isinstance(part, Diagnostic)]
        diagnostics += [part for parts in found if isinstance(parts, tuple) for part in parts]
        if diagnostics and not any(diagnostic.rule == readers.UNREADABLE for diagnostic in diagnostics):
            return tuple(diagnostics), next((part for part in found if isinstance(part, Counts)), None)
    return (), None
