"""Settings and prompts: every key is known, every error names the thing and the remedy."""

from contextlib import suppress
from pathlib import Path

import pytest

from greylag import config
from greylag.errors import UserError
from greylag.model import Limits, Policy, Scope


def test_flag_wins_over_environment_over_file(tmp_path: Path) -> None:
    file = tmp_path / "greylag.toml"
    file.write_text('[agent]\nname = "builtin"\nmodel = "a"\n[run]\nattempts = 2\nusd = 1.5\n')
    environ = {"GREYLAG_AGENT_MODEL": "b", "GREYLAG_RUN_ATTEMPTS": "4", "GREYLAG_VERIFY_MEMORY_GIB": "3", "OTHER": "x"}
    settings = config.load(file, environ, {"agent.model": "c"})
    assert settings.agent.name == "builtin"
    assert settings.agent.settings == {"model": "c"}
    assert (settings.run.attempts, settings.run.usd, settings.verify.memory_gib) == (4, 1.5, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\natempts = 2\n", ["run.atempts", "did you mean `attempts`"]),
        ("[rum]\nattempts = 2\n", ["`rum`", "did you mean `run`"]),
        ("[run]\nattempts = 0\n", ["`run.attempts` is 0; it takes at least 1"]),
        ("[run\n", ["not valid TOML", "line 1"]),
        ('[[command]]\nname = "x"\n', ["unknown key `command`"]),
        ('[run]\nattempts = "three"\n', ['`run.attempts` is "three"; it takes a whole number, such as 3']),
        ('[run]\nusd = "much"\n', ['`run.usd` is "much"; it takes a number']),
        ('[run]\ndraft = "perhaps"\n', ["it takes true or false"]),
        ('[run]\nlabels = "bot"\n', ['it takes a list, such as ["a", "b"]']),
        ("[run]\nauthor = 3\n", ["`run.author` is 3; it takes a text in quotes"]),
        ('[run]\nauthor = "me"\n', ["`run.author` does not fit", "`Name <address>`"]),
        ("[run]\nminutes = inf\n", ["`run.minutes` is Infinity; it takes"]),
        ("[verify]\nmemory-gib = inf\n", ["`verify.memory-gib` is Infinity; it takes"]),
        ("[verify]\nminutes = 1e9\n", ["`verify.minutes` is 1000000000.0; it takes at most"]),
        ('[verify]\nnetwork = "all"\n', ['`verify.network` is "all"; it takes ', "'registries'"]),
        ("run = 3\n", ["`run` is 3; it takes a table"]),
    ],
)
def test_what_does_not_fit_is_named_with_its_remedy(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "greylag.toml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        config.load(file, {})
    assert all(word in str(error.value) for word in [*words, "greylag.toml"])
    assert "\n" not in str(error.value).strip() or "TOML" in str(error.value)


def test_settings_that_are_not_there_are_one_line_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"nowhere\.toml do not exist; write them with `greylag init --config "
    ) as error:
        config.load(tmp_path / "nowhere.toml", {})
    assert "Errno" not in str(error.value)
    with pytest.raises(UserError, match=r"cannot be read: Is a directory"):
        config.load(tmp_path, {})


def test_a_text_where_a_table_belongs_is_told_also_beside_a_flag(tmp_path: Path) -> None:
    (tmp_path / "greylag.toml").write_text('agent = "builtin"\n')
    with pytest.raises(UserError, match=r'`agent` is "builtin"; it takes a table'):
        config.load(tmp_path / "greylag.toml", {}, {"agent.name": "command"})


def test_a_variable_that_does_not_fit_is_named_itself() -> None:
    with pytest.raises(UserError, match=r"^variable GREYLAG_RUN_ATTEMPTS: `run\.attempts` is \"x\"; it takes a whole"):
        config.load(None, {"GREYLAG_RUN_ATTEMPTS": "x"})
    with pytest.raises(UserError, match=r"^variable GREYLAG_RUN_ATEMPTS: unknown key .* `attempts`"):
        config.load(None, {"GREYLAG_RUN_ATEMPTS": "2"})


def test_a_flag_wins_over_a_variable_for_settings_of_plugins_too() -> None:
    found = config.load(None, {"GREYLAG_JUDGE_KEY_ENV": "A"}, {"judge.key-env": "B"})
    assert found.judge.settings == {"key-env": "B"}


