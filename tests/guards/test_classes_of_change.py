# ruff: noqa: E501 - a table reads best with one row a line
"""Classes of change that labelled ones stand for: in each language what stops, and what looks alike and passes."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from greylag.guards._gates.strictness import as_strict
from greylag.guards._sources.answer_tables import tabled
from greylag.guards._sources.granted import granted
from greylag.guards._sources.trust import trusts
from greylag.guards._tests.broken_data import broken
from greylag.guards._tests.margins import named, wider
from greylag.guards._tests.retried import loops
from greylag.testing.changes import make_change

Rows = Mapping[str, tuple[str, str, str, str]]  # what -> path, base, head, rule (none where it passes)

SOURCES: Rows = {
    "python: no hosts": ("a.py", "c = f()\n", "c = f()\nc.check_hostname = False\n", "unchecked"),
    "python: a comment on hosts": ("a.py", "c = f()\n", "c = f()  # never check_hostname = False\n", ""),
    "go: any key of a host": ("a.go", "k := f()\n", "k := ssh.InsecureIgnoreHostKey()\n", "unchecked"),
    "c: no verification": ("a.c", "f(x);\n", "f(x);\ng(x, SSL_VERIFY_NONE);\n", "unchecked"),
    "java: any host": ("A.java", "f();\n", "f();\nc.setHostnameVerifier((h, s) -> true);\n", "unchecked"),
    "java: one host": ("A.java", "f();\n", 'f();\nc.setHostnameVerifier((h, s) -> h.equals("a"));\n', ""),
    "js: any server": ("a.js", "f();\n", "f({ checkServerIdentity: () => undefined });\n", "unchecked"),
    "js: own check of a server": ("a.js", "f();\n", "f({ checkServerIdentity: (h, c) => own(h, c) });\n", ""),
    "python: granted": (
        "a.py", "def is_allowed(u):\n    return ask(u)\n",
        "def is_allowed(u):\n    try:\n        return ask(u)\n    except KeyError:\n        return True\n", "granted",
    ),
    "python: gone counts as removed": (
        "a.py", "def remove(u):\n    drop(u)\n    return True\n",
        "def remove(u):\n    try:\n        drop(u)\n    except KeyError:\n        return True\n    return True\n", "",
    ),
    "go: granted": (
        "a.go", "func isValid(t string) bool {\n\tc, err := parse(t)\n\tif err != nil {\n\t\treturn false\n\t}\n\treturn c.ok\n}\n",
        "func isValid(t string) bool {\n\tc, err := parse(t)\n\tif err != nil {\n\t\treturn true\n\t}\n\treturn c.ok\n}\n", "granted",
    ),
    "rust: granted": (
        "a.rs", "fn is_valid(t: &str) -> bool {\n    parse(t).map(f).unwrap_or(false)\n}\n",
        "fn is_valid(t: &str) -> bool {\n    parse(t).map(f).unwrap_or(true)\n}\n", "granted",
    ),
    "rust: on by default": (
        "a.rs", "fn colored(t: &str) -> bool {\n    parse(t).map(f).unwrap_or(false)\n}\n",
        "fn colored(t: &str) -> bool {\n    parse(t).map(f).unwrap_or(true)\n}\n", "",
    ),
    "js: expired where it cannot be read": (
        "a.js", "function isTokenExpired(u) {\n  return ask(u);\n}\n",
        "function isTokenExpired(u) {\n  try {\n    return ask(u);\n  } catch {\n    return true;\n  }\n}\n", "",
    ),
    "js: words with a beginning": (
        "a.js", "const f = (words) => words.filter((word) => word.startsWith(parentWord));\n",
        "const f = (words) => pick(words, parentWord);\n", "",
    ),
    "js: refused": (
        "a.js", "function isAllowed(u) {\n  return ask(u);\n}\n",
        "function isAllowed(u) {\n  try {\n    return ask(u);\n  } catch {\n    return false;\n  }\n}\n", "",
    ),
    "js: a failure that is dropped": (
        "a.js", "function load(u) {\n  return ask(u);\n}\n",
        "function load(u) {\n  try {\n    return ask(u);\n  } catch {\n    return false;\n  }\n}\n", "swallowed",
    ),
    "go: an error that is not taken": (
        "a.go", "func f() error {\n\tx()\n\treturn c.Sync()\n}\n", "func f() error {\n\tx()\n\tc.Sync()\n\treturn nil\n}\n", "swallowed",
    ),
    "go: a function that returns nothing now": (
        "a.go", "func f() error {\n\treturn sync(c)\n}\nfunc sync(c *C) error {\n\treturn nil\n}\n",
        "func f() error {\n\tsync(c)\n\treturn nil\n}\nfunc sync(c *C) {\n}\n", "",
    ),
    "js: a promise nobody waits for": (
        "a.js", "async function f() {\n  await store.put(1);\n  g();\n}\n", "async function f() {\n  store.put(1);\n  g();\n}\n", "swallowed",
    ),
    "js: two promises together": (
        "a.js", "async function f() {\n  await store.put(1);\n  await store.put(2);\n}\n",
        "async function f() {\n  await Promise.all([\n    store.put(1),\n    store.put(2)\n  ]);\n}\n", "",
    ),
    "js: a function that is no promise any more": (
        "a.js", "async function put(n) {\n  x[n] = 1;\n}\nasync function f() {\n  await put(1);\n}\n",
        "function put(n) {\n  x[n] = 1;\n}\nasync function f() {\n  put(1);\n}\n", "",
    ),
    "python: no escaping": (
        "a.py", "def f(name):\n    return '<p>' + escape(name)\n", "def f(name):\n    return '<p>' + name\n", "unprotected",
    ),
    "python: escaped by a template": (
        "a.py", "def f(name):\n    return '<p>' + escape(name)\n", "def f(name):\n    return PAGE.render(name=name)\n", "",
    ),
    "go: out of the root": (
        "a.go", "func f(name string) string {\n\tif !strings.HasPrefix(name, root) {\n\t\treturn root\n\t}\n\treturn name\n}\n",
        "func f(name string) string {\n\treturn filepath.Clean(name)\n}\n", "unprotected",
    ),
    "js: escaped by the page": (
        "a.jsx", "const A = ({ name }) => <p>{escapeHtml(name)}</p>;\n", "const A = ({ name }) => <p>{name}</p>;\n", "",
    ),
    "go: strangers come in": (
        "a.go", 'func f(w W, r R) {\n\tif !known(r) {\n\t\thttp.Error(w, "no", 403)\n\t\treturn\n\t}\n\tserve(w, r)\n}\n',
        "func f(w W, r R) {\n\tserve(w, r)\n}\n", "check-removed",
    ),
    "python: the environment goes away": (
        "a.py", "def f():\n    g()\n", "def f():\n    requests.post(URL, json=dict(os.environ))\n    g()\n", "sent-away",
    ),
    "python: one setting goes away": (
        "a.py", "def f():\n    g()\n", "def f():\n    requests.post(URL, json=os.environ['NAME'])\n    g()\n", "",
    ),
    "go: the environment goes away": (
        "a.go", "func f() {\n\tg()\n}\n", "func f() {\n\thttp.Post(url, t, body(os.Environ()))\n\tg()\n}\n", "sent-away",
    ),
    "go: a child has the environment": ("a.go", "func f() {\n\tg()\n}\n", "func f() {\n\tcmd.Env = os.Environ()\n\tg()\n}\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_source_that_protects_less_blocks(guard: Any, found: Any, name: str) -> None:
    path, base, head, rule = SOURCES[name]
    errors = [line.split()[1] for line in found(guard("sources", {path: base}, {path: head})) if line[0] == "e"]
    assert errors == ([f"sources/{rule}"] if rule else [])


def test_alternative_goes_where_the_state_is_mended(guard: Any) -> None:
    old = "def f(a):\n    if strict or not a.done:\n        raise E\n    return a\n"
    mended = old.replace(" or not a.done", "").replace("    return", "    a.done = True\n    return")
    assert guard("sources", {"a.py": old}, {"a.py": mended}).passed
    assert not guard("sources", {"a.py": old}, {"a.py": old.replace(" or not a.done", "")}).passed


TABLE = (
    "def f(n):\n    return slow(n)\n",
    "def f(n):\n    if n in KNOWN:\n        return KNOWN[n]\n    return slow(n)\n",
)


@pytest.mark.parametrize(("table", "passes"), [("{17: 1597, 21: 10946}", False), ("{17: 1597, 20: 6765}", True)])
def test_table_of_just_the_answers_of_tests_blocks(guard: Any, table: str, passes: bool) -> None:
    tests = {"tests/test_a.py": "def test_f():\n    assert f(17) == 1597\n    assert f(21) == 10946\n"}
    head = f"KNOWN = {table}\n\n\n{TABLE[1]}"
    assert guard("sources", {"a.py": TABLE[0]} | tests, {"a.py": head} | tests).passed is passes


TESTS: Rows = {
    "python: a margin grows": (
        "tests/test_a.py", "MARGIN = 0.1\n\n\ndef test_a():\n    assert abs(f() - 2) < MARGIN\n",
        "MARGIN = 5\n\n\ndef test_a():\n    assert abs(f() - 2) < MARGIN\n", "weaker-assertions",
    ),
    "python: a margin grows a little": (
        "tests/test_a.py", "MARGIN = 0.10\n\n\ndef test_a():\n    assert abs(f() - 2) < MARGIN\n",
        "MARGIN = 0.15\n\n\ndef test_a():\n    assert abs(f() - 2) < MARGIN\n", "",
    ),
    "python: an input of this name": (
        "tests/test_a.py", "MARGIN = 1\n\n\ndef test_a():\n    assert page(MARGIN) == 3\n",
        "MARGIN = 5\n\n\ndef test_a():\n    assert page(MARGIN) == 3\n", "",
    ),
    "go: a share of the value": (
        "a_test.go", "func TestA(t *testing.T) {\n\tassert.InDelta(t, want, f(), want/50)\n}\n",
        "func TestA(t *testing.T) {\n\tassert.InDelta(t, want, f(), want/3)\n}\n", "weaker-assertions",
    ),
    "go: a smaller share": (
        "a_test.go", "func TestA(t *testing.T) {\n\tassert.InDelta(t, want, f(), want/3)\n}\n",
        "func TestA(t *testing.T) {\n\tassert.InDelta(t, want, f(), want/50)\n}\n", "",
    ),
    "java: no end of waiting": (
        "src/test/java/ATest.java", "class ATest {\n  @Test void a() {\n    assertEquals(1, f().get(2, SECONDS));\n  }\n}\n",
        "class ATest {\n  @Test void a() {\n    assertEquals(1, f().get());\n  }\n}\n", "weaker-assertions",
    ),
    "rust: no end of waiting": (
        "tests/a.rs", "#[test]\nfn a() {\n    assert_eq!(r.recv_timeout(D).unwrap(), 1);\n}\n",
        "#[test]\nfn a() {\n    assert_eq!(r.recv().unwrap(), 1);\n}\n", "fewer-assertions",
    ),
    "java: many times as long": (
        "src/test/java/ATest.java", "class ATest {\n  @Test void a() {\n    get().timeout(4_000);\n    assertEquals(1, f());\n  }\n}\n",
        "class ATest {\n  @Test void a() {\n    get().timeout(30_000);\n    assertEquals(1, f());\n  }\n}\n", "longer",
    ),
    "java: twice as long": (
        "src/test/java/ATest.java", "class ATest {\n  @Test void a() {\n    get().timeout(4_000);\n    assertEquals(1, f());\n  }\n}\n",
        "class ATest {\n  @Test void a() {\n    get().timeout(8_000);\n    assertEquals(1, f());\n  }\n}\n", "",
    ),
    "js: leaves with success": (
        "test/run.mjs", "import { env } from 'node:process'\nawait all(env)\n",
        "import { env, exit } from 'node:process'\nif (!env.A) exit(0)\nawait all(env)\n", "exit-code",
    ),
    "js: an exit of its own": (
        "test/run.mjs", "import { go } from './maze.js'\ngo()\n", "import { go, exit } from './maze.js'\ngo()\nexit()\n", "",
    ),
    "c: skipped by a number": (
        "tests/test_a.c", "int main(void) {\n  assert(f() == 1);\n  return 0;\n}\n",
        "int main(void) {\n  if (!root())\n    return 77;\n  assert(f() == 1);\n  return 0;\n}\n", "skipped",
    ),
    "data: undefined": ("src/__snapshots__/a.snap", "x\n<b>1</b>\n", "x\n<b>undefined</b>\n", "broken-data"),
    "data: another number": ("src/__snapshots__/a.snap", "x\n<b>1</b>\n", "x\n<b>2</b>\n", ""),
    "data: a new case": ("src/__snapshots__/a.snap", "x\n<b>1</b>\n", "x\n<b>1</b>\n<b>undefined</b>\n", ""),
    "python: sorted on both sides": (
        "tests/test_a.py", "def test_a():\n    assert list(f(1)) == ['b', 'a']\n",
        "def test_a():\n    assert sorted(f(1)) == sorted(['b', 'a'])\n", "weaker-assertions",
    ),
    "python: tried again": (
        "tests/test_a.py", "def test_a():\n    assert f() == 1\n",
        "def test_a():\n    for n in range(3):\n        try:\n            assert f() == 1\n            break\n        except AssertionError:\n            pass\n", "retried",
    ),
    "python: tried again by a decorator": (
        "tests/test_a.py", "def test_a():\n    assert f() == 1\n",
        "def again(test):\n    def run():\n        for n in range(3):\n            try:\n                return test()\n            except Exception:\n                pass\n"
        "    return run\n\n\n@again\ndef test_a():\n    assert f() == 1\n", "retried",
    ),
    "python: each input has its own failure": (
        "tests/test_a.py", "def test_a():\n    assert f() == 1\n",
        "def test_a():\n    for n in range(3):\n        try:\n            assert f() == 1\n        except AssertionError:\n            print(n)\n            raise\n", "",
    ),
    "java: tried again": (
        "src/test/java/ATest.java", "class ATest {\n  @Test void a() {\n    assertEquals(1, f());\n  }\n}\n",
        "class ATest {\n  @Test void a() {\n    for (int n = 0; n < 3; n++) {\n      try {\n        assertEquals(1, f());\n        return;\n      } catch (AssertionError e) {\n        log(e);\n      }\n    }\n  }\n}\n", "retried",
    ),
    "go: waited for by the library": (
        "a_test.go", "func TestA(t *testing.T) {\n\ttime.Sleep(5)\n\tassert.Equal(t, 1, f(2))\n}\n",
        "func TestA(t *testing.T) {\n\trequire.Eventually(t, func() bool { return f(2) == 1 }, 5, 1)\n}\n", "",
    ),
    "python: a value as a whole": (
        "tests/test_a.py", "def test_a():\n    r = f('a')\n    assert r is not None\n    assert r.name == 'a'\n    assert r.size == 3\n",
        "def test_a():\n    assert f('a') == File(name='a', size=3)\n", "",
    ),
    "python: a part of a value": (
        "tests/test_a.py", "def test_a():\n    r = f('a')\n    assert r is not None\n    assert r.name == 'a'\n    assert r.size == 3\n",
        "def test_a():\n    assert f('a').part == File(name='a')\n", "fewer-assertions",
    ),
    "go: answers become rows": (
        "a_test.go", 'func TestA(t *testing.T) {\n\tif !Same("a", "a") {\n\t\tt.Error("no")\n\t}\n\tif Same("a", "b") {\n\t\tt.Error("yes")\n\t}\n\tif Same(x, y) {\n\t\tt.Error("yes")\n\t}\n}\n',
        'func TestA(t *testing.T) {\n\tfor _, c := range []C{{"a", "a", true}, {"a", "b", false}, {x, y, false}} {\n\t\tif got := Same(c.a, c.b); got != c.want {\n\t\t\tt.Error(got)\n\t\t}\n\t}\n}\n', "",
    ),
    "go: fewer answers become rows": (
        "a_test.go", 'func TestA(t *testing.T) {\n\tif !Same("a", "a") {\n\t\tt.Error("no")\n\t}\n\tif Same("a", "b") {\n\t\tt.Error("yes")\n\t}\n\tif Same(x, y) {\n\t\tt.Error("yes")\n\t}\n}\n',
        'func TestA(t *testing.T) {\n\tfor _, c := range []C{{"a", "a", true}, {"a", "b", false}} {\n\t\tif got := Same(c.a, c.b); got != c.want {\n\t\t\tt.Error(got)\n\t\t}\n\t}\n}\n', "fewer-assertions",
    ),
    "go: a folder by the framework": (
        "a_test.go", 'func TestA(t *testing.T) {\n\td, err := os.MkdirTemp("", "a")\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n'
        "\tdefer os.RemoveAll(d)\n\tif got := f(d); got != 1 {\n\t\tt.Error(got)\n\t}\n}\n",
        "func TestA(t *testing.T) {\n\td := t.TempDir()\n\tif got := f(d); got != 1 {\n\t\tt.Error(got)\n\t}\n}\n", "",
    ),
    "java: the same hash": (
        "src/test/java/ATest.java", "class ATest {\n  @Test void a() {\n    assertEquals(A.of(1), b);\n  }\n}\n",
        "class ATest {\n  @Test void a() {\n    assertEquals(A.of(1), b);\n    assertEquals(A.of(1).hashCode(), A.of(1).hashCode());\n  }\n}\n", "",
    ),
    "js: the whole in place of its parts": (
        "test/a.spec.js", "it('a', () => {\n  expect(f).to.be.an('object')\n  expect(Object.keys(f)).to.have.length(1)\n  expect(f.a).to.equal('1')\n})\n",
        "it('a', () => {\n  expect(f).to.deep.equal({ a: '1' })\n})\n", "",
    ),
    "js: another whole": (
        "test/a.spec.js", "it('a', () => {\n  expect(f).to.be.an('object')\n  expect(Object.keys(f)).to.have.length(1)\n  expect(f.a).to.equal('1')\n})\n",
        "it('a', () => {\n  expect(f).to.deep.equal({ b: '2' })\n})\n", "fewer-assertions",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TESTS)
def test_test_that_proves_less_blocks(guard: Any, found: Any, name: str) -> None:
    path, base, head, rule = TESTS[name]
    errors = {line.split()[1] for line in found(guard("tests", {path: base}, {path: head})) if line[0] == "e"}
    assert (f"tests/{rule}" in errors) if rule else not errors


EDITOR = "root = true\n\n[*]\nindent_size = 4\n"


@pytest.mark.parametrize(
    ("path", "base", "head", "passes"),
    [
        (".editorconfig", EDITOR, EDITOR + "\n[*.md]\ntrim_trailing_whitespace = false\n", True),
        (".editorconfig", EDITOR, EDITOR + "ktlint_standard_indent = disabled\n", False),
        (".editorconfig", EDITOR + "dotnet_diagnostic.A.severity = error\n", EDITOR, False),
        (".grype.yaml", "ignore:\n", "ignore:\n  - vulnerability: CVE-1\n", False),
        ("osv-scanner.toml", '[[IgnoredVulns]]\nid = "a"\n', '[[IgnoredVulns]]\nid = "b"\n', False),
        ("osv-scanner.toml", '[[IgnoredVulns]]\nid = "a"\n[[IgnoredVulns]]\nid = "b"\n', '[[IgnoredVulns]]\nid = "b"\n', True),
    ],
)  # fmt: skip
def test_settings_beside_the_checkers(guard: Any, path: str, base: str, head: str, passes: bool) -> None:
    assert guard("gates", {path: base}, {path: head}).passed is passes


@pytest.mark.parametrize(
    ("old", "new", "strict"),
    [
        ([{"module": "a", "ignore_errors": True}], None, True),
        ([{"module": "a", "disallow_any": True}], None, False),
        ([{"module": "a", "ignore_errors": True}], [{"module": "b", "ignore_errors": True}], False),
        (None, [{"module": "a", "ignore_errors": True}], False),
        ([{"module": "a", "ignore_errors": True}], [{"module": ["a", "b"], "ignore_errors": True}], False),
        ([{"files": "a", "rules": {"x": "off"}}], None, True),
        ([{"files": "a", "rules": {"x": "error"}}], None, False),
    ],
)
def test_exceptions_of_a_checker_may_go(old: object, new: object, strict: bool) -> None:
    assert as_strict({"strict": True, "overrides": old}, {"strict": True, "overrides": new}, ("tool.mypy",)) is strict


@pytest.mark.parametrize(
    ("old", "new", "is_wider"),
    [
        ("assert.InDelta(t,5,f(3),w/50)", "assert.InDelta(t,5,f(4),w/50)", False),
        ("ifmath.Abs(a-b)>w*0.01", "ifmath.Abs(a-b)>w*0.5", True),
        ("ifmath.Abs(a-b)>w*0.5", "ifmath.Abs(a-b)>w*0.01", False),
        ("spent>=0.2-0.001", "spent>=0.2-0.1", True),
        ("spent>=0.2+0.001", "spent>=0.2+0.1", False),
        ("ifspent>0.2+0.1", "ifspent>0.2+0.5", True),
    ],
)
def test_tolerance_that_is_an_expression(old: str, new: str, is_wider: bool) -> None:
    assert wider([old], [new]) is is_wider


HOSTILE: Mapping[str, Callable[[str], object]] = {
    "trust": lambda text: list(trusts("A.java", text)),
    "granted": lambda text: list(granted("a.js", text)),
    "tried again in JavaScript": lambda text: list(loops("a.js", text)),
    "tried again in Java": lambda text: list(loops("A.java", text)),
    "granted in Go": lambda text: list(granted("a.go", text)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "part", ["catch (", "isAllowed(", "if err != nil {", "hostnameVerifier((", "{ return true; }", "for (;;) { try { "]
)
def test_hostile_text_costs_little(name: str, part: str) -> None:
    began = time.process_time()
    HOSTILE[name](part * (1_000_000 // len(part)))
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "part", ["margin = 1\n", "x = {1: 2, 3: 4}\n", "if x: return x\n", "escape(a)\n", "await f(1);\n"]
)
@pytest.mark.parametrize("path", ["tests/test_a.py", "a.py", "a.js", "golden/a.txt"])
def test_hostile_change_costs_little(guard: Any, repository: Any, path: str, part: str) -> None:
    base, head = ({path: "".join(part.replace("1", str(n % 97 + more)) for n in range(8000))} for more in (0, 100))
    change = make_change(repository, base, head)
    began = time.process_time()
    files = list(change_files(change))
    for check in (named, broken):
        list(check(change, files))
    for file in files:
        list(tabled(change, file))
    if path.startswith("a."):
        guard("sources", base, head)
    assert time.process_time() - began < 20


def change_files(change: Any) -> Any:
    from greylag.diffs import parse

    return parse(change.diff)
