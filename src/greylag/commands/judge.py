"""`greylag judge`: does a change do what was asked, and nothing else? No verifier runs."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from greylag import assembly, config, homes, questions
from greylag.commands import _options
from greylag.errors import UserError
from greylag.model import Phase, Scope, Verdict
from greylag.plugins import load, names
from greylag.protocols import Change, Command, Completed, Context, Verifier
from greylag.report import Report
from greylag.report.serialise import report_to_dict
from greylag.store import Store
from greylag.workspace import Workspace


@click.command(name="judge", help="Compare a change with a prompt: the work tree at PATH with --base, or a --diff.")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option("--prompt", "prompt_file", help="The prompt, a Markdown file; - for standard input.")
@click.option("--base", metavar="REV", help="Commit to compare with; HEAD otherwise.")
@click.option(
    "--diff", type=click.Path(path_type=Path, dir_okay=False), help="A unified diff to judge, instead of a work tree."
)
@click.option("--replay", metavar="RUN", help="Judge what a run asked its judge again, as the settings are now.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--config", type=click.Path(path_type=Path), help=_options.CONFIG_HELP)
@_options.judge_options
def command(
    path: Path, prompt_file: str | None, base: str | None, diff: Path | None, replay: str | None, *, as_json: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Print requirements and findings; exit 0 for a pass, 1 for a veto or when a person has to look."""
    if diff and base:
        raise UserError("give --base or --diff, not both")
    if bool(replay) == bool(prompt_file):
        raise UserError("give a prompt with --prompt, or a run with --replay")
    if replay and (diff or base):
        raise UserError("a run has its own change: give --replay without --diff and --base")
    flags = {"judge.mode": "judge_mode", "judge.model": "judge_model", "judge.key-env": "judge_key_env"}
    settings = _options.settings(options["config"], {key: options[name] for key, name in flags.items()})
    try:
        judges = assembly.judge(settings)
    except assembly.NotChosenError as error:
        raise UserError("no judge is configured; name its model with --judge-model PROVIDER:NAME") from error
    if not judges:
        raise UserError("the judge is off; give --judge veto and a model with --judge-model PROVIDER:NAME")
    if replay:
        return _again(replay, judges, as_json=as_json)
    prompt = _options.read_prompt(prompt_file, None)
    scope = Scope(prompt.settings.allow, prompt.settings.paths)
    with homes.temporary() as home:
        change = _given(diff, prompt.text, scope) if diff else _work_tree(path, base, home, prompt.text, scope)
        report = _judged(change, judges, home)
    print(json.dumps(report_to_dict(report), indent=2) if as_json else "\n".join(_text(report)))
    return 0 if all(verdict.passed for verdict in report.verdicts) else 1


def _again(run_id: str, judges: Sequence[Verifier], *, as_json: bool) -> int:
    """Ask the judge all questions of a run again. Nothing of the run is changed."""
    store = Store(config.Directories.of(os.environ).state)
    run = store.run(run_id)
    places = questions.asked(store.home(run.id))
    if not places:
        raise UserError(f"run {run.id} has kept no question to a judge: it ended before, or had no judge")
    reports = []
    with homes.temporary() as home:
        for place in places:
            asked = questions.load(place)
            report = _judged(asked.change, judges, home, asked.earlier, asked.baseline)
            reports.append(report_to_dict(report))
            if not as_json:
                before, (now,) = asked.details, report.verdicts
                print(f"{place.parent.name}: {before['decision']} by {before['model']}, rubric {before['rubric']}")
                print(f"  now: {now.details['decision']} by {now.details['model']}, rubric {now.details['rubric']}")
                print("\n".join(f"  {line}" for line in _text(report)))
    if as_json:
        print(json.dumps(reports, indent=2))
    return 0 if all(verdict.passed for verdict in report.verdicts) else 1


def _given(diff: Path, prompt: str, scope: Scope) -> Change:
    try:
        text = diff.read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise UserError(f"diff {diff} cannot be read: {error.strerror}") from error
    if not text.strip():
        raise UserError(f"diff {diff} is empty: there is nothing to judge")
    return Change(questions.UnknownTree("base"), questions.UnknownTree("head"), text, prompt, scope)


def _work_tree(path: Path, base: str | None, home: Path, prompt: str, scope: Scope) -> Change:
    workspace = Workspace.of_directory(
        path.resolve(), home=home, cache=config.Directories.of(os.environ).cache, base=base
    )
    tree = workspace.freeze()
    text = workspace.diff(tree)
    if not text:
        raise UserError(f"{path} does not differ from {base or 'HEAD'}: there is nothing to judge")
    return Change(workspace.tree(workspace.base_tree), workspace.tree(tree), text, prompt, scope)


def _judged(
    change: Change, judges: Sequence[Verifier], home: Path, earlier: Sequence[Verdict] = (),
    baseline: Report | None = None,
) -> Report:  # fmt: skip
    """Guards first: their findings are facts for the judge, as what was found `earlier` is."""
    verdicts: list[Verdict] = []
    guards: list[Verifier] = (
        [] if isinstance(change.head, questions.UnknownTree) else [load("guards", name) for name in names("guards")]
    )
    for verifier in (*guards, *judges):
        for activation in verifier.detect(change.head):
            facts = (*earlier, *verdicts)
            context = Context(change, _Nothing(), home, _Nothing().run, earlier=facts, baseline=baseline)
            verdicts.append(verifier.verify(activation, context))
    return Report(change.head.id, change.base.id, tuple(verdicts))


def _text(report: Report) -> list[str]:
    lines = []
    for verdict in report.verdicts:
        if verdict.phase is Phase.JUDGE:
            lines += [f"judge: {verdict.summary}"]
            lines += [
                f"  {r['status'].replace('_', ' ')}: {r['text']}" for r in verdict.details.get("requirements", ())
            ]
        for found in verdict.diagnostics:
            where = f"{found.path}:{found.line or 1}: " if found.path else ""
            lines.append(f"  {verdict.verifier} {found.severity.value}: {where}{found.message}")
    return lines


class _Nothing:
    """No sandbox: guards and the judge run nothing."""

    name = platform = "none"
    layered = False

    def run(self, command: Command) -> Completed:
        raise AssertionError(f"a guard or the judge tried to run {command.argv}")

    def kill(self) -> None:
        """Nothing to end."""
