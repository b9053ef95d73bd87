# ruff: noqa: E501 - a table reads best with one row a line
"""Tests of Go, Rust and C whose assertions do not run any more, compare nothing, or meet a copy of what they tested."""

import time
from typing import Any

import pytest

from greylag.guards._cases.cases import cases

GO = 'package a\n\nimport "testing"\n\nfunc TestA(t *testing.T) {\n\tfor _, c := range []struct{ in, want int }{{1, 2}, {3, 4}} {\n\t\tif got := A(c.in); got != c.want {\n\t\t\tt.Errorf("%d", got)\n\t\t}\n\t}\n}\n\nfunc TestB(t *testing.T) {\n\tif got := A(1); got != 2 {\n\t\tt.Fatalf("%d", got)\n\t}\n}\n'
RUST = "use a::add;\n\n#[test]\nfn adds() {\n    assert_eq!(add(2, 3), 5);\n}\n"
GTEST = "TEST(Sum, Two) {\n  EXPECT_EQ(sum(1, 2), 3);\n}\n"
C = "#define CHECK(x) do { if (!(x)) { puts(#x); exit(1); } } while (0)\n\nint main(void)\n{\n    CHECK(add(2, 3) == 5);\n    return 0;\n}\n"
HEAD, LINE = "TestB(t *testing.T) {\n", "assert_eq!(add(2, 3), 5);"

WEAKER = {
    "go: return": ("a_test.go", GO, HEAD, HEAD + "\tif t.Name() != \"\" {\n\t\treturn\n\t}\n", "conditional-assertion"),
    "go: switch": ("a_test.go", GO, HEAD, HEAD + "\tswitch mode {\n\tcase 1:\n\t\treturn\n\t}\n", "conditional-assertion"),
    "go: Goexit": ("a_test.go", GO, HEAD, HEAD + "\truntime.Goexit()\n", "conditional-assertion"),
    "go: continue": ("a_test.go", GO, "\t\tif got := A(c", "\t\tif c.in > 1 {\n\t\t\tcontinue\n\t\t}\n\t\tif got := A(c", "conditional-assertion"),
    "go: break": ("a_test.go", GO, "\t\t}\n\t}\n}\n\nfunc TestB", "\t\t}\n\t\tbreak\n\t}\n}\n\nfunc TestB", "conditional-assertion"),
    "go: condition": ("a_test.go", GO, "got != 2", "got != 2 && testing.Short()", "weaker-assertions"),
    "go: less of an or": ("a_test.go", GO.replace("got != 2", "got != 2 || got < 0"), "got != 2 || got < 0", "got < 0", "weaker-assertions"),
    "go: equal": ("a_test.go", GO, "got != 2", "got == 3", "weaker-assertions"),
    "go: empty loop": ("a_test.go", GO, "{3, 4}} {", "{3, 4}}[:0] {", "conditional-assertion"),
    "go: field": ("a_test.go", GO, "\t\tif got := A(c", "\t\tc.want = A(c.in)\n\t\tif got := A(c", "constant-assertion"),
    "go: literal": ("a_test.go", GO, "if got := A(1); got != 2", "got := A(1)\n\tgot = 2\n\tif got != 2", "constant-assertion"),
    "go: other call": ("a_test.go", GO, "got != 2", "got != A(0)+1", "constant-assertion"),
    "go: rows": ("a_test.go", GO, "{1, 2}", "{1, A(1)}", "constant-assertion"),
    "go: nobody waits": ("a_test.go", GO, 't.Fatalf("%d", got)', 'go func() { t.Errorf("%d", got) }()', "conditional-assertion"),
    "go: T of its own": ("a_test.go", GO, HEAD, HEAD + "\tt = new(testing.T)\n", "conditional-assertion"),
    "go: closure that is not called": ("a_test.go", GO, HEAD + "\tif got := A(1); got != 2 {\n\t\tt.Fatalf(\"%d\", got)\n\t}\n", HEAD + "\t_ = func() {\n\t\tif got := A(1); got != 2 {\n\t\t\tt.Fatalf(\"%d\", got)\n\t\t}\n\t}\n", "conditional-assertion"),
    "rust: return": ("tests/a.rs", RUST, LINE, f"if cfg!(unix) {{\n        return;\n    }}\n    {LINE}", "conditional-assertion"),
    "rust: let else": ("tests/a.rs", RUST, LINE, f"let Some(_) = find() else {{\n        return;\n    }};\n    {LINE}", "conditional-assertion"),
    "rust: match": ("tests/a.rs", RUST, LINE, f"match add(2, 3) {{\n        5 => {LINE[:-1]},\n        _ => {{}}\n    }}", "conditional-assertion"),
    "rust: while": ("tests/a.rs", RUST, LINE, f"while add(2, 3) == 5 {{\n        {LINE}\n        break;\n    }}", "conditional-assertion"),
    "rust: attribute": ("tests/a.rs", RUST, LINE, f"#[cfg(windows)]\n    {{\n        {LINE}\n    }}", "conditional-assertion"),
    "rust: or": ("tests/a.rs", RUST, LINE, "assert!(add(2, 3) == 5 || add(2, 3) < 0);", "weaker-assertions"),
    "rust: closure": ("tests/a.rs", RUST, LINE, f"let check = || {LINE}", "conditional-assertion"),
    "rust: caught": ("tests/a.rs", RUST, LINE, f"let r = std::panic::catch_unwind(|| {LINE[:-1]});\n    drop(r);", "conditional-assertion"),
    "rust: joined and dropped": ("tests/a.rs", RUST, LINE, f"std::thread::spawn(|| {LINE[:-1]}).join().ok();", "conditional-assertion"),
    "rust: literals": ("tests/a.rs", RUST, LINE, "let got = add(2, 3);\n    let got = 5;\n    assert_eq!(got, 5);", "constant-assertion"),
    "rust: by a name": ("tests/a.rs", RUST, LINE, "let got = add(2, 3);\n    assert_eq!(add(2, 3), got);", "constant-assertion"),
    "rust: must panic": ("tests/a.rs", RUST, "#[test]", "#[should_panic]\n#[test]", "inverted"),
    "rust: on another system": ("tests/a.rs", RUST, "#[test]", "#[test]\n#[cfg(windows)]", "skipped"),
    "rust: own macro": ("tests/a.rs", RUST, "use a", "macro_rules! assert_eq { ($($x:tt)*) => {} }\nuse a", "runner"),
    "c: if without braces": ("tests/a.c", C, "    CHECK", "    if (ready())\n        CHECK", "conditional-assertion"),
    "c: preprocessor": ("tests/a.c", C, "    CHECK(add(2, 3) == 5);", "#ifdef FULL\n    CHECK(add(2, 3) == 5);\n#endif", "conditional-assertion"),
    "c: goto": ("tests/a.c", C, "    CHECK", "    goto end;\n    CHECK", "conditional-assertion"),
    "c: exit": ("tests/a.c", C, "    CHECK", "    exit(0);\n    CHECK", "exit-code"),
    "c: idle macro": ("tests/a.c", C, "if (!(x))", "if (!(x) && 0)", "weaker-assertions"),
    "c: itself": ("tests/a.cc", GTEST, "EXPECT_EQ(sum(1, 2), 3)", "int want = sum(1, 2);\n  EXPECT_EQ(sum(1, 2), want)", "constant-assertion"),
}  # fmt: skip


