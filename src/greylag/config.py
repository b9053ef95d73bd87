"""Settings: TOML and environment into typed values, and prompts with their front matter.

Order, the first one wins: flag > the prompt's front matter > `GREYLAG_<SECTION>_<KEY>` > the operator's `greylag.toml`
> defaults. A repository's own `.greylag.toml` is a separate, smaller model, read from the base commit: it can add and
tune verifiers, and nothing else. A secret is never a value here: settings name the variable or the file that holds it.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from greylag import frontmatter
from greylag.errors import UserError
from greylag.expected import misfit, where
from greylag.kinds import KINDS
from greylag.model import Limits, Policy, Precondition, Scope
from greylag.text import PERSON

MONTH = 60.0 * 24 * 31  # minutes; clocks and timers of the system take no more than some weeks
NOWHERE = "https://replay.invalid/v1"
Network = Literal["none", "registries", "host"]
_KEYS = {"base-url", "key-env", "key-file"}


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class Section(BaseModel):
    """A table of the configuration: unknown keys are errors, keys are written with dashes."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=_kebab, populate_by_name=True, allow_inf_nan=False
    )


class Plugin(BaseModel):
    """A table that names a plugin; all its other keys are the plugin's own settings."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """The plugin's own settings."""
        return dict(self.model_extra or {})


class RunSettings(Section):
    """`[run]`: how far one task may go."""

    attempts: int = Field(
        3, ge=1, le=20, description="sessions of the agent: another one after a refusal, or when its turns are used up"
    )
    turns: int | None = Field(
        None, ge=1, description="model turns of one agent session; without it, as many as the agent usually has"
    )
    minutes: float = Field(60, gt=0, le=MONTH, description="wall-clock minutes of one agent session")
    tokens: int | None = Field(None, ge=1, description="tokens of one run, input and output, its judge's among them")
    usd: float | None = Field(None, gt=0, description="US dollars of one run, its judge's among them")
    labels: tuple[str, ...] = Field(("greylag",), description="labels of the pull request")
    draft: bool = Field(default=False, description="open the pull request as a draft")
    ask_back: bool = Field(
        default=True, description="ask the agent at the end what its prompt lacked: one more request"
    )
    author: str = Field("greylag <greylag@users.noreply.github.com>", description="author of the commit")

    @field_validator("author")
    @classmethod
    def _address(cls, author: str) -> str:
        if not PERSON.fullmatch(author):
            raise ValueError("it is not of the form `Name <address>`")
        return author


class VerifySettings(Section):
    """`[verify]`: how verification runs."""

    cpus: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="CPUs to share among verifiers")
    minutes: float = Field(30, gt=0, le=MONTH, description="wall-clock minutes of one command")
    memory_gib: float = Field(8, gt=0, le=1 << 20, description="memory of one command, in GiB")
    processes: int = Field(2048, ge=16, description="processes of one command")
    network: Network = Field("registries", description="network while dependencies are prepared")
    hosts: tuple[str, ...] = Field((), description="further hosts that `registries` allows")
    private_hosts: tuple[str, ...] = Field((), description="hosts that may resolve to private addresses")
    upstream_proxy: str | None = Field(None, description="HTTP proxy of the company, as http://HOST:PORT")
    red_baseline: Literal["allow", "refuse"] = Field("allow", description="a base whose tests fail before the change")
    off: tuple[str, ...] = Field((), description="verifiers not to run")


class Settings(Section):
    """The operator's `greylag.toml`."""

    agent: Plugin = Plugin()
    judge: Plugin = Plugin()
    sandbox: Plugin = Plugin(name="bubblewrap")
    forge: Plugin = Plugin()
    run: RunSettings = RunSettings()
    verify: VerifySettings = VerifySettings()
    verifiers: dict[str, dict[str, Any]] = Field({}, description="settings per verifier, by its name")


class CommandSettings(Section):
    """`[[command]]` in `.greylag.toml`: a check that the repository declares."""

    name: str
    run: str | tuple[str, ...]
    phase: Literal["prepare", "format", "static", "compile", "test"] = "test"
    root: str = "."
    prepare: str | tuple[str, ...] | None = None
    reports: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    matchers: tuple[str | dict[str, Any], ...] = Field((), description="problem matchers for what it prints")


class RepositorySettings(Section):
    """A repository's `.greylag.toml`, as it stands on the base commit."""

    command: tuple[CommandSettings, ...] = ()
    verifiers: dict[str, dict[str, Any]] = Field({}, description="settings per verifier, by its name")
    off: tuple[str, ...] = Field((), description="verifiers not to run here")


