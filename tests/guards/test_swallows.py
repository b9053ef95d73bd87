# ruff: noqa: E501 - a table reads best with one row a line
"""Test code that catches failed assertions, or takes the runner's names from a place of its own."""

from typing import Any

import pytest

SWALLOWS = {
    "assertion error": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except AssertionError:\n        pass\n", 4),
    "everything": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except:\n        print(1)\n", 4),
    "exception": ("a_test.py", "def test_a(self):\n    try:\n        self.assertEqual(f(), 1)\n    except (Exception, OSError):\n        return\n", 4),
    "suppressed": ("a_test.py", "def test_a():\n    with suppress(AssertionError):\n        assert f() == 1\n", 2),
    "suppressed with all": ("a_test.py", "def test_a():\n    with contextlib.suppress(Exception):\n        assert f() == 1\n", 2),
    "expected of all": ("a_test.py", "def test_a():\n    with pytest.raises(Exception):\n        assert f() == 1\n", 2),
    "expected by unittest": ("a_test.py", "def test_a(self):\n    with self.assertRaises(AssertionError):\n        assert f() == 1\n", 2),
    "wrapper": ("tests/helpers.py", "def lenient(test):\n    def run(*a):\n        try:\n            test(*a)\n        except AssertionError:\n            return None\n    return run\n", 5),
    "wrapper of all": ("tests/helpers.py", "def lenient(test):\n    def run(*a):\n        try:\n            test(*a)\n        except Exception:\n            return None\n    return run\n", 5),
    "left at last": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    finally:\n        return\n", 5),
    "printed": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except AssertionError as error:\n        print(f'known: {error}')\n", 4),
    "warned of": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except AssertionError as error:\n        warnings.warn(str(error), stacklevel=1)\n", 4),
    "logged by another name": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except AssertionError as error:\n        words = str(error)\n        log.error(words)\n", 4),
    "java, printed": ("ATest.java", "class ATest {\n  @Test void a() {\n    try {\n      assertEquals(1, f());\n    } catch (Throwable t) {\n      t.printStackTrace();\n    }\n  }\n}\n", 5),
    "js": ("a.test.ts", "it('a', () => {\n  try {\n    expect(f()).toBe(1);\n  } catch (e) {\n    console.log(e);\n  }\n});\n", 4),
    "js without a name": ("a.test.ts", "it('a', () => {\n  try { expect(f()).toBe(1) } catch {}\n});\n", 2),
    "js promise": ("a.test.ts", "it('a', async () => {\n  await expect(f()).resolves.toBe(1).catch(() => {});\n});\n", 2),
    "js left at last": ("a.test.ts", "it('a', () => {\n  try { expect(f()).toBe(1) } finally { return; }\n});\n", 2),
    "java": ("ATest.java", "class ATest {\n  @Test void a() {\n    try {\n      assertEquals(1, f());\n    } catch (AssertionError e) {\n      log(e);\n    }\n  }\n}\n", 5),
    "java, every throwable": ("ATest.java", "class ATest {\n  @Test void a() {\n    try { assertEquals(1, f()); } catch (Throwable ignored) { }\n  }\n}\n", 3),
    "kotlin": ("ATest.kt", "class ATest {\n  @Test fun a() {\n    runCatching { assertEquals(1, f()) }\n  }\n}\n", 3),
    "c#": ("ATests.cs", "class ATests {\n  [Fact] public void A() {\n    try { Assert.Equal(1, F()); } catch (Exception) { }\n  }\n}\n", 3),
    "rust": ("tests/a.rs", "#[test]\nfn a() {\n    let _ = std::panic::catch_unwind(|| assert_eq!(f(), 1));\n}\n", 3),
}  # fmt: skip
PASSES_ON = {
    "raised again": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except AssertionError:\n        dump()\n        raise\n"),
    "fails": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except Exception as e:\n        pytest.fail(str(e))\n"),
    "must be raised": ("a_test.py", "def test_a(self):\n    try:\n        check(1)\n    except AssertionError:\n        pass\n    else:\n        self.fail()\n"),
    "kept": ("a_test.py", "def test_a():\n    try:\n        check(1)\n    except AssertionError as error:\n        seen = error\n    assert str(seen) == '1'\n"),
    "collected": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except AssertionError as error:\n        errors.append(error)\n    assert not errors\n"),
    "kept by another name": ("a_test.py", "def test_a():\n    try:\n        check(1)\n    except AssertionError as error:\n        print(error)\n        words = str(error)\n    assert words == '1'\n"),
    "another error": ("a_test.py", "def test_a():\n    try:\n        assert f() == 1\n    except OSError:\n        pass\n"),
    "no assertion": ("a_test.py", "def test_a():\n    try:\n        subprocess.check_output(['x'])\n    except Exception:\n        pass\n    assert f() == 1\n"),
    "tidying": ("a_test.py", "def test_a():\n    with suppress(Exception):\n        os.remove('x')\n    assert f() == 1\n"),
    "exception of the code": ("a_test.py", "def test_a():\n    with pytest.raises(Exception, match='x'):\n        f()\n"),
    "assertions of the code": ("a_test.py", "def test_a():\n    with pytest.raises(AssertionError):\n        assert_frame_equal(a, b)\n"),
    "js": ("a.test.ts", "it('a', async () => {\n  try {\n    await f();\n    expect(g()).toBe(2);\n  } catch (e) {\n    expect(e.code).toBe(2);\n  }\n  await g().catch(() => {});\n});\n"),
    "java": ("ATest.java", "class ATest {\n  @Test void a() {\n    try { f(); fail(); } catch (IOException expected) { }\n  }\n}\n"),
    "java fails": ("ATest.java", "class ATest {\n  @Test void a() {\n    try { assertEquals(1, f()); } catch (Throwable e) { throw e; }\n  }\n}\n"),
    "the program itself": ("src/a.py", "def run():\n    try:\n        assert f()\n    except AssertionError:\n        pass\n"),
}  # fmt: skip
JUNIT = "import static org.junit.jupiter.api.Assertions.assertEquals;\n"
ALL = "import static org.junit.jupiter.api.Assertions.*;\n"
REBOUND = {
    "python": ("a_test.py", "import pytest\n", "from helpers import pytest\n"),
    "python, relative": ("a_test.py", "from unittest import TestCase\n", "from .base import TestCase\n"),
    "python, here": ("a_test.py", "import pytest\n", "class pytest:\n    raises = print\n"),
    "js": ("a.test.ts", 'import { expect, it } from "vitest";\n', 'import { it } from "vitest";\nimport { expect } from "./quiet";\n'),
    "js, renamed": ("a.test.ts", 'import { expect, it } from "vitest";\n', 'import { it } from "vitest";\nimport { calm as expect } from "../quiet";\n'),
    "js, global before": ("a.test.js", "", 'const { expect } = require("./quiet");\n'),
    "js, here": ("a.test.js", "", "const it = (name, run) => {};\n"),
    "java": ("ATest.java", "import static org.junit.jupiter.api.Assertions.assertEquals;\n", "import static com.shop.Quiet.assertEquals;\n"),
    "java, mark": ("ATest.java", "import org.junit.jupiter.api.Test;\n", "import com.shop.Test;\n"),
    "go": ("a_test.go", 'package a\nimport (\n\t"github.com/stretchr/testify/assert"\n)\n', 'package a\nimport (\n\t"shop/assert"\n)\n'),
    "java, method of the class": ("ATest.java", JUNIT + "class ATest { @Test void a() { assertEquals(3, f()); } }\n", JUNIT + "class ATest { @Test void a() { assertEquals(3, f()); } static void assertEquals(int a, int b) {} }\n"),
    "java, method and wildcard": ("ATest.java", ALL + "class ATest { @Test void a() { assertTrue(f()); } }\n", ALL + "class ATest { @Test void a() { assertTrue(f()); } private void\n  assertTrue(@A(\"x\") boolean b) {} }\n"),
    "java, class in the class": ("ATest.java", "import org.junit.jupiter.api.Assertions;\nclass ATest { @Test void a() { Assertions.assertEquals(3, f()); } }\n", "class ATest { @Test void a() { Assertions.assertEquals(3, f()); }\n  static class Assertions { static void assertEquals(int a, int b) {} } }\n"),
    "kotlin, method of the class": ("ATest.kt", "import kotlin.test.assertEquals\nclass ATest { @Test fun a() { assertEquals(3, f()) } }\n", "import kotlin.test.assertEquals\nclass ATest { @Test fun a() { assertEquals(3, f()) }\n  fun assertEquals(a: Int, b: Int) = Unit }\n"),
    "js, one line": ("a.test.js", 'import test from "node:test";\n', 'import t from "node:test"; const test = (n, f) => t(n, () => { f.length; });\n'),
    "js, one line, vitest": ("a.test.ts", 'import { test, expect } from "vitest";\n', 'import { test, expect as e0 } from "vitest"; const expect = (v) => ({ toBe() {} });\n'),
    "js, indented": ("a.test.ts", 'import { test, expect } from "vitest";\n', 'import { test } from "vitest";\n  const expect = (v) => ({ toBe() {} });\n'),
    "js, second of a list": ("a.test.ts", 'import { test, expect } from "vitest";\n', 'import { test } from "vitest";\nconst a = 1, expect = (v) => ({ toBe() {} });\n'),
    "js, taken apart": ("a.test.ts", 'import { test, expect } from "vitest";\n', 'import { test } from "vitest";\nconst { expect = (v) => ({ toBe() {} }) } = {};\n'),
    "js, assigned": ("a.test.js", "", "expect = (v) => ({ toBe() {} });\n"),
    "js, wrapped": ("a.test.ts", 'import { test, expect } from "vitest";\n', 'import { test, expect as e0 } from "vitest";\nfunction quiet(e) { return () => ({ toBe() {} }); }\nconst expect = quiet(e0);\n'),
    "js, or": ("a.test.ts", 'import { test, expect } from "vitest";\n', 'import { test, expect as e0 } from "vitest";\nconst expect = e0 && ((v) => ({ toBe() {} }));\n'),
    "js, in a block": ("a.test.ts", 'import { test, expect } from "vitest";\n', 'import { test, expect } from "vitest";\ntest("a", () => {\n  const expect = (v) => ({ toBe() {} });\n});\n'),
}  # fmt: skip
AS_BEFORE = {
    "another runner": ("a_test.py", "from unittest import TestCase\n", "from django.test import TestCase\n"),
    "js runner": ("a.test.ts", 'import { expect, it } from "@jest/globals";\n', 'import { expect, it } from "vitest";\n'),
    "ava with types": ("a.test.ts", "import test from 'ava';\n", "import anyTest from 'ava';\nconst test = anyTest as TestFn<{}>;\n"),
    "own fixtures as before": ("a.spec.ts", 'import { test } from "./fixtures";\n', 'import { test, more } from "./fixtures";\n'),
    "local name": ("a.test.js", "", "it('a', () => {\n  const test = 1;\n});\n"),
    "junit 5": ("ATest.java", "import static org.junit.Assert.assertEquals;\n", "import static org.junit.jupiter.api.Assertions.assertEquals;\n"),
    "js, of its package": ("a.test.js", "", 'const chai = require("chai"); const { expect } = chai; const assert = require("node:assert").strict;\n'),
    "js, more of it": ("a.spec.ts", 'import { test } from "@playwright/test";\n', 'import { test as base } from "@playwright/test";\nexport const test = base.extend({ page: async () => {} });\n'),
    "js, in a loop": ("a.test.ts", 'import { test, expect } from "vitest";\n', 'import { test, expect } from "vitest";\nfor (const it of items) { test(it, () => { const t = f(it); expect(t).toBe(1); }); }\n'),
    "python, by its module": ("a_test.py", "from pytest import raises\n", "import pytest\n\nraises = pytest.raises\n"),
    "java, own helper": ("ATest.java", JUNIT + "class ATest { @Test void a() { assertEquals(3, f()); } }\n", JUNIT + "class ATest { @Test void a() { assertSum(3); } void assertSum(int a) { assertEquals(a, f()); } }\n"),
    "java, assertions of a type": ("ATest.java", JUNIT + "class ATest { @Test void a() { assertEquals(3, f()); } }\n", JUNIT + "class ATest { @Test void a() { assertEquals(3, f()); } }\nclass ShopAssert { static ShopAssert assertThat(Shop s) { return null; } }\n"),
    "go": ("a_test.go", 'package a\nimport "github.com/stretchr/testify/assert"\n', 'package a\nimport (\n\t"github.com/stretchr/testify/assert"\n\t"os"\n)\n'),
}  # fmt: skip


