"""PHP projects of Composer: php-cs-fixer, PHP_CodeSniffer and PHPStan where configured, and PHPUnit or Pest.

Packages are installed by the preparation, in the versions of composer.lock where one is tracked. A program is the one
in Composer's directory, or in `tools`, where projects keep archives of them; the machine's own is taken only where
composer.json does not name the package, which nobody has pinned then.
"""

import json
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from greylag import readers
from greylag.model import Diagnostic, Phase, Verdict
from greylag.protocols import Activation, Context, Tree
from greylag.verifiers import _tool
from greylag.verifiers._files import failing, roots
from greylag.verifiers._pyproject import below, table, text
from greylag.verifiers._tool import Plan, Step

_MANIFEST, _LOCK = "composer.json", "composer.lock"
_LINTERS = (  # name, package, phase, names of its settings, arguments; each writes checkstyle XML
    (
        "php-cs-fixer",
        "php-cs-fixer",
        Phase.FORMAT,
        (".php-cs-fixer.php", ".php-cs-fixer.dist.php"),
        ("fix", "--dry-run", "--format=checkstyle", "--show-progress=none", "--using-cache=no", "--no-interaction"),
    ),
    (
        "phpcs",
        "php_codesniffer",
        Phase.STATIC,
        ("phpcs.xml", "phpcs.xml.dist", ".phpcs.xml", ".phpcs.xml.dist"),
        ("-d", "memory_limit=-1", "-q", "--no-colors", "--no-cache", "--report=checkstyle"),
    ),
    (
        "phpstan",
        "phpstan",
        Phase.STATIC,
        ("phpstan.neon", "phpstan.neon.dist", "phpstan.dist.neon"),
        ("analyse", "--no-progress", "--no-interaction", "--memory-limit=-1", "--error-format=checkstyle"),
    ),
)
_SETTINGS = ("phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml")
_MACHINE = (
    r"your php version \(\S+\) does not satisfy|(?:is|are) missing from your system|requires php \S+ but your php"
    r"|PHPUnit requires the \"|PHP_CodeSniffer requires the "
)
_NETWORK = (
    r"php_network_getaddresses|could not be downloaded: Cannot connect|curl error \d+ while downloading"
    r"|Failed to open stream: (?:HTTP request|Connection)"
)


@dataclass(frozen=True, slots=True)
class _Project:
    """A directory with a composer.json. Files are relative to it, without those of projects below."""

    root: str
    files: tuple[str, ...]
    manifest: dict[str, Any]
    packages: frozenset[str]  # last parts of the names of what it requires

    def at(self, name: str) -> str:
        return posixpath.normpath(f"{self.root}/{name}")

    @property
    def listed(self) -> bool:
        """Whether Composer makes a list of the project's own classes, which names find no file without."""
        loads = [table(self.manifest, key) or {} for key in ("autoload", "autoload-dev")]
        options = table(self.manifest, "config") or {}
        all_of_them = options.get("optimize-autoloader") or options.get("classmap-authoritative")
        return bool(all_of_them) or any("classmap" in load for load in loads)

    def setting(self, name: str, otherwise: str) -> str:
        """A directory that composer.json may name, within the project."""
        value = (table(self.manifest, "config") or {}).get(name)
        plain = isinstance(value, str) and re.fullmatch(r"\w[\w./-]*", value) and ".." not in value
        return str(value).rstrip("/") if plain else otherwise


class PHP:
    """Verifier of PHP projects: each directory with a composer.json."""

    name = "php"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        """Preparation, and one activation for each tool that the project has."""
        return [activation for project in _projects(tree) for activation in _activations(project)]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        """Run the plan of one activation."""
        return _tool.run(activation, context)


PLUGIN = PHP


def _projects(tree: Tree) -> Iterator[_Project]:
    found = roots(tree, lambda name: name == _MANIFEST)
    for root in found:
        others = [other for other in found if below(other, root)]
        inside = [path for path in tree.paths() if below(path, root) and not any(below(path, o) for o in others)]
        manifest = _loaded(text(tree, f"{root}/{_MANIFEST}"))
        required = [name for key in ("require", "require-dev") for name in table(manifest, key) or ()]
        packages = frozenset(name.rpartition("/")[2] for name in required)
        yield _Project(root, tuple(posixpath.relpath(path, root) for path in inside), manifest, packages)


