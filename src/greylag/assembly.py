"""From settings to parts: the one place where plugins are chosen. Nothing here is guessed from the surroundings."""

import os
import posixpath
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from greylag import config, homes, plugins
from greylag.errors import UserError
from greylag.llm import LLM
from greylag.model import Repo, Scope, Task
from greylag.pipeline import Parts
from greylag.protocols import Agent, Bounds, Forge, Layers, Observe, SandboxBackend, SandboxSpec, Tree, Verifier
from greylag.readers import matcher_files
from greylag.report import Run
from greylag.tallies import price
from greylag.verification import Settings as VerificationSettings
from greylag.verification import Verification
from greylag.workspace import Workspace

_AGENT_FLAGS = {"run": "--command TEXT", "model": "--model NAME", "key_env": "--key-env NAME"}
_JUDGE_FLAGS = {"model": "--judge-model PROVIDER:NAME", "mode": "--judge MODE", "key_env": "--judge-key-env NAME"}
NO_SANDBOX = "NO SANDBOX: agent and verifiers ran on this machine as this user (--unsafe-no-sandbox)"


class NotChosenError(UserError):
    """What only the user can choose: nothing is wrong, a run just cannot begin without it."""


def parts(
    task: Task, settings: config.Settings, directories: config.Directories, *, unsafe: bool, replayed: Run | None = None
) -> Parts:
    """Everything that one run needs. Raises `UserError` for what is missing, before anything is started.

    `replayed`: the run is a replay of that one, from the same commit, and publishes nothing.
    """
    box, host = backend(settings, unsafe=unsafe), forge(settings, task.repo, directories)
    worker, judges = agent(settings), judge(settings)
    if task.policy.limits.usd is not None and replayed is None:
        _priced(worker, *judges)
    _try_out(box)
    url, token = host.clone_url(task.repo.url)

    def checkout(task: Task, home: Path) -> Workspace:
        cache = directories.cache
        base = replayed.base if replayed else ""
        return Workspace.checkout(task.repo, home=home, cache=cache, owner=box.owner, token=token, url=url, commit=base)

    def verify(task: Task, workspace: Workspace, home: Path, observe: Observe) -> Verification:
        return verification(
            workspace, settings, directories, home=home, box=box, observe=observe,
            judges=judges, prompt=task.prompt, scope=task.policy.scope,
        )  # fmt: skip

    stamps = [NO_SANDBOX] if unsafe else []
    if replayed:
        stamps.append(f"REPLAY: what the models say was recorded in run {replayed.id}; all else is real")
    return Parts(
        worker, box, None if replayed else host, checkout, verify, bounds(settings), settings.run.author,
        (*stamps, *_replays(worker, *judges)), config.recorded(settings), replayed.id if replayed else "",
    )  # fmt: skip


def _try_out(box: SandboxBackend) -> None:
    """Open one sandbox for nothing: where none can be had, a run is refused before anything is fetched."""
    with homes.temporary() as place:
        home, tree, scratch = (place / part for part in ("home", "tree", "scratch"))
        for directory in (home, tree, scratch):
            directory.mkdir()
        with box.open(SandboxSpec("git", Layers(upper=tree), Layers(upper=home), scratch)):
            pass


def _models(*plugins: object) -> Iterator[tuple[str, LLM]]:
    """The models that greylag itself asks for a plugin, with the plugin's name."""
    for plugin in plugins:
        model = getattr(plugin, "llm", None) or getattr(plugin, "model", None)
        if isinstance(model, LLM):
            yield getattr(plugin, "name", "agent"), model


def _replays(*plugins: object) -> Iterator[str]:
    """What a reader must know of a plugin that asks no model."""
    for name, model in _models(*plugins):
        if model.replayed:
            yield f"REPLAY: what the model of `{name}` says is a recording ({Path(model.name).name}); all else is real"


def _priced(*plugins: object) -> None:
    """A limit in dollars needs prices: what has none is refused before anything is spent."""
    for name, model in _models(*plugins):
        if not model.replayed and price(model.provider, model.name, 1, 1) is None:
            raise UserError(
                f"no price is known for `{model.model}` of the {name}, so that a limit in US dollars cannot be held; "
                "limit tokens instead"
            )


def backend(settings: config.Settings, *, unsafe: bool) -> SandboxBackend:
    """The sandbox; `none` only by its flag."""
    name = "none" if unsafe else settings.sandbox.name
    if name == "none" and not unsafe:
        raise UserError("the sandbox `none` is only to be had by --unsafe-no-sandbox, not by the settings")
    made: SandboxBackend = plugins.load("sandboxes", name, {} if unsafe else settings.sandbox.settings)
    return made


def agent(settings: config.Settings) -> Agent:
    """The agent that was named; a clear error when none was."""
    if not settings.agent.name:
        raise NotChosenError(
            "no agent is configured; choose one with --agent NAME, or once and for all with `greylag init`"
        )
    made: Agent = plugins.load("agents", settings.agent.name, settings.agent.settings, _AGENT_FLAGS)
    return made