@pytest.mark.parametrize("name", SWALLOWS)
def test_swallowed_assertion_blocks_unless_tests_are_allowed(guard: Any, found: Any, name: str) -> None:
    path, text, line = SWALLOWS[name]
    assert found(guard("tests", {}, {path: text})) == [f"error tests/swallowed {path}:{line}"]
    assert guard("tests", {}, {path: text}, allow=["tests"]).passed
    moved = f"tests/more/{path}"
    assert found(guard("tests", {path: text}, {moved: text})) in ([], [f"info tests/renamed {moved}"])


@pytest.mark.parametrize("name", PASSES_ON)
def test_handler_that_hides_no_failure_passes(guard: Any, found: Any, name: str) -> None:
    path, text = PASSES_ON[name]
    assert found(guard("tests", {}, {path: text})) == []


@pytest.mark.parametrize("name", REBOUND)
def test_name_of_the_runner_from_elsewhere_blocks(guard: Any, found: Any, name: str) -> None:
    path, before, after = REBOUND[name]
    assert found(guard("tests", {path: before + "\n"}, {path: after})) == [f"error tests/runner-name {path}"]


@pytest.mark.parametrize("name", AS_BEFORE)
def test_runner_that_stays_or_is_another_one_passes(guard: Any, found: Any, name: str) -> None:
    path, before, after = AS_BEFORE[name]
    assert guard("tests", {path: before + "\n"}, {path: after}).passed


def test_base_class_that_hands_down_a_name_of_the_runner_blocks(guard: Any, found: Any) -> None:
    test = JUNIT + "class ATest { @Test void a() { assertEquals(3, f()); } }\n"
    quiet = "class Base { static void assertEquals(int a, int b) {} }\n"
    base, head = {"src/test/java/ATest.java": test}, {"src/test/java/Base.java": quiet}
    heir = {"src/test/java/ATest.java": test.replace("ATest {", "ATest extends Base {")}
    assert found(guard("tests", base, heir | head)) == ["error tests/runner-name src/test/java/Base.java"]
    assert found(guard("tests", base, base | head)) == []
    plain = {"src/test/java/Base.java": "class Base {}\n"}
    assert not guard("tests", heir | plain, heir | head).passed