class PreconditionSettings(Section):
    """`[[preconditions]]` of a prompt: what must hold on the base commit, else the run ends as `no change`."""

    run: str = Field("", description="command that exits with 0, through sh in a sandbox without a network")
    files: tuple[str, ...] = Field((), description="gitignore patterns of files")
    contains: str = Field("", description="regular expression that one of these files has")
    negate: bool = Field(default=False, alias="not", description="the opposite must hold")
    why: str = Field("", description="what is said when it does not hold")

    @model_validator(mode="after")
    def _one_kind(self) -> "PreconditionSettings":
        if bool(self.run.strip()) == bool(self.files or self.contains):
            raise ValueError("has either `run`, or `files` and `contains`, or one of these two")
        return self


class PromptSettings(Section):
    """Front matter of a prompt: TOML between two lines `+++`."""

    title: str | None = None
    allow: tuple[str, ...] = Field(
        (), description="kinds of change that guards would block: tests, ci, dependencies ..."
    )
    paths: tuple[str, ...] = Field((), description="gitignore patterns; a change elsewhere is blocked")
    preconditions: tuple[PreconditionSettings, ...] = ()
    branch: str | None = None
    attempts: int | None = Field(None, ge=1, le=20)
    turns: int | None = Field(None, ge=1)
    minutes: float | None = Field(None, gt=0, le=MONTH)
    tokens: int | None = Field(None, ge=1)
    usd: float | None = Field(None, gt=0)
    labels: tuple[str, ...] | None = None
    draft: bool | None = None

    @field_validator("allow")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        known = (*KINDS, "verifiers")
        for kind in kinds:
            if kind not in known:
                near = difflib.get_close_matches(kind, known, 1)
                hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(known)}"
                raise ValueError(f"there is no kind of change `{kind}`; {hint}")
        return kinds


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and what its author settled beside it."""

    text: str
    settings: PromptSettings
    first: int = 1  # the line of its file with which the text begins

    @property
    def title(self) -> str:
        """Title of the pull request: from the front matter, else the first line of the text."""
        first = next((line.strip(" #*") for line in self.text.splitlines() if re.search(r"\w", line)), "")
        title = self.settings.title or first
        return title if len(title) <= 72 else title[:71].rstrip() + "…"

    def policy(self, run: RunSettings, turns: int = Limits().turns) -> Policy:
        """The operator's limits, as far as the front matter does not set its own. `turns`: where neither does."""
        own = self.settings

        def pick(key: str) -> Any:
            value = getattr(own, key)
            return getattr(run, key) if value is None else value

        limits = Limits(pick("turns") or turns, pick("minutes") * 60, pick("tokens"), pick("usd"))
        wanted = tuple(Precondition(**one.model_dump()) for one in own.preconditions)
        return Policy(
            pick("attempts"), limits, Scope(own.allow, own.paths), wanted, pick("labels"), pick("draft"), run.ask_back
        )


def prompt(data: bytes, name: str) -> Prompt:
    """Parse a prompt. `name` is what errors call it."""
    if b"\0" in data:
        raise UserError(f"{name} is binary, not a prompt; give a Markdown or text file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    front, body, first = frontmatter.split(text, name)
    if not body.strip():
        raise UserError(f"{name} holds no prompt; write what is to be changed, and how one sees that it is done")
    return Prompt(body.strip() + "\n", _parse(PromptSettings, front, f"front matter of {name}"), first)


def load(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """The operator's settings. `flags` maps `section.key` to values that win over everything.

    Where a later place names another plugin, the settings of the earlier one go with its name.
    """
    data = _toml(_read(path), str(path)) if path else {}
    variables = {dotted: (name, value) for name, dotted, value in _environment(environ)}
    for layer in ({dotted: value for dotted, (_, value) in variables.items()}, flags or {}):
        for dotted, value in sorted(layer.items(), key=lambda item: not item[0].endswith(".name")):
            section, _, key = dotted.partition(".")
            table = data.setdefault(section, {})
            if not isinstance(table, dict):
                break  # validation says so
            if key == "name" and table.get("name", value) != value:
                table.clear()
            table[key] = value
    sources = {dotted: f"variable {name}" for dotted, (name, _) in variables.items() if dotted not in (flags or {})}
    return _validate(Settings, data, str(path) if path else "settings", sources)


def parse(text: str, name: str) -> Settings:
    """Settings from TOML; `name` is what errors call it."""
    return _parse(Settings, text, name)


def recorded(settings: Settings) -> dict[str, Any]:
    """What was set, for the record of a run; a proxy's address is the machine's own, and may hold a password."""
    hidden = {"verify": {"upstream_proxy"}}
    return settings.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=hidden)


def replayed(settings: Mapping[str, Any], today: Settings) -> Settings:
    """Settings from a record, for models that are played from it: at no address, and without a key.

    Only the way out of this machine is that of `today`.
    """
    data = {name: dict(table) for name, table in settings.items()}
    if proxy := today.verify.upstream_proxy:
        data.setdefault("verify", {})["upstream-proxy"] = proxy
    for role in ("agent", "judge"):
        table = data.get(role, {})
        if not str(table.get("model", "")).startswith("replay:") and table.keys() & {"model", *_KEYS}:
            data[role] = {key: value for key, value in table.items() if key.replace("_", "-") not in _KEYS}
            data[role]["base-url"] = NOWHERE
    return _validate(Settings, data, "the settings in the record")


def location(environ: Mapping[str, str]) -> Path:
    """Where the operator's file is looked for: `$GREYLAG_CONFIG`, else below `$XDG_CONFIG_HOME` or `~/.config`."""
    if named := environ.get("GREYLAG_CONFIG"):
        return Path(named)
    home = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".config")
    return Path(home) / "greylag" / "greylag.toml"