def judge(settings: config.Settings) -> tuple[Verifier, ...]:
    """The judge, or none when it was switched off in words."""
    own = settings.judge.settings
    if own.get("mode") == "off":
        return ()
    if not own.get("model") and not settings.judge.name:
        raise NotChosenError(
            "no judge is configured; name its model with --judge-model PROVIDER:NAME, "
            "or say --judge off (then nobody compares the change with the prompt)"
        )
    return (plugins.load("judge", settings.judge.name or "llm", own, _JUDGE_FLAGS),)


def forge(settings: config.Settings, repo: Repo, directories: config.Directories) -> Forge:
    """The forge that was named, else `local` for a path and `github` for a repository there."""
    name, own = settings.forge.name, settings.forge.settings
    if not name:
        host = urlsplit(repo.url).hostname or repo.url.partition(":")[0].rpartition("@")[2]
        local = repo.url.startswith(("/", "file://"))
        name = "local" if local else "github" if host == "github.com" else ""
    if not name:
        raise UserError(
            f"no forge is known for {repo.url}; name one with --forge ({', '.join(plugins.names('forges'))})"
        )
    if name == "local":
        own = {"state": directories.state / "pulls", **own}
    made: Forge = plugins.load("forges", name, own)
    return made


def bounds(settings: config.Settings) -> Bounds:
    """Limits of one command in a sandbox."""
    verify = settings.verify
    return Bounds(seconds=verify.minutes * 60, memory=int(verify.memory_gib * 2**30), processes=verify.processes)


def verification(
    workspace: Workspace, settings: config.Settings, directories: config.Directories, *, home: Path,
    box: SandboxBackend, observe: Observe, judges: tuple[Verifier, ...] = (), prompt: str = "", scope: Scope = Scope(),
) -> Verification:  # fmt: skip
    """Verification of one workspace, with the verifiers that its own base commit asks for."""
    own = repository(workspace)
    tools = verifiers(settings, own, workspace.tree(workspace.base_tree))
    guards = tuple(plugins.load("guards", name) for name in plugins.names("guards"))
    verify = settings.verify
    how = VerificationSettings(
        prompt=prompt, scope=scope, bounds=bounds(settings), cpus=verify.cpus, repository=workspace.repo.url,
        network=verify.network, hosts=verify.hosts, private_hosts=verify.private_hosts,
        upstream_proxy=verify.upstream_proxy, allow_red_baseline=verify.red_baseline == "allow",
    )  # fmt: skip
    return Verification((*tools, *guards, *judges), box, workspace, directories.cache, home, how, observe)


def repository(workspace: Workspace) -> config.RepositorySettings:
    """The repository's own settings, from the base commit."""
    try:
        return config.repository(workspace.tree(workspace.base_tree).read(".greylag.toml"))
    except KeyError:
        return config.repository(None)


def verifiers(
    settings: config.Settings, own: config.RepositorySettings, base: Tree | None = None
) -> tuple[Verifier, ...]:
    """All verifiers of tools but those that are off; the repository's settings are tuned by the operator's.

    `base`: where the files are that settings name, so that a change cannot alter them.
    """
    known = plugins.names("verifiers")
    off = {*settings.verify.off, *own.off}
    if unknown := (off | set(own.verifiers)) - set(known):
        raise UserError(f"there is no verifier `{min(unknown)}`; there are: {', '.join(known)}")
    further = [name for name in settings.verifiers if name not in known]

    def tuned(name: str) -> dict[str, Any]:
        table = {**own.verifiers.get(name, {}), **settings.verifiers.get(name, {})}
        if name == "command":
            declared = [command.model_dump(exclude_none=True) for command in own.command]
            table["commands"] = [_with_matchers(command, base) for command in (*table.get("commands", ()), *declared)]
        return table

    return tuple(plugins.load("verifiers", name, tuned(name)) for name in (*known, *further) if name not in off)


def _with_matchers(command: Any, base: Tree | None) -> Any:
    """A declared command with the contents of its files of problem matchers, as far as there are such files."""
    names = command.get("matchers") if isinstance(command, dict) else None
    if base is None or not isinstance(names, list | tuple):
        return command

    def contents(name: object) -> object:
        if not isinstance(name, str) or name.startswith("$"):
            return name
        try:
            return matcher_files.table(base.read(posixpath.normpath(name)), name)
        except KeyError:
            return name

    return {**command, "matchers": list(map(contents, names))}


def usable(variable: str, path: Path, gib: float = 0.2) -> Path:
    """`path`, which `variable` moves elsewhere. Raises `UserError` where it cannot be written, or is on a full disk.

    Nothing is made: a verb looks before anything is half written.
    """
    there = next(place for place in (path, *path.parents) if os.path.lexists(place))
    remedy = f"set {variable} to a directory of yours"
    if not os.path.isdir(there):  # noqa: PTH112 - no error where the caller may not look
        raise UserError(f"{path} cannot be made, since {there} is no directory; {remedy}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"{path} cannot be written: Permission denied; {remedy}")
    free = shutil.disk_usage(there).free / 2**30
    if free < gib:
        raise UserError(f"{path} has only {free:.2f} GiB free; make room, or name another place in {variable}")
    return path
