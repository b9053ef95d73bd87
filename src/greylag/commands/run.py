"""`greylag run`: one prompt, one repository, up to the pull request."""

import json
import os
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import click

from greylag import assembly, config
from greylag.commands import _options
from greylag.errors import GreylagError, UserError
from greylag.model import Event, Repo, Task
from greylag.pipeline import run_task
from greylag.progress import Progress, show
from greylag.report import Run
from greylag.store import Store, to_json
from greylag.text import clean


@click.command(name="run", help="Carry out PROMPT (a Markdown file, or - for standard input) on one repository.")
@click.argument("prompt_file", metavar="[PROMPT]", required=False)
@click.option("-m", "--message", metavar="TEXT", help="The prompt itself, instead of a file.")
@click.option(
    "--repo", required=True, help="Repository: a path or a URL. A path is never modified, but for the branch."
)
@click.option("--branch", help="Base branch; the default branch otherwise.")
@click.option("--agent", help="Agent: builtin, claude-code, codex, command, or another plugin.")
@click.option("--model", help="Model of the agent; for builtin as PROVIDER:NAME.")
@click.option("--key-env", metavar="NAME", help="Variable that holds the key of the agent.")
@click.option("--command", "codemod", metavar="TEXT", help="What the agent `command` runs, through sh, in the sandbox.")
@_options.judge_options
@click.option("--forge", help="Forge: local, github, or another plugin; by the repository otherwise.")
@click.option("--attempts", type=click.IntRange(1, 20), help="Passes of agent and gate.")
@click.option("--turns", type=click.IntRange(1), help="Model turns of one session.")
@click.option("--minutes", type=click.FloatRange(0.01), help="Wall-clock minutes of one session.")
@click.option("--tokens", type=click.IntRange(1), help="Tokens of one session.")
@click.option("--usd", type=click.FloatRange(0.001), help="US dollars of one session.")
@click.option("--draft", is_flag=True, default=None, help="Open the pull request as a draft.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stderr, the run as JSON on stdout.")
@_options.sandbox_options
def command(prompt_file: str | None, message: str | None, repo: str, branch: str | None, **options: Any) -> int:
    """Put the task together, carry it out, say what came of it."""
    prompt = _options.read_prompt(prompt_file, message)
    settings = _options.settings(options["config_path"], _flags(options))
    target = Repo(_location(repo), branch or prompt.settings.branch)
    task = Task(prompt.text, target, prompt.title, _chosen(prompt, options).policy(settings.run))
    directories = config.Directories.of(os.environ)
    assembly.enough_space(directories)
    parts = assembly.parts(task, settings, directories, unsafe=options["unsafe_no_sandbox"])
    store = Store(directories.state)
    run_id = store.new_id()
    with show(sys.stderr if options["as_json"] else sys.stdout, as_json=options["as_json"]) as progress:
        for stamp in parts.stamps:
            print(f"greylag: {stamp}", file=sys.stderr)
        observe = _Recorder(store, run_id, progress)
        try:
            run = run_task(task, run_id, store.home(run_id), parts, observe=observe, record=store.record)
        except KeyboardInterrupt:
            print(f"\ngreylag: interrupted; nothing is left running. Kept: {store.home(run_id)}", file=sys.stderr)
            return 130
        except GreylagError:
            if (store.home(run_id) / "branch.bundle").exists():
                print(f"greylag: the change of the agent is kept in {store.home(run_id)}", file=sys.stderr)
            raise
    if options["as_json"]:
        print(json.dumps(to_json(run)))
    else:
        print(conclusion(run, store.home(run_id)))
    return run.status.exit_code


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
    """A URL as it is, a path made absolute."""
    if "://" in repo or (":" in repo.split("/", maxsplit=1)[0] and not Path(repo).exists()):
        return repo
    path = Path(repo).absolute()
    if not path.exists():
        raise UserError(f"repository {repo} does not exist; give a path or a URL")
    return str(path)


class _Recorder:
    """Shows each event and writes it down."""

    def __init__(self, store: Store, run_id: str, progress: Progress) -> None:
        self._store, self._run_id, self._progress, self._numbers = store, run_id, progress, count()

    def __call__(self, event: Event) -> None:
        self._progress(event)
        self._store.observe(self._run_id, next(self._numbers), event)


def conclusion(run: Run, home: Path) -> str:
    """One clear screen: what came of the run, why, and where everything is."""
    lines = [""]
    if run.pull_request:
        lines += [f"{run.status.value}: {run.pull_request.url}"]
    else:
        reason = run.reason.removeprefix(f"{run.status.value}: ")
        lines += [f"no pull request: {run.status.value}" + (f", {reason}" if reason else "")]
    if run.reports:
        lines += ["", run.reports[-1].render(2000)]
    if run.branch and not run.pull_request:
        lines += ["", f"The change is kept: git fetch {home / 'branch.bundle'} {run.branch}"]
    lines += ["", f"The whole record: greylag show {run.id}"]
    return clean("\n".join(lines))
