"""What a prompt lacks is pointed out without a model; what it has is not."""

import json
import re
from pathlib import Path

import pytest

from greylag import config
from greylag.commands.prompt import command
from greylag.errors import AgentError
from greylag.prompts import check
from greylag.testing.model_server import serve

CASES = [
    (head.partition(": ")[0], head.partition(": ")[2], text)
    for head, _, text in (
        case.partition("\n")
        for case in Path(__file__).parent.joinpath("golden/prompts.txt").read_text("utf-8").split("%%% ")[1:]
    )
]
GOOD = """\
# Use `pathlib` for paths in the loader

`loader.py` joins paths with `os.path.join`.

Use `pathlib.Path` there: `os.path.join(a, b)` becomes `Path(a, b)`. If a path is given to a function of another module,
leave it alone. It is done when `os.path` does not occur in `loader.py` any more. Change nothing else.
"""


def rules(text: str, front: str = "") -> list[str]:
    whole = f"+++\n{front}\n+++\n{text}" if front else text
    return [advice.rule for advice in check(config.prompt(whole.encode(), "the prompt"))]


def test_a_prompt_that_lacks_nothing_gets_no_advice() -> None:
    assert rules(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("It is done when `os.path` does not occur in `loader.py` any more. ", "", "goal"),
        ("Use `pathlib` for paths in the loader", "Use `pathlib` and rename the loader", "one-change"),
        ("Change nothing else.", "Change nothing else. Also update the version.", "one-change"),
        ("If a path is given to a function of another module,\nleave it alone. ", "", "preconditions"),
        (" Change nothing else.", "", "scope"),
        (" Change nothing else.", " Change nothing else. Improve the code as needed.", "vague"),
        (" Change nothing else.", " Change nothing else. Then run the tests.", "tools"),
        (" Change nothing else.", " Change nothing else. Remove the old tests of it.", "allow"),
        (" Change nothing else.", " Change nothing else. Add the package `pathlib2`.", "allow"),
        (" Change nothing else.", " Change nothing else. Change the workflow that runs it.", "allow"),
        (
            "If a path is given to a function of another module,\nleave it alone. ",
            "It is done when the tests pass. ",
            "preconditions",
        ),
        ("Use `pathlib.Path` there:", "First open it, then edit line 3, then look again:", "steps"),
        ("Use `pathlib.Path` there:", "1. Add an import\n2. Replace the calls\n3. Remove `os`\n\nUse", "steps"),
        (" Change nothing else.", " Change nothing else." + " The word of it." * 400, "long"),
    ],
)
def test_what_is_missing_is_named(old: str, new: str, rule: str) -> None:
    assert old in GOOD
    assert rules(GOOD.replace(old, new)) == [rule]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for rule, name, text in CASES if rule == "good"])
def test_a_prompt_that_says_it_in_its_own_words_gets_no_advice(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    ("rule", "text"), [pytest.param(rule, text, id=f"{rule} {name}") for rule, name, text in CASES if rule != "good"]
)
def test_what_is_wrong_is_named_in_whatever_words_it_stands(rule: str, text: str) -> None:
    assert rule in rules(text)


@pytest.mark.parametrize(
    "more",
    [
        "Also update its callers.",
        "Also add a test for it.",
        "`load` must also return a `Path`.",
        "Besides renaming the variable, nothing is to be done.",
        "Migrate from `os` 3 to `pathlib` 4.",
        "There are two tasks in the queue. Several bugs were found by it.",
        "\n## Log format\n\n## Cache keys\n",
        "The following changes are not wanted: other names, other types.",
        "The loader first reads, then joins, and finally opens what is there.",
        "Search results must stay as they are. Open files hold a lock. Start times do not matter.",
    ],
)
def test_what_goes_with_a_change_is_no_other_one(more: str) -> None:
    assert rules(f"{GOOD}{more}\n") == []


@pytest.mark.parametrize(
    "title",
    [
        "fix: handle empty paths",
        "refactor(loader)!: use `pathlib`",
        "ABC-12: rename `a` to `b`",
        "Fix the loader: use `pathlib`",
        "Fix the loader - replace `os`",
        "Update and sort imports",
        "Use `pathlib` and add tests for paths",
        "Use `pathlib`, update the docs",
        "Remove :rename_to",
    ],
)
def test_a_title_with_its_type_its_way_or_its_tests_asks_for_one_change(title: str) -> None:
    assert rules(GOOD.replace("Use `pathlib` for paths in the loader", title)) == []


