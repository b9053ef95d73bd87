"""Files that a runner, a linter or a build loads: known by their names, or because settings name them."""

import json
import re
from collections.abc import Iterator, Mapping
from posixpath import dirname, join, normpath

from greylag.diffs import FileDiff
from greylag.guards._guard import read
from greylag.kinds import BUILD, LINT, MANIFESTS, TEST_CONFIG, matches
from greylag.protocols import Change

# Only by their being there these take part in every test or build; each kind with the patterns of its files.
STEERS: Mapping[str, str] = {
    "tests": "META-INF/services/org.junit* META-INF/services/org.testng* META-INF/services/org.spockframework*",
    "build": ".pnpmfile.cjs .pnpmfile.mjs .env.yarn .mvn/extensions.xml .mvn/jvm.config .mvn/maven.config .cargo/config"
    " .cargo/config.toml init.gradle* pip.conf pip.ini nuget.config .mvn/settings.xml",
}
HOOKS = "setup.py hatch_build.py build.rs"  # programs that every build runs
_LOADED: Mapping[str, str] = {
    "tests": "conftest.py setupTests.* setup-jest.* jest-setup.* vitest.setup.* vitest-setup.* __mocks__/ *.runsettings"
    " cypress/support/ spec_helper.rb rails_helper.rb test_helper.rb test_helper.exs tests/bootstrap.php"
    " xunit.runner.json",
    "build": f"{BUILD} {HOOKS} .swcrc swc.config.* postcss.config.* settings.gradle* buildSrc/ build-logic/ *.gradle"
    " *.gradle.kts pom.xml *.props *.targets .mvn/",
}
_SETTINGS = f"{LINT} {TEST_CONFIG} vite.config.* babel.config.* .babelrc* webpack.config.* package.json conftest.py"
_LIKELY = re.compile(
    r"^\.|config|conf\.|rc\b|^conftest\.py$|\.(?:toml|ini|cfg|ya?ml|xml|jsonc?|conf)$"
)  # names, quickly
_KEYS = ("jest", "mocha", "ava", "tap", "nyc", "c8", "vitest", "eslintConfig", "prettier", "xo", "stylelint", "babel")
_PLUGINS = re.compile(r"\bpytest_plugins\s*[+=:][^\n]{0,50}?(?:[\[(][^\])]{0,2000}|[\"'][^\n]{0,300})")
_STRING = re.compile(r"[\"'`]([^\"'`\n]{1,200})[\"'`]")
_PLAIN = re.compile(r"(?:^|[\s=,\[(])((?:\.{0,2}/)?[\w@.-]+(?:/[\w@.-]+)*\.\w+)")
_ENDS = (
    "",
    ".js",
    ".ts",
    ".mjs",
    ".cjs",
    ".mts",
    ".cts",
    ".tsx",
    ".jsx",
    ".py",
    "/__init__.py",
    "/index.js",
    "/index.ts",
)
_SCRIPTS = re.compile(r"\.(?:[mc]?[jt]sx?|py|sh|rb|json|ya?ml)$")
_MOST, _LARGEST = 200, 200_000  # settings that are read, and characters of one


def loaded(file: FileDiff) -> tuple[str, str] | None:
    """Kind and name of a file that is loaded under the name that it has, or had."""
    for name in sorted(file.names):
        for kind, patterns in _LOADED.items():
            if matches(name, patterns):
                return kind, name
    return None


def named(change: Change) -> dict[str, str]:
    """Files that settings of either side name -> these settings."""
    found: dict[str, str] = {}
    for tree in (change.base, change.head):
        paths = set(tree.paths())
        likely = sorted(path for path in paths if _LIKELY.search(path.rpartition("/")[2]))
        for path in [path for path in likely if matches(path, _SETTINGS)][:_MOST]:
            for place in _places(path, (read(tree, path) or "")[:_LARGEST]):
                if place in paths and place != path and not matches(place, MANIFESTS):
                    found.setdefault(place, path)
    return found


def _places(path: str, text: str) -> Iterator[str]:
    name, home = path.rpartition("/")[2], dirname(path)
    if name == "conftest.py":
        words = [word.replace(".", "/") for part in _PLUGINS.findall(text) for word in _STRING.findall(part)]
        yield from (normpath(join(root, word + end)) for word in words for end in _ENDS for root in ("", home, "src"))
        return
    if name == "package.json":
        text = _tools(text)
    script = re.search(r"\.[mc]?[jt]s$", name)
    for word in {*_STRING.findall(text), *(() if script else _PLAIN.findall(text))}:
        place = join(home, word.replace("<rootDir>/", ""))
        if word.startswith((".", "<")) or _SCRIPTS.search(word):
            yield from (normpath(place + end) for end in _ENDS)


def _tools(text: str) -> str:
    """What a `package.json` says to tools that check; not its entry points."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return json.dumps([data.get(key) for key in _KEYS], indent=0) if isinstance(data, dict) else ""