def test_a_declared_command_that_lacks_something_or_has_the_wrong_kind_is_named() -> None:
    with pytest.raises(UserError, match=r"`command\[1\]\.run` is missing"):
        config.repository(b'[[command]]\nname = "x"\n')
    with pytest.raises(UserError, match=r"`command\[1\]\.run` is 3; it takes a text in quotes or a list"):
        config.repository(b'[[command]]\nname = "x"\nrun = 3\n')


def test_a_repository_can_add_verifiers_and_nothing_else() -> None:
    own = config.repository(b'off = ["node"]\n[[command]]\nname = "unit"\nrun = "make check"\nphase = "test"\n')
    assert own.command[0].run == "make check"
    for attack in (b"[judge]\nmode = 'off'\n", b"[verify]\nnetwork = 'host'\n", b"[sandbox]\nname = 'none'\n"):
        with pytest.raises(UserError, match=r"\.greylag\.toml on the base commit: unknown key"):
            config.repository(attack)


def test_front_matter_sets_scope_and_limits_of_the_task() -> None:
    prompt = config.prompt(b'+++\nallow = ["tests"]\npaths = ["src/"]\nminutes = 2\n+++\n# Do it\n\nWell.\n', "P.md")
    assert (prompt.title, prompt.text) == ("Do it", "# Do it\n\nWell.\n")
    policy = prompt.policy(config.RunSettings(attempts=5, usd=2))
    assert policy == Policy(5, Limits(50, 120, None, 2), Scope(("tests",), ("src/",)), (), ("greylag",), ask_back=True)


def test_turns_are_what_somebody_says_and_else_what_the_agent_usually_has() -> None:
    plain, own = (config.prompt(text, "p.md") for text in (b"Do it.", b"+++\nturns = 7\n+++\nDo it."))
    usual, given = config.RunSettings(), config.RunSettings(turns=30)
    turns = [prompt.policy(run, 10).limits.turns for prompt in (plain, own) for run in (usual, given)]
    assert turns == [10, 30, 7, 7]


def test_a_long_first_line_becomes_a_title_of_72_characters() -> None:
    title = config.prompt(("word " * 40).encode(), "P.md").title
    assert len(title) <= 72
    assert title.endswith("…")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\0\0", "binary"),
        (b"caf\xe9", "not UTF-8 (byte 3)"),
        (b"  \n", "holds no prompt"),
        (b"+++\ntitle = 'x'\n+++\n", "holds no prompt"),
        (b"+++\ntitle = 'x'\n", "does not end"),
        (b"---\ntitle: x\nallow:\n  - tests\n---\nDo.", "stands between `---`; write it as TOML between"),
        (b"---\nallow = ['tests']\n---\nDo.", "stands between `---`; write it as TOML between"),
        (b"+++\ntitel = 'x'\n+++\nDo.", "did you mean `title`"),
        (b"+++\nallow = ['test']\n+++\nDo.", "did you mean `tests`"),
    ],
)
def test_a_prompt_that_is_none_is_refused_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(UserError) as error:
        config.prompt(data, "P.md")
    assert words in str(error.value)
    assert "P.md" in str(error.value)


@pytest.mark.parametrize("before", ["\n", "\r\n \n\n", "\ufeff", "\n\ufeff\n", "\ufeff\ufeff", "\t\n"])
def test_blank_lines_before_front_matter_do_not_lift_its_limits(before: str) -> None:
    prompt = config.prompt(f"{before}+++\nusd = 0.1\n+++\n\n# Do it\n".encode(), "P.md")
    assert (prompt.settings.usd, prompt.title) == (0.1, "Do it")
    assert prompt.first == len(f"{before}+++\nusd = 0.1\n+++\n\n# Do it\n".splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "<!-- ours -->\n+++\nusd = 0.1\n+++\n# Do it\n",
        "<!--\n+++\nusd = 0.1\n+++\n-->\n# Do it\n",
        "+++toml\nusd = 0.1\n+++\n# Do it\n",
        "+++ toml\nusd = 0.1\n+++\n# Do it\n",
        "+++ usd = 0.1 +++\n# Do it\n",
        "++++\nusd = 0.1\n++++\n# Do it\n",
        "\\+++\nusd = 0.1\n\\+++\n# Do it\n",
        "> +++\n> usd = 0.1\n> +++\n# Do it\n",
        "# Do it\n\n+++\nusd = 0.1\n+++\nWell.\n",
        "```toml\n+++\nusd = 0.1\n+++\n```\n# Do it\n",
        "+++\n+++\n+++\nusd = 0.1\n+++\n# Do it\n",
    ],
)
def test_a_fence_that_is_out_of_place_is_an_error_with_its_remedy(text: str) -> None:
    with pytest.raises(
        UserError, match=r"line \d of P.md, `.*`, looks like front matter, but is none; begin the prompt with it"
    ):
        config.prompt(text.encode(), "P.md")


