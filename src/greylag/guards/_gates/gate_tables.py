"""Parts of mixed files that are gates: which tables of a TOML, which keys of a JSON, which lines of a build file."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from typing import Any

from greylag.guards._code.source import scan
from greylag.guards._gates.strictness import as_strict, script_as_strict

Parts = Mapping[str, tuple[str, Any]]  # name of a part -> kind and value

_TOOLS = {
    "lint": "ruff mypy pyright basedpyright pyrefly ty pylint pylama flake8 black isort bandit importlinter pydocstyle"
            " pytype yapf autopep8 interrogate vulture codespell deptry semgrep towncrier-check refurb"
            " djlint pydoclint docformatter",
    "tests": "pytest coverage tox nox hypothesis nose mutmut diff_cover pytest_env",
    "build": "cibuildwheel poe taskipy",
}  # fmt: skip
_PROGRAMS = frozenset(" ".join(_TOOLS.values()).split()) | {"python", "python3", "pip", "uv", "unittest", "py.test"}
_NODE_PROGRAMS = """
node npm npx pnpm yarn bun deno vitest jest mocha ava tap tape uvu jasmine karma c8 nyc cypress playwright tsc vue-tsc
tsx ts-node eslint prettier biome oxlint xo standard stylelint turbo nx lerna vite webpack rollup esbuild
"""
_PACKAGING = {
    "hatch": {"force-include", "hooks", "shared-data", "extra-metadata", "shared-scripts"},
    "setuptools": {"data-files", "cmdclass", "script-files", "ext-modules"},
    "poetry": {"build"},
    "pdm": {"data", "custom-hook", "run-setuptools"},
    "flit": {"external-data"},
    "uv": {"data"},
    "maturin": {"data"},
    "scikit-build": {"install-dir"},
}
_SECTIONS = re.compile(r"(?P<lint>flake8|mypy|pylint|isort|pycodestyle|pydocstyle|pep8|bandit|yapf|importlinter)"
                       r"|(?P<tests>tool:pytest|pytest|coverage|testenv|tox|nosetests)"
                       r"|(?P<build>options\.data_files)")  # fmt: skip
_SCRIPTS = {
    "tests": re.compile(r"test|spec|coverage|e2e|verify|ci\b"),
    "lint": re.compile(r"lint|format|fmt|type-?check|tsc|types|check|prettier|style"),
    "build": re.compile(r"^(?:pre|post)|^(?:build|compile|prepare|install|prepack|prepublish\w*|dependencies)$"),
}
_PACKAGE = {
    "lint": ("eslintConfig", "eslintIgnore", "prettier", "xo", "stylelint", "lint-staged", "husky", "standard"),
    "tests": ("jest", "mocha", "nyc", "c8", "ava", "tap", "vitest", "jest-junit"),
    "build": ("engines", "packageManager", "wireit", "workspaces"),
}  # fmt: skip
_STRICT = {
    "strict", "noImplicitAny", "strictNullChecks", "strictFunctionTypes", "strictBindCallApply", "noImplicitThis",
    "strictPropertyInitialization", "useUnknownInCatchVariables", "alwaysStrict", "noUnusedLocals",
    "noUnusedParameters",
    "noImplicitReturns", "noFallthroughCasesInSwitch", "noUncheckedIndexedAccess", "noImplicitOverride",
    "noPropertyAccessFromIndexSignature", "exactOptionalPropertyTypes", "checkJs", "noEmitOnError", "isolatedModules",
    "strictBuiltinIteratorReturn", "noUncheckedSideEffectImports", "forceConsistentCasingInFileNames",
}  # fmt: skip
_LAX = {
    "skipLibCheck",
    "skipDefaultLibCheck",
    "allowUnreachableCode",
    "allowUnusedLabels",
    "noCheck",
    "suppressImplicitAnyIndexErrors",
}

_MANAGER = (
    re.compile(  # settings of npm, pnpm and yarn that decide what a script runs, in their spelling without dashes
        r"(?<![a-z0-9])(scriptshell|shellemulator|nodeoptions|nodearguments|onloadscript|ignorescripts|enablescripts"
        r"|enableprepostscripts|ifpresent|prefix|globalconfig|userconfig|workspaces?|cwd|yarnpath|plugins"
        r"|injectenvironmentfiles|pnpmfile|globalpnpmfile|ignorepnpmfile|configdependencies|nodeversion|usenodeversion)"
        r"(?:\[\])?(?=\s*[=:]|\s+\S|\s*$)"
    )
)

_WIDEST = 4_000  # characters of a line in TOML, whose reader is not linear


class UnreadableError(ValueError):
    """The file's own tool would not read it either."""


