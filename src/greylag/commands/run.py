"""`greylag run`: one prompt, one repository, up to the pull request."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from greylag import assembly, config
from greylag.commands import _options
from greylag.commands._carrying import carry_out
from greylag.errors import UserError
from greylag.model import Repo, Task
from greylag.store import Store

_USUAL = config.RunSettings()


@click.command(name="run", help="Carry out PROMPT (a Markdown file, or - for standard input) on one repository.")
@click.argument("prompt_file", metavar="[PROMPT]", required=False)
@click.option("-m", "--message", metavar="TEXT", help="The prompt itself, instead of a file.")
@click.option(
    "--repo", required=True, help="Repository: a path or a URL. A path is never modified, but for the branch."
)
@click.option("--branch", help="Base branch; otherwise the one checked out at a path, or the default one of a URL.")
@click.option("--agent", help="Agent: builtin, claude-code, codex, opencode, command, or another plugin.")
@click.option("--model", help="Model of the agent; for builtin as PROVIDER:NAME.")
@click.option("--key-env", metavar="NAME", help="Variable that holds the key of the agent.")
@click.option("--command", "codemod", metavar="TEXT", help="What the agent `command` runs, through sh, in the sandbox.")
@_options.judge_options
@click.option("--forge", help="Forge: local, github, or another plugin; by the repository otherwise.")
@click.option("--attempts", type=click.IntRange(1, 20), help=f"Sessions of the agent; {_USUAL.attempts} by default.")
@click.option("--turns", type=click.IntRange(1), help="Model turns of one session; by default 10 or 50, by the agent.")
@click.option(
    "--minutes",
    type=_options.Amount(0.01, config.MONTH),
    help=f"Wall-clock minutes of one session; {_USUAL.minutes:g} by default.",
)
@click.option("--tokens", type=click.IntRange(1), help="Tokens of the run, in and out; unlimited by default.")
@click.option("--usd", type=_options.Amount(0.001), help="US dollars of the run; unlimited by default.")
@click.option("--campaign", metavar="NAME", default="", help="What this run is a part of: costs and numbers by it.")
@click.option("--draft", is_flag=True, default=None, help="Open the pull request as a draft.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stderr, the run as JSON on stdout.")
@_options.sandbox_options
def command(prompt_file: str | None, message: str | None, repo: str, branch: str | None, **options: Any) -> int:
    """Put the task together, carry it out, say what came of it."""
    prompt = _options.read_prompt(prompt_file, message)
    settings = _options.settings(options["config_path"], _flags(options))
    target = Repo(_location(repo), branch or prompt.settings.branch)
    chosen = _chosen(prompt, options)
    task = Task(prompt.text, target, prompt.title, chosen.policy(settings.run), options["campaign"])
    directories = config.Directories.of(os.environ)
    assembly.usable("GREYLAG_STATE", directories.state)
    assembly.usable("GREYLAG_CACHE", directories.cache)
    parts = assembly.parts(task, settings, directories, unsafe=options["unsafe_no_sandbox"])
    task = replace(task, policy=chosen.policy(settings.run, parts.agent.turns))
    return carry_out(task, parts, Store(directories.state), as_json=options["as_json"])


def _flags(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "agent.name": options["agent"],
        "agent.model": options["model"],
        "agent.key-env": options["key_env"],
        "agent.run": options["codemod"],
        "judge.mode": options["judge_mode"],
        "judge.model": options["judge_model"],
        "judge.key-env": options["judge_key_env"],
        "forge.name": options["forge"],
    }


def _chosen(prompt: config.Prompt, options: dict[str, Any]) -> config.Prompt:
    """The prompt with what flags say of its limits: they win over its front matter."""
    names = ("attempts", "turns", "minutes", "tokens", "usd", "draft")
    given = {name: options[name] for name in names if options[name] is not None}
    return replace(prompt, settings=prompt.settings.model_copy(update=given))


def _location(repo: str) -> str:
    """A URL as it is; a path as the one that all spellings of it lead to, so that a task is the same from anywhere."""
    if "://" in repo or (":" in repo.split("/", maxsplit=1)[0] and not _options.there(repo)):
        return repo
    path = Path(os.path.realpath(repo))
    if not _options.there(path):
        raise UserError(f"repository {repo} does not exist, or may not be read; give a path or a URL")
    if path.is_file():
        raise UserError(f"repository {path} is a file; give the directory of a checkout, or a URL")
    if not os.access(path, os.R_OK | os.X_OK):
        raise UserError(f"repository {path} cannot be read: Permission denied; run greylag as a user who may")
    if not (path / ".git").exists() and not (path / "HEAD").exists():  # neither a checkout nor a bare repository
        around = next((parent for parent in path.parents if (parent / ".git").exists()), None)
        hint = (
            f"is a directory inside one: give --repo {around}" if around else "is none; make one there with `git init`"
        )
        raise UserError(f"a git repository is needed, and {path} {hint}")
    return str(path)
