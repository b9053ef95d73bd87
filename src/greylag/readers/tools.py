"""Which reader knows what a tool prints, by the name of the tool: for logs that greylag did not make itself."""

from collections.abc import Callable, Mapping

from greylag import readers
from greylag.model import Counts, Diagnostic
from greylag.readers import Tests

_READERS: Mapping[str, Callable[[bytes], "Tests | tuple[Diagnostic, ...]"]] = {
    "bazel": readers.bazel_text,
    "biome": readers.biome_text,
    "black": readers.black_text,
    "cargo-test": readers.libtest,
    "clang": readers.native_text,
    "cmake": readers.native_text,
    "ctest": readers.ctest_text,
    "dotnet": readers.msbuild_text,
    "flake8": readers.flake8_text,
    "gcc": readers.native_text,
    "go": readers.go_text,
    "go-test-json": readers.go_test,
    "gofmt": readers.gofmt_text,
    "gradle": readers.gradle_text,
    "helm": readers.helm_text,
    "make": readers.native_text,
    "maven": readers.maven_text,
    "meson": readers.native_text,
    "minitest": readers.minitest_text,
    "mix": readers.elixir_text,
    "rustfmt": readers.rustfmt_text,
    "sbt": readers.sbt_text,
    "tap": readers.tap,
    "tsc": readers.tsc_text,
    "yamllint": readers.yamllint_text,
}
NAMES = tuple(_READERS)


def read(tool: str, log: bytes) -> tuple[tuple[Diagnostic, ...], Counts | None]:
    """What the log of a tool says, one of `NAMES`; paths as they are, relative to where it ran."""
    found = _READERS[tool](log)
    diagnostics = [part for part in found if isinstance(part, Diagnostic)]
    diagnostics += [part for parts in found if isinstance(parts, tuple) for part in parts]
    return tuple(diagnostics), next((part for part in found if isinstance(part, Counts)), None)