@dataclass(frozen=True, slots=True)
class Directories:
    """Where greylag keeps things: records that matter in `state`, what can be made again in `cache`."""

    state: Path
    cache: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Directories":
        """`$GREYLAG_STATE` and `$GREYLAG_CACHE`, else the XDG directories."""
        home = Path(environ.get("HOME", "~")).expanduser()
        state = environ.get("GREYLAG_STATE") or Path(environ.get("XDG_STATE_HOME") or home / ".local/state") / "greylag"
        cache = environ.get("GREYLAG_CACHE") or Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "greylag"
        return cls(Path(state).absolute(), Path(cache).absolute())


def repository(data: bytes | None) -> RepositorySettings:
    """A repository's `.greylag.toml` (None: there is none)."""
    if data is None:
        return RepositorySettings()
    return _parse(RepositorySettings, data.decode("utf-8", "replace"), ".greylag.toml on the base commit")


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    """Name of each variable of ours, the key that it stands for, its value."""
    sections = ("agent", "judge", "sandbox", "forge", "run", "verify")
    for name, value in sorted(environ.items()):
        match = re.fullmatch(rf"GREYLAG_({'|'.join(sections).upper()})(?:_(\w+))?", name)
        if match:
            yield name, f"{match[1].lower()}.{_kebab((match[2] or 'name').lower())}", _scalar(value)


def _scalar(value: str) -> Any:
    """`3`, `true`, `["a"]` as TOML has them; anything else is the text itself."""
    try:
        return tomllib.loads(f"x = {value}")["x"]
    except tomllib.TOMLDecodeError:
        return value


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise UserError(f"settings {path} do not exist; write them with `greylag init --config {path}`") from error
    except OSError as error:
        raise UserError(f"settings {path} cannot be read: {error.strerror}; name a file of yours") from error
    except UnicodeDecodeError as error:
        raise UserError(f"settings {path} are not UTF-8 (byte {error.start}); save the file as UTF-8") from error


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name} is not valid TOML: {error}") from error


M = TypeVar("M", bound=BaseModel)


def _parse(model: type[M], text: str, name: str) -> M:
    return _validate(model, _toml(text, name), name)


def _validate(model: type[M], data: dict[str, Any], name: str, sources: Mapping[str, str] | None = None) -> M:
    """`sources`: what errors call the place of a key, where that is not `name`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place, said = misfit(error.errors())
        name = (sources or {}).get(where(place), name)
        if first["type"] == "extra_forbidden":
            raise UserError(f"{name}: unknown key `{where(place)}`{_nearest(model, place)}") from error
        raise UserError(f"{name}: `{where(place)}` {said}") from error


def _nearest(model: type[BaseModel], loc: Sequence[int | str]) -> str:
    for part in loc[:-1]:
        inner = next((f.annotation for n, f in model.model_fields.items() if part in {n, f.alias}), None)
        inner = next(iter(getattr(inner, "__args__", ())), inner)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    keys = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(str(loc[-1]), keys, 1)
    return f"; did you mean `{near[0]}`?" if near else f"; there are: {', '.join(keys)}"
