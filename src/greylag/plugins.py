"""From a name in the configuration to a plugin: a module of ours, an entry point, or a dotted path."""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Literal

from greylag.errors import UserError

Kind = Literal["agents", "verifiers", "guards", "judge", "sandboxes", "forges", "notifiers"]


def names(kind: Kind) -> list[str]:
    """Names of the plugins that come with greylag; `claude_code.py` is called `claude-code`."""
    package = importlib.import_module(f"greylag.{kind}")
    modules = (found.name for found in pkgutil.iter_modules(package.__path__))
    return sorted(name.replace("_", "-") for name in modules if not name.startswith("_"))


def load(kind: Kind, name: str, settings: Mapping[str, Any] | None = None) -> Any:
    """The plugin `name`, made from its settings table.

    The name is a module of `greylag.<kind>`, an entry point `<kind>.<name>` in the group `greylag.plugins`, or the
    dotted path of a module. The module's `PLUGIN` is called with the settings as keyword arguments.
    Raises `UserError` for an unknown name and for settings that do not fit.
    """
    make = module(kind, name).PLUGIN
    own = {key.replace("-", "_"): value for key, value in (settings or {}).items()}
    accepted = inspect.signature(make).parameters
    for key in own.keys() - accepted.keys():
        near = difflib.get_close_matches(key, accepted, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(accepted) or 'none'}"
        raise UserError(f"{kind} `{name}` has no setting `{key}`; {hint}")
    for key, parameter in accepted.items():
        if parameter.default is parameter.empty and key not in own:
            raise UserError(f"{kind} `{name}` needs the setting `{key}`")
    return make(**own)


def module(kind: Kind, name: str) -> ModuleType:
    """The module of a plugin. Raises `UserError` when there is none."""
    known = names(kind)
    if name in known:
        return importlib.import_module(f"greylag.{kind}.{name.replace('-', '_')}")
    for entry in entry_points(group="greylag.plugins", name=f"{kind}.{name}"):
        return importlib.import_module(entry.value)
    if "." in name:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise UserError(f"plugin `{name}` cannot be imported: {error}") from error
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(known)}"
    raise UserError(f"no plugin `{name}` in {kind}; {hint}")
