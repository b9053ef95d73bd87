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
    with pytest.raises(UserError, match="no setting `retrys`; did you mean `retries`"):
        plugins.load("notifiers", third_party, {"channel": "a", "retrys": 2})
    with pytest.raises(UserError, match="needs the setting `channel`"):
        plugins.load("notifiers", third_party)


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean `bubblewrap`"):
        plugins.load("sandboxes", "bubblewarp")
    with pytest.raises(UserError, match="cannot be imported"):
        plugins.load("sandboxes", "acme.nowhere")
