"""From a name to a plugin."""

import sys
from pathlib import Path

import pytest

from greylag import plugins
from greylag.errors import UserError


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "acme_notifiers").mkdir()
    (tmp_path / "acme_notifiers" / "__init__.py").write_text("")
    code = "def PLUGIN(channel, retries=1):\n    return (channel, retries)\n"
    (tmp_path / "acme_notifiers" / "pager.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield_name = "acme_notifiers.pager"
    for name in (yield_name, "acme_notifiers"):
        sys.modules.pop(name, None)
    return yield_name


def test_a_dotted_path_is_a_plugin_of_a_third_party(third_party: str) -> None:
    assert plugins.load("notifiers", third_party, {"channel": "a"}) == ("a", 1)


def test_settings_that_do_not_fit_name_the_nearest(third_party: str) -> None:
    with pytest.raises(UserError, match=r"no setting `retrys` \(\[notifiers\] .*\); did you mean `retries`"):
        plugins.load("notifiers", third_party, {"channel": "a", "retrys": 2})
    with pytest.raises(UserError, match=r"notifier `acme_notifiers.pager` needs `channel` in \[notifiers\]"):
        plugins.load("notifiers", third_party)


def test_what_is_missing_names_the_flag_and_the_key() -> None:
    with pytest.raises(
        UserError, match=r"^agent `command` needs --command TEXT or `run` in \[agent\] of greylag.toml$"
    ):
        plugins.load("agents", "command", {}, {"run": "--command TEXT"})
    with pytest.raises(UserError, match=r"no setting `key-env` \(--key-env, or \[agent\] of greylag.toml\)"):
        plugins.load("agents", "command", {"run": "x", "key-env": "K"}, {"key_env": "--key-env"})


@pytest.mark.parametrize(
    ("kind", "name", "settings", "said"),
    [
        (
            "judge",
            "llm",
            {"model": "replay:x", "tokens": "many"},
            r'`tokens` in \[judge\] .* is "many"; it takes a whole',
        ),
        ("agents", "command", {"run": 3}, r"`run` in \[agent\] .* is 3; it takes a text in quotes or a list"),
        ("agents", "command", {"run": ["sed", 1]}, r'is \["sed", 1\]; it takes a text in quotes or a list'),
        ("agents", "command", {"run": "x", "corrects": "maybe"}, r"it takes true or false"),
        ("agents", "claude-code", {"max-blocks": True}, r"`max-blocks` .* is true; it takes a whole number"),
        ("sandboxes", "bubblewrap", {"tools": "/opt"}, r'is "/opt"; it takes a list'),
        ("verifiers", "command", {"commands": [3]}, r"\[verifiers.command\] of greylag.toml or .greylag.toml"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_what_it_takes(
    kind: plugins.Kind, name: str, settings: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        plugins.load(kind, name, settings)


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean `bubblewrap`"):
        plugins.load("sandboxes", "bubblewarp")
    with pytest.raises(UserError, match="cannot be imported"):
        plugins.load("sandboxes", "acme.nowhere")
