"""The docs are true: links lead somewhere, settings are read, commands are accepted, the example code runs."""

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from greylag import assembly, config, plugins
from greylag.cli import greylag
from greylag.errors import UserError
from greylag.model import Severity
from greylag.readers import matcher_files
from greylag.readers._known_matchers import KNOWN
from greylag.readers.matchers import Matchers
from greylag.testing.service import make_service

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
BLOCK = re.compile(r"^( *)```(\w+)(?: file=(\S+))?\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
FOREIGN = {"mcp_servers"}  # a table by which settings of another program are known


def blocks(page: Path, kind: str) -> Iterator[tuple[str, str]]:
    """File names, where there are any, and texts of the code blocks of one language."""
    for indent, language, file, text in BLOCK.findall(page.read_text("utf-8")):
        if language == kind:
            yield file, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


# -- links -----------------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text.replace("\n", " ")):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_every_page_can_be_reached_from_the_index() -> None:
    linked = re.findall(r"\]\(([^)#\s]+)", (DOCS / "index.md").read_text("utf-8"))
    unreached = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {*linked, "index.md"}
    assert not unreached


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_that_are_named_exist(page: Path) -> None:
    for path in re.findall(r"`((?:src|tests|scripts|examples|docs)/[\w./-]+)`", page.read_text("utf-8")):
        assert (ROOT / path).exists() or path == "src/greylag/verifiers/shell_syntax.py", path


# -- settings --------------------------------------------------------------------------------------------------------

TOML = [(page, text) for page in PAGES for _, text in blocks(page, "toml")]


def operator_settings(text: str) -> None:
    """As `greylag.toml`. Plugins are not made, since keys and programs of others would be missing."""
    settings = config.parse(text, "greylag.toml")
    judge = config.Plugin.model_validate({"name": "llm", **settings.judge.settings})
    check("agents", settings.agent)
    check("judge", judge)
    check("sandboxes", settings.sandbox)
    check("forges", settings.forge)


def check(kind: plugins.Kind, table: config.Plugin) -> None:
    """That the plugin exists and takes these keys."""
    if table.name:
        known = inspect.signature(plugins.module(kind, table.name).PLUGIN).parameters
        if unknown := {key.replace("-", "_") for key in table.settings} - set(known):
            raise UserError(f"{kind} `{table.name}` has no {unknown}")


def repository_settings(text: str) -> None:
    """As `.greylag.toml`, up to its verifiers."""
    assembly.verifiers(config.Settings(), config.repository(text.encode()))


def prompt_settings(text: str) -> None:
    """As what stands above a prompt."""
    config.prompt(f"+++\n{text}\n+++\nDo it.".encode(), "front matter")


def refusals(text: str) -> list[str]:
    """Why none of the three kinds of settings takes this text; nothing when one does."""
    found = []
    for read in (operator_settings, repository_settings, prompt_settings):
        try:
            read(text)
        except UserError as error:
            found.append(str(error))
        else:
            return []
    return found


@pytest.mark.parametrize(("page", "text"), TOML, ids=[f"{named(page)}-{n}" for n, (page, _) in enumerate(TOML)])
def test_settings_are_accepted(page: Path, text: str) -> None:
    assert FOREIGN & tomllib.loads(text).keys() or not refusals(text)


# -- commands --------------------------------------------------------------------------------------------------------


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each `greylag ...` in blocks of shell."""
    for _, text in blocks(page, "sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words and words[0].rpartition("/")[2] == "greylag":
                yield words[1:]


COMMANDS = [(page, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[f"{named(p)}: {' '.join(w)}"[:80] for p, w in COMMANDS])
def test_commands_are_accepted(page: Path, words: list[str]) -> None:
    command: click.Command = greylag
    context = click.Context(greylag)
    while isinstance(command, click.Group):
        verb, *words = words
        found = command.get_command(context, verb)
        assert found is not None, verb
        command, context = found, click.Context(found, parent=context)
    values, rest, _ = command.make_parser(context).parse_args(list(words))
    assert not rest
    for parameter in command.params:
        assert not parameter.required or values.get(str(parameter.name)) is not None, parameter.name
        if str(parameter.name) in values and not isinstance(parameter.type, click.Path):
            parameter.type_cast_value(context, values[str(parameter.name)])


def test_the_checks_of_commands_and_settings_can_fail() -> None:
    with pytest.raises(click.NoSuchOption):
        test_commands_are_accepted(ROOT, ["run", "P.md", "--repo", "x", "--dry-run"])
    with pytest.raises(AssertionError):
        test_commands_are_accepted(ROOT, ["run", "P.md"])
    assert any("has no {'temperature'}" in why for why in refusals('[agent]\nname = "builtin"\ntemperature = 1\n'))
    assert len(COMMANDS) > 20
    assert len(TOML) > 10


def test_the_problem_matcher_of_the_page_reads_the_output_of_the_page() -> None:
    page = DOCS / "how-to" / "repository-settings.md"
    ((name, matcher),) = [block for block in blocks(page, "json") if block[0]]
    ((_, output),) = [block for block in blocks(page, "text") if block[0]]
    found = Matchers(matcher_files.parsed(matcher_files.table(matcher.encode(), name)))(output.encode())
    assert [(d.severity, d.path, d.line, d.column, d.message, d.rule) for d in found] == [
        (Severity.ERROR, "docs/index.md", 3, 14, 'Unknown word "recieve"', "unknown-word"),
        (Severity.WARNING, "docs/index.md", 9, 1, '"very" says nothing', "filler"),
    ]
    for known in KNOWN:
        assert f"`${known}`" in page.read_text("utf-8")


# -- the example of a verifier ---------------------------------------------------------------------------------------


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The files of the page, where it says that they are."""
    page = DOCS / "how-to" / "add-a-verifier.md"
    for file, text in (*blocks(page, "python"), *blocks(page, "text")):
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text)
    shutil.copy(ROOT / "tests" / "verifiers" / "conftest.py", tmp_path / "tests")
    return tmp_path