def _loaded(source: str) -> dict[str, Any]:
    try:
        found = json.loads(source)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _activations(project: _Project) -> Iterator[Activation]:
    checks = [*_linters(project), *_tests(project)]
    if not checks:
        return
    tools = {"php": ("php", "--version"), "composer": ("composer", "--version")}
    own = [step.programs[0][0] for *_, step in checks]
    tools |= {name: (name, "--version") for name in own if "/" not in name}  # the machine's
    locked = _LOCK in project.files
    note = "" if locked else f"there is no {_LOCK}: versions are the registry's newest that fit"
    inputs = tuple(project.at(name) for name in (_MANIFEST, _LOCK) if name in project.files)
    if project.listed:
        inputs = ()  # where a class is, is written down by the installation
    made = [f"{project.setting('vendor-dir', 'vendor')}/", f"{_programs(project)}/", *([] if locked else [_LOCK])]
    outputs = tuple(f"/{project.at(path)}" + ("/" if path.endswith("/") else "") for path in made)
    plan = Plan((_install(),), tools, note)
    yield Activation(
        "php", "composer install", Phase.PREPARE, project.root, project.at(_MANIFEST), inputs, plan, outputs
    )
    for name, phase, why, step in checks:
        yield Activation("php", name, phase, project.root, project.at(why), (), Plan((step,), tools))


def _programs(project: _Project) -> str:
    """Composer's directory of programs."""
    return project.setting("bin-dir", f"{project.setting('vendor-dir', 'vendor')}/bin")


def _install() -> Step:
    home = "@home@/.greylag/composer"
    return Step(
        (("composer",),),
        ("install", "--no-interaction", "--no-progress", "--no-ansi"),
        install="install PHP and Composer",
        env={"COMPOSER_HOME": home, "COMPOSER_CACHE_DIR": f"{home}/cache", "COMPOSER_ALLOW_SUPERUSER": "1"},
        unable=f"{_MACHINE}|{_NETWORK}",
        title="composer install",
    )


def _linters(project: _Project) -> Iterator[tuple[str, Phase, str, Step]]:
    for name, package, phase, settings, arguments in _LINTERS:
        if own := next((file for file in settings if file in project.files), ""):
            step = Step(
                (_program(project, name, package),),
                arguments,
                absent=f"{own} is there, but no {name}",
                paths=(_programs(project), "tools"),
                read_log=failing(readers.checkstyle_xml, alone=True),
                merge=False,
                unable=_MACHINE,
                title=name,
            )
            if phase is Phase.FORMAT:
                quiet = ("--show-progress=none", "--using-cache=no", "--no-interaction")
                step = replace(step, rewrite=replace(step, arguments=("fix", *quiet)))
            yield name, phase, own, step


def _program(project: _Project, name: str, package: str) -> tuple[str, ...]:
    """One that composer.json names is nowhere but in Composer's directory."""
    return (f"{_programs(project)}/{name}",) if package in project.packages else (name,)


def _tests(project: _Project) -> Iterator[tuple[str, Phase, str, Step]]:
    own = next((file for file in _SETTINGS if file in project.files), "")
    if not own:
        return
    name = "pest" if "pest" in project.packages else "phpunit"
    report = f"@home@/.greylag/{name}-{re.sub(r'[^A-Za-z0-9]+', '-', project.root)}.xml"
    begun = f"@home@/.greylag/{name}-begun.txt"
    told = ("--log-teamcity", begun) if name == "phpunit" else ()
    arguments = ("-d", "memory_limit=-1", "--colors=never", "--log-junit", report, *told)
    step = Step(
        (_program(project, name, name),),
        arguments,
        install=f"install {name}, or require it in composer.json",
        paths=(_programs(project), "tools"),
        reports=(report,),
        read_report=readers.junit_xml,
        journal=begun,
        unable=_MACHINE,
        again=(lambda failed: (*arguments, "--filter", _only(failed))) if name == "phpunit" else None,
        title=name,
    )
    yield name, Phase.TEST, own, step


def _only(failed: Sequence[Diagnostic]) -> str:
    """A pattern of the methods that failed, with all of their data sets."""
    names = (str(d.test).partition(" ")[0].split(".")[-2:] for d in failed)
    found = dict.fromkeys("::".join(re.sub(r"\W", ".", part) for part in name) for name in names)
    return f"/(?:{'|'.join(found)})(?: with data set .*)?$/"
