# ruff: noqa: E101 - Go is written with tabs
"""Assertions that say less than the ones whose place they took, in all languages, and what only looks like it.

The tables are written like a diff of the lines in one test; a blank line is between two changes.
"""

from typing import Any

import pytest

FILES = {
    "py": ("tests/test_a.py", "import pytest\nfrom a import f\n\n\ndef test_f(tmp_path):\n%s\n"),
    "js": ("test/a.test.js", "import { f } from '../src/a';\n\ntest('f', () => {\n%s\n});\n"),
    "jsa": ("test/a.test.js", "import { f } from '../src/a';\n\ntest('f', async () => {\n%s\n});\n"),
    "tap": ("test/a.test.js", "const { test } = require('tap');\n\ntest('f', (t) => {\n%s\n});\n"),
    "java": ("src/test/java/a/FTest.java", "class FTest {\n  @Test\n  void f() {\n%s\n  }\n}\n"),
    "kt": ("src/test/kotlin/a/FTest.kt", "import kotlin.test.*\n\nclass FTest {\n  @Test\n  fun f() {\n%s\n  }\n}\n"),
    "go": ("a/f_test.go", 'package a\n\nimport "testing"\n\nfunc TestF(t *testing.T) {\n%s\n}\n'),
    "rust": ("tests/f.rs", "use a::f;\n\n#[test]\nfn works() {\n%s\n}\n"),
    "cpp": ("tests/f_test.cpp", "#include <gtest/gtest.h>\n\nTEST(F, Works) {\n%s\n}\n"),
    "c": ("tests/test_f.c", "#include <assert.h>\n\nint main(void) {\n%s\n    return 0;\n}\n"),
}
BLOCKED = r"""
py
-assert f("a") == ["x", "y"]
+assert sorted(f("a")) == sorted(["x", "y"])

py
-assert f("a") == ["x", "y"]
+assert set(f("a")) == set(["x", "y"])

py
-assert list(f("a")) == ["x", "y"]
+assert list(f("a"))[:1] == ["x"]

py
-assert f("a") == {"x": 1, "y": 2}
+assert f("a")["x"] == 1

py
-assert f("a") == "Hello World"
+assert f("a").lower() == "hello world"

py
-assert 0.9 < f("a") < 1.1
+assert 0.5 < f("a") < 1.5

py
-assert f("a") is True
+assert f("a") in (True, False)

py
-assert f("a") is True
+assert f("a") in (True, None)

py
-with pytest.raises(KeyError):
+with pytest.raises((KeyError, ValueError)):
     f("a")

py
-with pytest.raises(KeyError, match="^no such key: a$"):
+with pytest.raises(KeyError, match="key"):
     f("a")

py
-assert abs(f("a") - 1.5) < 0.01
+assert abs(f("a") - 1.5) < 0.5

py
-assert all(x > 0 for x in f("a"))
+assert any(x > 0 for x in f("a"))

py
-assert [x.name for x in f("a")] == ["a", "b"]
+assert {x.name for x in f("a")} == {"a", "b"}

py
-assert f("a") == "x\n"
+assert f("a").rstrip() == "x"

py
-assert f("a") == "x\n"
+assert f("a").strip() == "x\n".strip()

js
-expect(f('a')).toEqual({ x: 1, y: 2 });
+expect(f('a')).toMatchObject({ x: 1 });

js
-expect(f('a')).toEqual({ x: 1, y: 2 });
+expect(f('a').x).toBe(1);

js
-expect(f('a')).toEqual(['x', 'y']);
+expect(f('a')).toHaveLength(2);

js
-expect(f('a')).toEqual(['x', 'y']);
+expect(f('a').sort()).toEqual(['x', 'y'].sort());

js
-expect(f('a')).toBe('x\n');
+expect(f('a').trim()).toBe('x');

js
-expect(f('a')).toBe('Hello');
+expect(f('a').toLowerCase()).toBe('hello');

js
-assert.throws(() => f('a'), { code: 'EKEY', message: 'no key' });
+assert.throws(() => f('a'), { code: 'EKEY' });

js
-assert.throws(() => f('a'), /no such key/);
+assert.throws(() => f('a'));

js
-expect(f('a')).toBeGreaterThan(10);
+expect(f('a')).toBeGreaterThan(0);

jsa
-await assert.rejects(f('a'));
+assert.rejects(f('a'));

jsa
-expect(await f('a')).toBe(1);
+setTimeout(async () => expect(await f('a')).toBe(1));

js
-expect(f('a')).toBe(1);
+process.nextTick(() => { expect(f('a')).toBe(1); });

js
-expect(f('a')).toBe(1);
+requestAnimationFrame(() => expect(f('a')).toBe(1));

js
-expect(f('a')).toBe(1);
+new Promise(() => { expect(f('a')).toBe(1); });

tap
-t.plan(2);
 f((err) => { t.error(err); });
 t.end();

tap
-t.same(f('a'), ['x', 'y']);
+t.same(f('a').sort(), ['x', 'y']);

tap
-t.strictSame(f('a'), { x: 1 });
+t.match(f('a'), { x: Number });

java
-assertThat(F.f("x")).allMatch(s -> s.length() > 1);
+assertThat(F.f("x")).anyMatch(s -> s.length() > 1);

java
-assertThatThrownBy(() -> F.f("x")).isExactlyInstanceOf(KeyException.class);
+assertThatThrownBy(() -> F.f("x")).isInstanceOf(RuntimeException.class);

java
-assertTrue(F.f("x") > 3);
+assertTrue(F.f("x") >= 3);

java
-assertTrue(F.f("x").matches("[a-z]+-\\d{4}"));
+assertTrue(F.f("x").matches("[a-z]+.*"));

java
-assertArrayEquals(new int[] {1, 2}, F.f("x"));
+int[] got = F.f("x");
+Arrays.sort(got);
+assertArrayEquals(new int[] {1, 2}, got);

kt
-assertEquals(listOf("a", "b"), f("x"))
+assertEquals(listOf("a", "b"), f("x").sorted())

kt
-assertTrue(f("x") in 3..4)
+assertTrue(f("x") in 3..9)

kt
-verify(exactly = 2) { m.go() }
+verify(atLeast = 1) { m.go() }

go
-if got := F("x"); got != "a b" {
+if got := strings.TrimSpace(F("x")); got != "a b" {
 	t.Errorf("got %q", got)
 }

go
-if !reflect.DeepEqual(F("x"), []string{"a", "b"}) {
+if len(F("x")) != 2 {
 	t.Error("bad")
 }

go
-assert.Equal(t, []string{"a", "b"}, F("x"))
+assert.Len(t, F("x"), 2)

go
-assert.Greater(t, F("x"), 10)
+assert.Greater(t, F("x"), 0)

go
-assert.Equal(t, want, got)
+assert.EqualValues(t, len(want), len(got))

go
-if d := cmp.Diff(want, got); d != "" {
+if d := cmp.Diff(want, got, cmpopts.IgnoreFields(T{}, "A", "B")); d != "" {
 	t.Error(d)
 }

go
-if d := cmp.Diff(want, got); d != "" {
+if d := cmp.Diff(want, got, cmpopts.SortSlices(less)); d != "" {
 	t.Error(d)
 }

go
-if elapsed > time.Second {
+if elapsed > 10*time.Second {
 	t.Error("slow")
 }

go
-if n < 10 {
+if n < 1 {
 	t.Error("few")
 }

rust
-assert_eq!(f("x"), "a b");
+assert_eq!(f("x").trim(), "a b");

rust
-assert!(f("x").iter().all(|x| *x > 0));
+assert!(f("x").iter().any(|x| *x > 0));

rust
-assert!(matches!(f("x"), Err(Error::Key)));
+assert!(matches!(f("x"), Err(Error::Key | Error::Value)));

rust
-assert!(f("x") >= 10);
+assert!(f("x") >= 1);

cpp
-EXPECT_STREQ(f("x"), "Hello");
+EXPECT_STRCASEEQ(f("x"), "hello");

cpp
-EXPECT_EQ(f("x"), "Hello world");
+EXPECT_THAT(f("x"), HasSubstr("Hello"));

cpp
-EXPECT_THAT(f("x"), ElementsAre(1, 2));
+EXPECT_THAT(f("x"), SizeIs(2));

cpp
-EXPECT_THAT(f("x"), Each(Gt(0)));
+EXPECT_THAT(f("x"), Contains(Gt(0)));

cpp
-EXPECT_LE(f("x"), 10);
+EXPECT_LE(f("x"), 1000);

c
-assert(strcmp(f("x"), "Hello") == 0);
+assert(strncmp(f("x"), "Hel", 3) == 0);

c
-assert(strcmp(f("x"), "Hello") == 0);
+assert(strcasecmp(f("x"), "hello") == 0);

js
-expect(f('a').every((x) => x.ok)).toBe(true);
+expect(f('a').some((x) => x.ok)).toBe(true);

js
-assert.match(f('a'), /^v\d+\.\d+\.\d+$/);
+assert.match(f('a'), /v\d+/);

js
-assert.deepStrictEqual(f('a'), ['x', 'y']);
+assert.deepStrictEqual(f('a').slice(0, 1), ['x']);

js
-assert.deepStrictEqual(f('a'), ['x', 'y']);
+assert.deepStrictEqual([...new Set(f('a'))].sort(), ['x', 'y']);

js
-assert(f('a') === 'x');
+assert(f('a') != null);

py
-assert f("a") == (1, 2)
+assert len(f("a")) == 2

py
-assert re.search(r"^x=\d+ y=\d+$", f("a"))
+assert re.search(r"x=", f("a"))

py
-assert f("a").splitlines() == ["one line", "two lines"]
+assert f("a").splitlines()[0] == "one line"

py
-assert mock.mock_calls == [call("a"), call("b")]
+mock.assert_has_calls([call("a")])

py
-assert f("a") == [3, 1, 2]
+assert sum(f("a")) == 6

py
-assert f("a")[0] == 1
-assert f("a")[1] == 2
+assert f("a")[0] == 1

py
-assert f("a").x == 1
-assert f("a").y == 2
+f("a")
+assert (1, 2) == tuple([1, 2])

py
-assert f("a").x == 1
-assert f("a").y == 2
+assert f("a").x in (1, 2)

py
-assert f("a") == "x"
-assert f("b") == "y"
+assert {f("a"), f("b")} >= {"x", "y"}

py
-assert f("a") == 1
-assert g("a") == 1
+assert f("a") == 1

py
-assert f("a") == 1
-assert g("a") == 1
+assert 1 == f("a")

js
-expect(f('a').x).toBe(1);
-expect(f('a').y).toBe(2);
+expect(f('a')).toEqual({ x: 1, y: expect.any(Number) });

js
-expect(f('a').x).toBe(1);
-expect(f('a').y).toBe(2);
+expect(f('a')).toMatchObject({ x: 1 });

js
-expect(f('a')).toBe(1);
-expect(f('b')).toBe(2);
+expect([f('a'), f('b')].sort()).toEqual([1, 2]);

js
-expect(f('a')).toBe(1);
-expect(f('b')).toBe(2);
+expect([1, 2]).toEqual([1, 2].map((x) => x));

java
-assertEquals("a", F.f("x").get(0));
-assertEquals("b", F.f("x").get(1));
+assertTrue(F.f("x").containsAll(List.of("a", "b")));

java
-assertEquals("a", F.f("x"));
-assertEquals("b", G.g("x"));
+assertEquals(List.of("a", "b"), List.of(F.f("x"), "b"));

go
-assert.Equal(t, "a", F("x")[0])
-assert.Equal(t, "b", F("x")[1])
+assert.Contains(t, F("x"), "a", "b")

go
-assert.Error(t, err)
-assert.Equal(t, "no key", err.Error())
+assert.Error(t, err, "no key")

rust
-assert_eq!(f("x").len(), 2);
-assert_eq!(f("x")[0], "a");
-assert_eq!(f("x")[1], "b");
+assert_eq!(f("x").len(), 2);

cpp
-EXPECT_EQ(f("x")[0], 1);
-EXPECT_EQ(f("x")[1], 2);
+EXPECT_THAT(f("x"), UnorderedElementsAre(1, 2));
"""
PASSED = r"""
py
-assert f("a") != None
+assert f("a") is not None

java
-assertTrue(F.f("x").isPresent());
-assertEquals("a", F.f("x").get());
+assertEquals(Optional.of("a"), F.f("x"));

go
-assert.Equal(t, nil, err)
+assert.NoError(t, err)

rust
-assert_eq!(f("x").is_some(), true);
+assert!(f("x").is_some());

cpp
-EXPECT_EQ(f("x").size(), 0);
+EXPECT_TRUE(f("x").empty());

js
-const r = f('a');
-expect(r.x).toBe(1);
-expect(r.y).toBe(2);
+expect(f('a')).toEqual({ x: 1, y: 2 });

py
-assert isinstance(f("a"), dict)
-assert f("a")["x"] == 1
+assert f("a") == {"x": 1}

py
-assert sorted(f("a")) == ["x", "y"]
+assert f("a") == ["x", "y"]

py
-assert len(f("a")) > 0
+assert len(f("a")) >= 1

py
-assert "x" in f("a")
+assert f("a") == ["x"]

py
-result = f("a")
-assert result == "x"
+assert f("a") == "x"

js
-expect(f('a')).toBe(1);
+return Promise.resolve().then(() => expect(f('a')).toBe(1));

js
-assert.ok(f('a') === 3);
+assert.strictEqual(f('a'), 3);

js
-expect(f('a')).toBeTruthy();
+expect(f('a')).toBe(true);

java
-assertTrue(F.f("x") == 3);
+assertEquals(3, F.f("x"));

java
-assertEquals(F.f("x"), 3);
+assertEquals(3, F.f("x"));

java
-assertThat(F.f("x")).contains("a");
+assertThat(F.f("x")).containsExactly("a", "b");

kt
-assertTrue(f("x") == 3)
+assertEquals(3, f("x"))

go
-if err == nil {
+if !errors.Is(err, ErrKey) {
 	t.Error("bad")
 }

go
-assert.True(t, F("x") == 3)
+assert.Equal(t, 3, F("x"))

rust
-assert!(f("x") == 3);
+assert_eq!(f("x"), 3);

rust
-assert_eq!(f("x"), 3);
+assert_eq!(f("x"), 3, "wrong answer");

cpp
-EXPECT_EQ(3, f("x"));
+EXPECT_EQ(f("x"), 3);

c
-assert(!strcmp(f("x"), "Hello"));
+assert(strcmp(f("x"), "Hello") == 0);

js
-assert.equal(f('a'), 'x');
+assert.strictEqual(f('a'), 'x');

js
-expect(f('a')).toEqual({ x: 1 });
+expect(f('a')).toStrictEqual({ x: 1 });

js
-f('a', (x) => { expect(x).toBe(1); });
+f('a', (x) => {
+  expect(x).toBe(1);
+});

js
-expect(f('a')).toBe(1);
+const seen = [];
+emitter.on('x', (x) => seen.push(x));
+f('a');
+expect(seen).toEqual([1]);

jsa
-expect(await f('a')).toBe(1);
+await expect(f('a')).resolves.toBe(1);

py
-assert len(f("a")) == 0
+assert f("a") == []

py
-with pytest.raises(Exception):
+with pytest.raises(KeyError):
     f("a")

py
-assert f("a") == 1
-assert f("b") == 2
+for name, want in (("a", 1), ("b", 2)):
+    assert f(name) == want

py
-assert not f("a") == 3
+assert f("a") != 3

py
-path = tmp_path / "x"
-assert f(path) == 1
+assert f(tmp_path / "x") == 1

py
-assert f("a")[0] == 1
-assert f("a")[1] == 2
-assert len(f("a")) == 2
+assert f("a") == [1, 2]

py
-assert "x" in f("a")
-assert "y" in f("a")
+assert set(f("a")) == {"x", "y"}

py
-assert f("a") == 1.5
+assert f("a") == pytest.approx(1.5)

py
-mock.assert_called_with("a")
+mock.assert_called_once_with("a")

py
-assert 0 < f("a") < 10
+assert 1 <= f("a") <= 9

py
-self.assertEqual(len(f("a")), 2)
+self.assertEqual(f("a"), [1, 2])

js
-expect(f('a').x).toBe(1);
-expect(f('a').y).toBe(2);
+expect(f('a')).toEqual({ x: 1, y: 2 });

js
-expect(f('a')).toEqual('x');
+expect(f('a')).toBe('x');

js
-assert.equal(f('a'), 'x');
-assert.equal(f('b'), 'y');
+for (const [k, v] of [['a', 'x'], ['b', 'y']]) assert.equal(f(k), v);

js
-expect(() => f('a')).toThrow();
+expect(() => f('a')).toThrow(new KeyError('a'));

jsa
-const got = await f('a');
-expect(got).toBe(1);
+expect(await f('a')).toBe(1);

jsa
-try { await f('a'); assert.fail(); } catch (e) { assert.equal(e.code, 'X'); }
+await assert.rejects(f('a'), { code: 'X' });

tap
-t.equal(f('a'), 1);
-t.equal(f('b'), 2);
-t.end();
+t.plan(2);
+t.equal(f('a'), 1);
+t.equal(f('b'), 2);

java
-assertTrue(F.f("x").isEmpty());
+assertEquals(List.of(), F.f("x"));

java
-assertTrue(F.f("x") instanceof A);
+assertInstanceOf(A.class, F.f("x"));

java
-assertEquals(1.5, F.f("x"), 0.1);
+assertEquals(1.5, F.f("x"), 0.0001);

kt
-assertTrue(f("x").isEmpty())
+assertEquals(emptyList(), f("x"))

go
-if err := F("x"); err != nil {
-	t.Fatalf("F: %v", err)
-}
+if err := F("x"); err != nil {
+	t.Fatal(err)
+}

go
-assert.NotNil(t, err)
-assert.Equal(t, "no key", err.Error())
+assert.EqualError(t, err, "no key")

go
-assert.True(t, errors.Is(err, ErrKey))
+assert.ErrorIs(t, err, ErrKey)

rust
-assert!(f("x").is_ok());
-assert_eq!(f("x").unwrap(), 3);
+assert_eq!(f("x"), Ok(3));

rust
-assert!(f("x") == Some(3));
+assert_eq!(f("x"), Some(3));

rust
-assert_eq!(f("x").unwrap(), 3);
+let n = f("x").expect("a number");
+assert_eq!(n, 3);

cpp
-EXPECT_TRUE(f("x") == "a");
+EXPECT_EQ(f("x"), "a");

c
-assert(f("x") >= 0);
+assert(f("x") == 0);
"""


def changes(table: str) -> list[str]:
    return table.strip("\n").split("\n\n")


def sides(change: str) -> tuple[str, str, str]:
    """Path, base and head."""
    language, *lines = change.split("\n")
    path, file = FILES[language]
    was, now = ("\n".join(f"    {line[1:]}" for line in lines if line[0] in f" {sign}") for sign in "-+")
    return path, file % was, file % now


@pytest.mark.parametrize("change", changes(BLOCKED))
def test_assertion_that_says_less_blocks(guard: Any, change: str) -> None:
    path, base, head = sides(change)
    assert not guard("tests", {path: base}, {path: head}).passed
    assert guard("tests", {path: base}, {path: head}, allow=["tests"]).passed


@pytest.mark.parametrize("change", changes(PASSED))
def test_assertion_that_says_as_much_passes(guard: Any, change: str) -> None:
    path, base, head = sides(change)
    assert guard("tests", {path: base}, {path: head}).passed