def test_lines_are_those_of_the_file() -> None:
    text = f"\n+++\nusd = 1\n+++\n\n{GOOD}\nAlso fix the\ntypo in the manual.\n"
    (advice,) = check(config.prompt(text.encode(), "the prompt"))
    assert advice.line
    assert text.splitlines()[advice.line - 1] == "Also fix the"


def test_what_one_change_and_what_several_are_is_told_with_their_words() -> None:
    several = GOOD + "\n- Upgrade Django\n- Delete the `audit` table\n- Encrypt backups\n"
    (advice,) = check(config.prompt(several.encode(), "the prompt"))
    assert advice.message.startswith(
        "it asks for 3 changes (`upgrade Django`, `delete the audit table`, `encrypt backups`)"
    )


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_advice_stands_when_a_model_answers_in_a_wrong_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    monkeypatch.setenv("PLAYED", "dummy")
    file = tmp_path / "p.md"
    file.write_text(GOOD.replace(" Change nothing else.", ""))
    with serve([{"text": "I would rather not."}] * 5) as model:
        where = ["--model", "openai:m", "--base-url", f"{model.url}/v1", "--key-env", "PLAYED"]
        with pytest.raises(AgentError, match="does not fit the form"):
            command.main(["check", str(file), *where, *flags], standalone_mode=False)
    told = capsys.readouterr().out
    assert "must stay as it is" in told
    assert not flags or json.loads(told)["suggestion"] is None


def test_an_example_may_be_code_or_words() -> None:
    plain = "The loader must not use os.path any more. If it does not, do nothing. Change nothing else.\n"
    assert rules(plain) == ["example"]
    assert rules(f"{plain}\n```python\nPath(a, b)\n```\n") == []
    assert rules(f"{plain}For example the join of two names is a Path of both.\n") == []


def test_front_matter_says_it_as_well_as_words() -> None:
    bare = GOOD.replace("If a path is given to a function of another module,\nleave it alone. ", "")
    bare = bare.replace(" Change nothing else.", " Add the package `pathlib2`.")
    assert rules(bare) == ["preconditions", "scope", "allow"]
    front = 'allow = ["dependencies"]\npaths = ["loader.py"]\n[[preconditions]]\ncontains = "os.path"'
    assert rules(bare, front) == []


def test_what_is_ruled_out_needs_no_leave() -> None:
    assert rules(GOOD.replace("Change nothing else.", "Change nothing else, and do not remove any tests.")) == []


def test_code_is_no_advice() -> None:
    code = "\n```\n1. add this\n2. remove that\n3. change it\nAlso update everything, improve it, run the tests\n```\n"
    assert rules(GOOD + code) == []


def test_another_language_is_told_once() -> None:
    text = "Ersetze jeden Aufruf von os.path.join durch Path und lasse alles andere so wie es ist, auch die Namen. " * 2
    assert rules(text) == ["language"]


@pytest.mark.parametrize("name", ["examples/PROMPT.md", "docs/how-to/write-a-prompt.md"])
def test_our_own_examples_lack_nothing(name: str) -> None:
    text = Path(__file__).parent.parent.joinpath(name).read_text("utf-8")
    if name.startswith("docs"):
        text = re.findall(r"```markdown\n(.*?)```", text, re.DOTALL)[0]
    assert check(config.prompt(text.encode(), name)) == ()


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a" * 1000 + "\n",
            "- [ ] **" * 100 + "\n",
            "`" * 1000 + "\n",
            "`" + " b" * 900 + "\n\n",
            "run " * 200 + "\n",
            "1. add it to\n",
            "# Add it\n",
        ),
        *(
            "- add `z` and drop `y`\n",
            "and please ",
            "Also ",
            "upgrade A 1 and ",
            "leave the ",
            "not ",
            "first, go ",
            "> a\n",
        ),
    ],
)
def test_a_megabyte_takes_no_longer_than_it_must(piece: str) -> None:
    text = "the and of to is in a it\n" * 9 + piece * (1_000_000 // len(piece))
    assert isinstance(check(config.prompt(text.encode(), "it")), tuple)
