"""`greylag prompt check`: what a prompt lacks, before anybody pays for it."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from greylag import llm, prompts
from greylag.commands import _options
from greylag.config import Prompt
from greylag.prompts import suggesting
from greylag.text import one_line


@click.group(name="prompt", help="Look at prompts.")
def command() -> None:
    """Verbs about prompts."""


@command.command(name="check", help="Point out what PROMPT (a Markdown file, or -) lacks, without a model.")
@click.argument("file", metavar="PROMPT")
@click.option("--model", metavar="PROVIDER:NAME", help="Let a model suggest what to write instead, too.")
@click.option("--key-env", metavar="NAME", help="Variable that holds the key of that model.")
@click.option("--base-url", metavar="URL", help="Address of a server that is compatible with the provider's.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check(file: str, model: str | None, key_env: str | None, base_url: str | None, *, as_json: bool) -> int:
    """Print advice; exit 0 when there is none, 1 when there is some."""
    prompt = _options.read_prompt(file, None)
    found = prompts.check(prompt)
    asked = llm.LLM(model, base_url, key_env) if model else None
    if as_json:
        _as_json(prompt, found, asked)
    else:
        name = one_line("standard input" if file == "-" else file)
        for advice in found:
            place = f"{name}:{advice.line}" if advice.line else name
            print(f"{place}: {advice.rule}: {advice.message}")
        if not found:
            print(f"{name}: nothing to say")
        if asked:  # what is known is said by now, whatever becomes of the model
            print(f"\n{suggesting.suggest(prompt, found, asked).text()}")
    return 1 if found else 0


def _as_json(prompt: Prompt, found: Sequence[prompts.Advice], model: llm.LLM | None) -> None:
    told = None
    try:
        told = suggesting.suggest(prompt, found, model).model_dump() if model else None
    finally:  # the advice stands, whatever becomes of the model
        print(json.dumps({"advice": [asdict(advice) for advice in found], "suggestion": told}, indent=2))
