"""`greylag init`: choose an agent, a judge and a forge once, and write the settings."""

import json
import os
import sys
from pathlib import Path

import click

from greylag import config, plugins
from greylag.commands import _options
from greylag.errors import UserError

_MODELS = {"builtin": "anthropic:claude-sonnet-5", "opencode": "gpt-5"}


@click.command(name="init", help="Choose an agent, a judge and a forge, and write the settings.")
@click.option("--agent", help="builtin, claude-code, codex, opencode, command, or another plugin.")
@click.option("--model", help="Model of the agent; for builtin as PROVIDER:NAME. Empty: the agent's own default.")
@click.option("--key-env", help="Environment variable that holds the agent's key.")
@click.option("--command", "run", metavar="TEXT", help="What the agent `command` runs, through sh, in the sandbox.")
@click.option("--judge-model", help="Model of the judge, as PROVIDER:NAME, or `off`.")
@click.option("--judge-key-env", help="Environment variable that holds the judge's key.")
@click.option("--forge", help="local or github.")
@click.option("--token-env", help="Environment variable that holds the forge's token.")
@click.option("--config", "path", type=click.Path(path_type=Path), help="Where to write; the usual place otherwise.")
@click.option("--force", is_flag=True, help="Replace settings that are there.")
def command(path: Path | None, *, force: bool, **given: str | None) -> None:
    """Ask what was not given, and write the file."""
    path = path or config.location(os.environ)
    if _options.there(path) and not force:
        raise UserError(f"{path} is there already; edit it, or use --force to replace it")
    agent = _choose("Agent", given["agent"], plugins.names("agents"), "builtin", "--agent")
    text = _table("agent", {"name": agent, **_program(agent, given), **_llm(agent, given)})
    text += _table("judge", _judge(given))
    forge = _choose("Forge", given["forge"], plugins.names("forges"), "local", "--forge")
    text += _table("forge", {"name": forge, **_token(forge, given)})
    config.parse(text, str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; name another place with --config") from error
    click.echo(f"written: {path}\n\n{text}Check it with `greylag doctor`.")


def _choose(title: str, given: str | None, names: tuple[str, ...], default: str, flag: str) -> str:
    value = given or _ask(f"{title} ({', '.join(names)})", default, flag)
    if value not in names and "." not in value:
        raise UserError(f"no plugin `{value}`; there are: {', '.join(names)}")
    return value


def _ask(question: str, default: str | None, flag: str) -> str:
    if not sys.stdin.isatty():
        what = question[0].lower() + question[1:].replace(" (", ": ").rstrip(")")
        raise UserError(f"there is no terminal to ask at; give {flag} ({what})")
    answer: str = click.prompt(question, default=default)
    return answer.strip()


def _program(agent: str, given: dict[str, str | None]) -> dict[str, str]:
    if agent != "command":
        return {}
    return {"run": given["run"] or _ask("Command that makes the change, run by sh in the sandbox", None, "--command")}


def _llm(agent: str, given: dict[str, str | None]) -> dict[str, str]:
    if agent not in {"builtin", "claude-code", "codex", "opencode"}:
        return {}
    model = given["model"]
    if model is None:
        model = _ask("Model of the agent", _MODELS.get(agent, ""), "--model") if agent in _MODELS else ""
    usual = "OPENAI_API_KEY" if agent in {"codex", "opencode"} or model.startswith("openai:") else "ANTHROPIC_API_KEY"
    key = given["key_env"] or _ask("Variable that holds its key", usual, "--key-env")
    return {**({"model": model} if model else {}), "key-env": key}


def _judge(given: dict[str, str | None]) -> dict[str, str]:
    model = given["judge_model"] or _ask("Model of the judge, or off", _MODELS["builtin"], "--judge-model")
    if model == "off":
        return {"mode": "off"}
    key = (
        given["judge_key_env"]
        or given["key_env"]
        or _ask("Variable that holds its key", "ANTHROPIC_API_KEY", "--judge-key-env")
    )
    return {"model": model, "key-env": key, "mode": "veto"}


def _token(forge: str, given: dict[str, str | None]) -> dict[str, str]:
    if forge == "local":
        return {}
    return {
        "token-env": given["token_env"] or _ask("Variable that holds the forge's token", "GITHUB_TOKEN", "--token-env")
    }


def _table(name: str, values: dict[str, str]) -> str:
    return (
        f"[{name}]\n"
        + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
        + "\n"
    )