def pyproject(text: str) -> dict[str, tuple[str, Any]]:
    """Tables of the tools that check, the build system, and the lowest Python."""
    data = toml(text)
    kinds = {tool: kind for kind, tools in _TOOLS.items() for tool in tools.split()}
    found = {f"[tool.{name}]": (kinds[name], value) for name, value in data.get("tool", {}).items() if name in kinds}
    backend = {key: value for key, value in data.get("build-system", {}).items() if key != "requires"}
    plugins = [
        data.get("project", {}).get("entry-points", {}),
        data.get("tool", {}).get("poetry", {}).get("plugins", {}),
    ]
    pytest = [table.get("pytest11") for table in plugins]
    return {
        **found,
        **_packaging(data.get("tool", {})),
        "names of tools": ("build", sorted(name for name in _commands(data) if name in _PROGRAMS) or None),
        "[build-system]": ("build", backend or None),
        "pytest11": ("tests", pytest if any(pytest) else None),
    }


def _packaging(tools: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """What a build backend runs, and what it puts beside the package: a path file there is run at every start."""
    found: dict[str, tuple[str, Any]] = {}
    for tool, keys in _PACKAGING.items():
        for key, value in _leaves(tools.get(tool, {}), f"tool.{tool}"):
            if key.rpartition(".")[2] in keys:
                found[f"`{key}`"] = ("build", value)
    return found


def _leaves(table: object, name: str) -> Iterator[tuple[str, object]]:
    """Every key of a table with its dotted name, whatever its depth."""
    for key, value in table.items() if isinstance(table, dict) else ():
        yield f"{name}.{key}", value
        yield from _leaves(value, f"{name}.{key}")


def _commands(data: Mapping[str, Any]) -> Iterator[str]:
    """Names of the programs that the project installs."""
    project, poetry = data.get("project", {}), data.get("tool", {}).get("poetry", {})
    for table in (project.get("scripts"), project.get("gui-scripts"), poetry.get("scripts")):
        yield from table if isinstance(table, dict) else ()


def cargo(text: str) -> dict[str, tuple[str, Any]]:
    """Lints, profiles and test targets."""
    data = toml(text)
    return {
        "[lints]": ("lint", {"own": data.get("lints"), "workspace": data.get("workspace", {}).get("lints")}),
        "[profile]": ("build", data.get("profile")),
        "build script": ("build", data.get("package", {}).get("build")),
        "test targets": ("tests", _targets(data)),
        "members of the workspace": (
            "tests",
            frozenset(map(str, data.get("workspace", {}).get("members", ()))) or None,
        ),
    }


def _targets(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What Cargo tests, and by which harness, as far as it is said."""
    package, lib = data.get("package", {}), data.get("lib", {})
    switches = [
        {key: target.get(key) for key in ("test", "doctest", "harness") if key in target}
        for target in (lib, *data.get("bin", ()), *data.get("example", ()))
    ]
    found = {
        "targets": data.get("test"),
        "autotests": package.get("autotests"),
        "switches": [switch for switch in switches if switch],
    }
    return {name: value for name, value in found.items() if value is not None and value != []} or None


def bunfig(text: str) -> dict[str, tuple[str, Any]]:
    """What Bun demands of tests, and what it loads into them."""
    return {"[test]": ("tests", toml(text).get("test"))}


def toolchain(text: str) -> dict[str, tuple[str, Any]]:
    """The parts of a tool chain of Rust that check, and whether its version is fixed."""
    table = toml(text).get("toolchain", {}) if "[" in text else {"channel": text.strip()}
    fixed = bool(re.match(r"\d", str(table.get("channel", ""))))
    parts = table.get("components", ())
    return {
        "fixed version": ("build", frozenset({"fixed"} if fixed else ())),
        "components": ("lint", frozenset(map(str, parts if isinstance(parts, list) else ()))),
    }


def ini(text: str) -> dict[str, tuple[str, Any]]:
    """Sections of `setup.cfg` and `tox.ini` that configure checks."""
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except IniError as error:
        raise UnreadableError from error
    found: dict[str, tuple[str, Any]] = {}
    for name in parser.sections():
        match = _SECTIONS.match(name)
        if match and match.lastgroup:
            found[f"[{name}]"] = (match.lastgroup, dict(parser[name]))
        if name == "options.entry_points" and "pytest11" in parser[name]:
            found["pytest11"] = ("tests", parser[name]["pytest11"])
        if name in {"options", "global"}:
            found[f"[{name}] commands"] = ("build", parser[name].get("cmdclass") or parser[name].get("commands"))
    return found


def package_json(text: str) -> dict[str, tuple[str, Any]]:
    """Scripts that check or build, hooks of the installation, and the configuration of tools in `package.json`."""
    data = _json(text)
    found: dict[str, tuple[str, Any]] = {}
    for name, command in _table(data, "scripts").items():
        if kind := script_kind(name):
            found[f"script `{name}`"] = (kind, command)
    for kind, keys in _PACKAGE.items():
        found |= {f"`{key}`": (kind, data[key]) for key in keys if key in data}
    if programs := sorted(_table(data, "bin").keys() & {*_NODE_PROGRAMS.split()}):
        found["names of tools"] = ("build", programs)
    pnpm = _table(data, "pnpm")
    return found | {f"`pnpm.{key}`": ("build", pnpm[key]) for key in pnpm if _MANAGER.fullmatch(key.lower())}


def scripts(text: str) -> dict[str, str]:
    """All scripts of a `package.json`; none when it cannot be read."""
    try:
        found = _table(_json(text), "scripts")
    except UnreadableError:
        return {}
    return {name: command for name, command in found.items() if isinstance(command, str)}


def script_kind(name: str) -> str | None:
    """The kind of gate that a script of this name is."""
    return next((kind for kind, pattern in _SCRIPTS.items() if pattern.search(name.lower())), None)


def manager(text: str) -> dict[str, tuple[str, Any]]:
    """Settings in `.npmrc`, `.yarnrc*` and `pnpm-workspace.yaml` that decide what a script runs.

    Line by line, whatever the format: each line that names one, with the lines of a list below it.
    """
    found: dict[str, tuple[str, Any]] = {}
    name = ""
    for line in text.splitlines():
        plain = re.sub(r"[-_\"']", "", line[:_WIDEST].lower()).strip()
        if plain.startswith(("#", ";")) or not plain:
            continue
        match = _MANAGER.search(plain)
        name = f"`{match[1]}`" if match else name if line[0] in " \t-" else ""
        if name:
            found[name] = ("build", (*found.get(name, ("", ()))[1], plain))
    return found


def tsconfig(text: str) -> dict[str, tuple[str, Any]]:
    """Strictness as a set of what is demanded, so that only a loss of it is a loosened gate."""
    data = json_with_comments(text)
    options = data.get("compilerOptions")
    options = options if isinstance(options, dict) else {}
    demands = {name for name in _STRICT if options.get(name) is True}
    demands |= {f"no {name}" for name in _LAX if options.get(name) is not True}
    demands |= {f"not switched off: {name}" for name in _STRICT if options.get(name) is not False}
    return {
        "strictness": ("lint", frozenset(demands)),
        "what is compiled": ("lint", frozenset(_included(data))),
        "what is left out": ("lint", data.get("exclude")),
    }


def _included(data: Mapping[str, Any]) -> Iterator[str]:
    """What a compiler looks at; a file that names nothing means everything."""
    named = [each for key in ("files", "include") if isinstance(data.get(key), list) for each in data[key]]
    yield from map(str, named or (["everything"] if data else []))


_SCRIPT = re.compile(r"script `(.*)`", re.DOTALL)


def changed(before: Parts, after: Parts) -> Iterator[tuple[str, str]]:
    """Kind and name of the parts that differ; a set is only compared for what it has lost."""
    for name in sorted(before.keys() | after.keys()):
        kind, old = before.get(name, ("", None))
        kind, new = after.get(name, (kind, None))
        if isinstance(old, frozenset) and isinstance(new, frozenset):
            lost = bool(old - new)
        elif script := _SCRIPT.fullmatch(name):
            lost = old != new and not script_as_strict(script[1], old, new)
        else:
            lost = not as_strict(old, new, (name.strip("[]"),))
        if lost and not (isinstance(new, frozenset) and old is None):
            yield kind, name


def toml(text: str) -> dict[str, Any]:
    """A TOML file without long lines."""
    if any(len(line) > _WIDEST for line in text.split("\n")):
        raise UnreadableError
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableError from error


def _json(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError from error
    if not isinstance(data, dict):
        raise UnreadableError
    return data


def json_with_comments(text: str) -> dict[str, Any]:
    """JSON as tools read their settings: with comments, and commas at the ends."""
    return _json(re.sub(r",(\s*+[}\]])", r"\1", _without_comments(text)))


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    table = data.get(key)
    return table if isinstance(table, dict) else {}


def _without_comments(text: str) -> str:
    comments = scan(text, "js").comments
    return "".join(character if comment.isspace() else " " for character, comment in zip(text, comments, strict=True))