@pytest.mark.parametrize("name", WEAKER)
def test_assertion_that_notices_less_blocks(guard: Any, found: Any, name: str) -> None:
    path, text, old, new, rule = WEAKER[name]
    assert old in text
    lines = found(guard("tests", {path: text}, {path: text.replace(old, new, 1)}))
    assert f"tests/{rule}" in {line.split()[1] for line in lines if line.startswith("error")}, lines
    assert guard("tests", {path: text}, {path: text.replace(old, new, 1)}, allow=["tests"]).passed


HONEST = {
    "go: told, then left": ("a_test.go", GO, "t.Fatalf(\"%d\", got)\n", "t.Errorf(\"%d\", got)\n\t\treturn\n"),
    "go: the other way round": ("a_test.go", GO, "if got := A(1); got != 2 {\n\t\tt.Fatalf(\"%d\", got)\n\t}\n", "got := A(1)\n\tif got == 2 {\n\t\treturn\n\t}\n\tt.Fatalf(\"%d\", got)\n"),
    "go: one of several": ("a_test.go", GO, "if got := A(1); got != 2 {\n\t\tt.Fatalf(\"%d\", got)\n\t}\n", "got := A(1)\n\tfor _, want := range []int{2} {\n\t\tif got == want {\n\t\t\treturn\n\t\t}\n\t}\n\tt.Fatalf(\"%d\", got)\n"),
    "go: else": ("a_test.go", GO, HEAD, HEAD + "\tif _, err := B(1); err != nil {\n\t\tt.Fatal(err)\n\t} else if x := A(2); x != 3 {\n\t\tt.Error(x)\n\t}\n"),
    "go: goroutine that is waited for": ("a_test.go", GO, "if got := A(1); got != 2 {\n\t\tt.Fatalf(\"%d\", got)\n\t}\n", "var wg sync.WaitGroup\n\twg.Add(1)\n\tgo func() {\n\t\tdefer wg.Done()\n\t\tif got := A(1); got != 2 {\n\t\t\tt.Errorf(\"%d\", got)\n\t\t}\n\t}()\n\twg.Wait()\n"),
    "go: split": ("a_test.go", GO.replace("got := A(1); got != 2", "got, err := A(1); err != nil || got != 2"), "if got, err := A(1); err != nil || got != 2 {", "got, err := A(1)\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n\tif got != 2 {"),
    "go: counter": ("a_test.go", GO, "if got := A(1); got != 2", "n := 0\n\tWalk(func() { n++ })\n\tif n != 1 {\n\t\tt.Error(n)\n\t}\n\tif got := A(1); got != 2"),
    "go: names": ("a_test.go", GO, "if got := A(1); got != 2", "got, want := A(1), 2\n\tif got != want"),
    "rust: every arm": ("tests/a.rs", RUST, LINE, "match add(2, 3) {\n        n @ 0..=9 => assert_eq!(n, 5),\n        n => panic!(\"{n}\"),\n    }"),
    "rust: leaves with an error": ("tests/a.rs", RUST, LINE, f"if !ready() {{\n        return Err(\"not ready\");\n    }}\n    {LINE}"),
    "rust: braces in a pattern": ("tests/a.rs", RUST, LINE, f"if let Point {{ x, .. }} = point() {{\n        let _ = x;\n    }}\n    {LINE}"),
    "rust: joined": ("tests/a.rs", RUST, LINE, f"std::thread::spawn(|| {LINE[:-1]}).join().unwrap();"),
    "rust: better differences": ("tests/a.rs", RUST, "use a", "use pretty_assertions::assert_eq;\nuse a"),
    "c: loop": ("tests/a.c", C, "    CHECK", "    while (more())\n        step();\n    CHECK"),
    "c: guard of a header": ("tests/a.h", "#ifndef A_H\n#define A_H\n" + GTEST + "#endif\n", "3);", "3);\n  EXPECT_EQ(sum(2, 2), 4);"),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_same_proof_in_another_shape_passes(guard: Any, found: Any, name: str) -> None:
    path, text, old, new = HONEST[name]
    assert old in text
    verdict = guard("tests", {path: text}, {path: text.replace(old, new, 1)})
    assert verdict.passed, found(verdict)


SOURCES = {
    "go": {"a.go": "package a\n\nfunc A(n int) int { return n + 1 }\n", "go.mod": "module example.org/a\n"},
    "rust": {"src/lib.rs": "pub fn add(a: i32, b: i32) -> i32 { a + b }\n\npub fn sub(a: i32, b: i32) -> i32 { a - b }\n", "Cargo.toml": "[package]\n"},
    "c": {"a.h": "int add(int a, int b);\n"},
}  # fmt: skip
COPIES = {
    "go: closure": ("a_test.go", GO, HEAD, HEAD + "\tA := func(n int) int { return 2 }\n"),
    "rust: function": ("tests/a.rs", RUST, "use a::add;", "fn add(a: i32, b: i32) -> i32 { a + b }"),
    "rust: alias": ("tests/a.rs", RUST, "use a::add;", "use a::sub as add;"),
    "c: macro": ("tests/a.c", C, "int main", "#define add(a, b) ((a) + (b))\n\nint main"),
    "c: another name": ("tests/a.c", C, "CHECK(add(2, 3) == 5)", "CHECK(sum(2, 3) == 5)"),
}


@pytest.mark.parametrize("name", COPIES)
def test_copy_in_place_of_what_is_tested_blocks(guard: Any, found: Any, name: str) -> None:
    path, text, old, new = COPIES[name]
    more = "\nstatic int sum(int a, int b)\n{\n    return a + b;\n}\n" if path.endswith(".c") else ""
    base = {path: text + more} | SOURCES[name.split(":", maxsplit=1)[0]]
    lines = found(guard("tests", base, base | {path: text.replace(old, new, 1) + more}))
    assert any(line.startswith(f"error tests/not-the-source {path}") for line in lines), lines


def test_helper_that_calls_the_source_is_no_copy(guard: Any, found: Any) -> None:
    path, base = "a_test.go", {"a_test.go": GO} | SOURCES["go"]
    helper = GO.replace("A(1)", "plus(1)") + "\nfunc plus(n int) int { return A(n) }\n"
    verdict = guard("tests", base, base | {path: helper})
    assert verdict.passed, found(verdict)
    assert not guard("tests", base, base | {path: helper.replace("return A(n)", "return n + 1")}).passed


HOSTILE = {
    "go": ("a_test.go", "func TestA(t *testing.T) {\n", ("if x {", "x := {", "t.Error(", "switch x {case ", "go func() {", "x = y[:1];return;")),
    "rust": ("tests/a.rs", "#[test]\nfn a() {\n", ("if x {", "match x {y => ", "assert!(", "let x = |", "spawn(|| {", "#[cfg(x)] {")),
    "c": ("tests/a.c", "int main(void) {\n", ("if (x) ", "#if x\n", "assert(", "do {", "#define CHECK(x) \\\n", "else if (x) {")),
}  # fmt: skip


@pytest.mark.parametrize("family", HOSTILE)
def test_hostile_text_is_read_in_linear_time(family: str) -> None:
    path, head, pieces = HOSTILE[family]
    for piece in (*pieces, "".join(pieces)):
        began = time.process_time()
        cases(path, head + piece * (60_000 // len(piece)))
        assert time.process_time() - began < 10, piece
