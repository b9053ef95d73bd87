"""From a name in the configuration to a plugin: a module of ours, an entry point, or a dotted path."""

import difflib
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation

from greylag.errors import UserError
from greylag.expected import misfit

Kind = Literal["agents", "verifiers", "guards", "judge", "sandboxes", "forges", "notifiers"]

_TABLES: Mapping[str, str] = {"agents": "agent", "judge": "judge", "sandboxes": "sandbox", "forges": "forge"}


@functools.cache
def names(kind: Kind) -> tuple[str, ...]:
    """Names of the plugins that come with greylag; `claude_code.py` is called `claude-code`."""
    package = importlib.import_module(f"greylag.{kind}")
    modules = (found.name for found in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(name.replace("_", "-") for name in modules if not name.startswith("_")))


def load(
    kind: Kind, name: str, settings: Mapping[str, Any] | None = None, flags: Mapping[str, str] | None = None
) -> Any:
    """The plugin `name`, made from its settings table.

    The name is a module of `greylag.<kind>`, an entry point `<kind>.<name>` in the group `greylag.plugins`, or the
    dotted path of a module. The module's `PLUGIN` is called with the settings as keyword arguments.
    `flags`: what a setting is called on the command line, for errors.
    Raises `UserError` for an unknown name and for settings that do not fit.
    """
    make = module(kind, name).PLUGIN
    own = {key.replace("-", "_"): value for key, value in (settings or {}).items()}
    accepted = _parameters(make)
    what, table = f"{_TABLES.get(kind, kind.removesuffix('s'))} `{name}`", _table(kind, name)

    def place(key: str) -> str:
        written = f"`{_kebab(key)}` in {table}"
        return f"{flags[key]} or {written}" if flags and key in flags else written

    for key in sorted(own.keys() - accepted.keys()):
        near = difflib.get_close_matches(key, [*accepted, "name"], 1)  # which stands in the same table
        known = ", ".join(map(_kebab, accepted)) or "none"
        hint = f"did you mean `{_kebab(near[0])}`?" if near else f"there are: {known}"
        found = f"{flags[key]}, or {table}" if flags and key in flags else table
        raise UserError(f"{what} has no setting `{_kebab(key)}` ({found}); {hint}")
    for key, parameter in accepted.items():
        if parameter.default is parameter.empty and key not in own:
            raise UserError(f"{what} needs {place(key)}")
        if key in own and (said := _misfit(parameter.annotation, own[key])):
            raise UserError(f"{what}: {place(key)} {said}")
    return make(**own)


def _table(kind: str, name: str) -> str:
    """Where the settings of a plugin are written."""
    if kind == "verifiers":
        return f"[verifiers.{name if name.isidentifier() else repr(name)}] of greylag.toml or .greylag.toml"
    return f"[{_TABLES.get(kind, kind)}] of greylag.toml"


def _kebab(key: str) -> str:
    return key.replace("_", "-")


def _parameters(make: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(make, eval_str=True).parameters
    except NameError:  # annotations of a third party that only a type checker can resolve
        return inspect.signature(make).parameters


def _misfit(annotation: Any, value: Any) -> str:
    """What is wrong with a value, in words; empty when nothing is, or when nobody said what it should be."""
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return ""
    try:
        TypeAdapter(annotation).validate_python(value, strict=isinstance(value, bool))
    except ValidationError as error:
        return misfit(error.errors())[1]
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation):
        return ""
    return ""


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
