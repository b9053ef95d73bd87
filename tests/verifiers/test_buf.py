"""buf: what is found, and the real tool. Dependencies are fetched from a registry that no test can reach."""

from collections.abc import Callable

import pytest

from greylag.model import Outcome, Phase
from greylag.testing.verifiers import Bench, detect
from greylag.verifiers.buf import Buf

MakeBench = Callable[[dict[str, str]], Bench]
SETTINGS = "version: v2\nmodules:\n  - path: proto\n"
FILE = 'syntax = "proto3";\n\npackage acme.v1;\n\nmessage User {{\n  {} = 1;\n}}\n'
PROTO = "proto/acme/v1/user.proto"
DEPENDENCIES = "deps:\n  - buf.build/googleapis/googleapis\n"
LOCK = (
    "version: v2\ndeps:\n  - name: buf.build/googleapis/googleapis\n    commit: 61b203b9a9164be9a834f58c37be6f62\n"
    "    digest: b5:7811a98b35bd2e4ae5c3ac73c8b3d9ae429f3a790da15de188dc98fc2b77d6bb"
    "10e45711f14903af9553fa9821dff256054f2e4b7795789265bc476bec2f088c\n"
)


def test_each_workspace_or_module_is_linted_where_it_has_files() -> None:
    files = {"buf.yaml": SETTINGS, PROTO: "", "third_party/x/buf.yaml": "", "third_party/x/a.proto": ""}
    (found,) = detect(Buf(), files).values()
    assert (found.name, found.phase, found.reason) == ("buf lint", Phase.STATIC, "buf.yaml")
    files = {"a/buf.work.yaml": "", "a/b/buf.yaml": "", "a/b/x.proto": "", "c/buf.yaml": "", "c/y.proto": ""}
    assert list(detect(Buf(), files)) == ["buf lint (a)", "buf lint (c)"]
    assert detect(Buf(), {"buf.yaml": "", "a.py": ""}) == {}
    assert detect(Buf(), {PROTO: ""}) == {}


def test_dependencies_are_fetched_where_there_are_some() -> None:
    files = {"api/buf.yaml": SETTINGS + DEPENDENCIES, "api/buf.lock": LOCK, "api/a.proto": ""}
    prepare = detect(Buf(), files)["buf build (api)"]
    assert (prepare.phase, prepare.inputs, prepare.outputs) == (Phase.PREPARE, ("api/buf.lock", "api/buf.yaml"), ())
    assert list(detect(Buf(), {"buf.yaml": SETTINGS + "deps: []\n", "buf.lock": "deps: []\n", PROTO: ""})) == [
        "buf lint"
    ]


@pytest.mark.toolchain("buf")
def test_buf(bench: MakeBench) -> None:
    at = bench({"buf.yaml": SETTINGS, PROTO: FILE.format("string name"), "node_modules/x/bad.proto": "nonsense"})
    passed = at.verify(Buf())["buf lint"]
    assert passed.outcome is Outcome.PASSED, passed
    at.files[PROTO] = FILE.format("string Name")
    failed = at.verify(Buf())["buf lint"]
    assert failed.outcome is Outcome.FAILED
    assert [(d.path, d.line, d.rule) for d in failed.diagnostics] == [(PROTO, 6, "FIELD_LOWER_SNAKE_CASE")]
    at.files[PROTO] = FILE.format("Nobody it")
    assert [d.rule for d in at.verify(Buf())["buf lint"].diagnostics] == ["COMPILE"]


@pytest.mark.toolchain("buf")
def test_without_its_dependencies_nothing_can_be_told(bench: MakeBench) -> None:
    at = bench({"buf.yaml": SETTINGS + DEPENDENCIES, "buf.lock": LOCK, PROTO: FILE.format("string name")})
    verdicts = at.verify(Buf())
    assert verdicts["buf build"].outcome is Outcome.PASSED  # what it could not have is for the lint to say
    assert verdicts["buf lint"].outcome is Outcome.SKIPPED
    assert "is unavailable" in verdicts["buf lint"].summary