@pytest.mark.toolchain("bwrap", "bash")
def test_the_verifier_of_the_page_passes_the_tests_of_the_page(example: Path) -> None:
    lines = (example / "acme" / "shell_syntax.py").read_text().splitlines()
    assert 15 <= len(lines) <= 60
    own = f"--basetemp={example / 'tmp'}"  # it would remove what earlier runs of these tests have left
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", own, "tests"]
    done = subprocess.run(command, cwd=example, env=environment(example), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    if unproven := re.search(r"UNPROVEN HERE.*", done.stdout):
        pytest.skip(unproven[0])
    assert re.search(r"^\d+ passed in ", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.toolchain("bwrap", "bash")
def test_the_verifier_of_the_page_is_found_by_its_dotted_path(example: Path) -> None:
    page = (DOCS / "how-to" / "add-a-verifier.md").read_text("utf-8")
    (example / "greylag.toml").write_text('[verifiers."acme.shell_syntax"]\n')
    assert '\n[verifiers."acme.shell_syntax"]\n' in page
    service = make_service(example / "service")
    (service / "scripts").mkdir()
    (service / "scripts" / "deploy.sh").write_text("if true; then\n  echo deploying\nfi fi\n")
    command = [sys.executable, "-m", "greylag", "verify", str(service), "--config", str(example / "greylag.toml")]
    done = subprocess.run(command, env=environment(example), capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert re.sub(r"^logs: .*\n", "", done.stdout, flags=re.MULTILINE) in page, done.stdout


def environment(example: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(example), os.environ.get("PYTHONPATH"))))
    return {"PATH": os.environ["PATH"], "HOME": str(example), "PYTHONPATH": path}


def test_the_layers_of_the_architecture_are_those_that_are_checked() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    assert "\n".join(contract["layers"]) in (ROOT / "docs/explanation/architecture.md").read_text("utf-8")


def test_the_screens_of_the_pages_count_the_guards_that_there_are() -> None:
    told = {
        number for page in PAGES for number in re.findall(r"^ok: (\d+) guards$", page.read_text("utf-8"), re.MULTILINE)
    }
    assert told == {str(len(plugins.names("guards")))}