@pytest.mark.parametrize("before", ["\n\n", "<!-- ours -->\n\n", "<!-- a -->\n<!--\nb\n-->\n"])
def test_front_matter_of_other_tools_is_found_behind_comments_too(before: str) -> None:
    with pytest.raises(UserError, match="stands between `---`"):
        config.prompt(f"{before}---yaml\nusd: 1\n---\n# Do it\n".encode(), "P.md")


@pytest.mark.parametrize(
    "text",
    [
        "# Posts\n\n```\n+++\ntitle = 'x'\n+++\n```\n",
        "# Posts\n\n    +++\n    title = 'x'\n",
        "Apply it:\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n",
        "<!-- ours -->\n# Increment with `i++`, not `+++`\n",
        "+++\nusd = 1\n+++\n```\n+++\n```\n",
        "# Do it\n" + "Well.\n" * 60 + "+++\n",
    ],
)
def test_fences_that_are_shown_are_words_of_the_prompt(text: str) -> None:
    assert "+++" in config.prompt(text.encode(), "P.md").text


def test_many_fences_and_comments_are_soon_read() -> None:
    for piece in ("<!-- -->", "<!--", "+\n", "---\na:\n", "a: b\n", "```\n", "\ufeff", "> " * 100, "\n"):
        text = piece * (200_000 // len(piece))
        for begin in ("", "---\n", "+++\n+++\n"):
            with suppress(UserError):
                config.prompt(f"{begin}{text}".encode(), "P.md")


def test_a_rule_at_the_top_of_a_prompt_is_no_front_matter() -> None:
    assert config.prompt(b"---\nDo it: well.\n\nAnd more.\n---\n", "P.md").title == "Do it: well."


def test_directories_follow_greylag_then_xdg_then_home() -> None:
    own = config.Directories.of({"GREYLAG_STATE": "/s", "GREYLAG_CACHE": "/c", "HOME": "/h"})
    assert (own.state, own.cache) == (Path("/s"), Path("/c"))
    xdg = config.Directories.of({"XDG_STATE_HOME": "/xs", "HOME": "/h"})
    assert (xdg.state, xdg.cache) == (Path("/xs/greylag"), Path("/h/.cache/greylag"))


def test_settings_of_a_plugin_go_when_another_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "greylag.toml"
    file.write_text("[agent]\nname = 'builtin'\nmodel = 'a:b'\n[forge]\ntoken-env = 'T'\n")
    found = config.load(file, {"GREYLAG_AGENT_RUN": "x", "GREYLAG_AGENT_NAME": "command"}, {"forge.name": "github"})
    assert found.agent.settings == {"run": "x"}
    assert found.forge.settings == {"token-env": "T"}
    assert config.load(file, {"GREYLAG_AGENT": "builtin"}).agent.settings == {"model": "a:b"}


def test_settings_of_a_record_lead_to_no_model_and_need_no_key() -> None:
    then = config.parse(
        '[agent]\nname = "codex"\nkey-env = "THE_KEY"\n[judge]\nmodel = "openai:x"\nkey-file = "k"\nbase-url = "https://a"\n'
        '[verify]\nupstream-proxy = "http://me:secret@old:1"\nhosts = ["a"]\n',
        "then",
    )
    kept = config.recorded(then)
    assert "secret" not in str(kept)
    assert "run" not in kept, "what nobody set is today's"
    today = config.parse('[verify]\nupstream-proxy = "http://new:1"\ncpus = 3\n', "today")
    found = config.replayed(kept, today)
    assert (found.agent.name, found.agent.settings) == ("codex", {"base-url": config.NOWHERE})
    assert found.judge.settings == {"model": "openai:x", "base-url": config.NOWHERE}
    assert (found.verify.hosts, found.verify.upstream_proxy) == (("a",), "http://new:1")
    others = {"agent": {"name": "command", "run": "true"}, "judge": {"model": "replay:a.json"}}
    unchanged = config.replayed(others, config.parse("", "today"))
    assert (unchanged.agent.settings, unchanged.judge.settings) == ({"run": "true"}, {"model": "replay:a.json"})
