"""`make demo`: the main job on the example, in `.demo/`. Without AGENT and MODEL the model's words are a recording."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
RECORDING = ROOT / "examples" / "recording.json"
DEFAULT_KEYS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
JUDGES = {"claude-code": "anthropic:claude-sonnet-5", "codex": "openai:gpt-5"}


def main() -> int:
    """Make the example a repository, run greylag on it, show the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default="builtin")
    parser.add_argument("--model", default="")
    parser.add_argument("--key-env", default="")
    options = parser.parse_args()
    service = _repository()
    settings = DEMO / "greylag.toml"
    settings.write_text(_settings(options.agent, options.model, options.key_env), "utf-8")
    environment = {
        **os.environ,
        "GREYLAG_STATE": str(DEMO / "state"),
        "GREYLAG_CACHE": str(DEMO / "cache"),
        "GREYLAG_CONFIG": str(settings),
    }
    greylag = str(ROOT / ".venv" / "bin" / "greylag")
    prompt = str(ROOT / "examples" / "PROMPT.md")
    print(f"$ greylag run examples/PROMPT.md --repo {service.relative_to(ROOT)}", flush=True)
    code = subprocess.run([greylag, "run", prompt, "--repo", str(service)], env=environment, check=False).returncode
    if code == 0:
        log = ["git", "-C", str(service), "log", "--oneline", "--all", "--graph"]
        print(f"\n$ git -C {service.relative_to(ROOT)} log --oneline --all --graph", flush=True)
        subprocess.run(log, env=environment, check=False)
        run = next((DEMO / "state" / "runs").iterdir()).name  # the only one: the directory was made anew
        print(f"\nRead the pull request:  GREYLAG_STATE=.demo/state .venv/bin/greylag show {run}")
    return code


def _repository() -> Path:
    """A fresh copy of the example, in git."""
    service = DEMO / "service"
    for old in (service, DEMO / "state"):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(ROOT / "examples" / "service", service)
    who = ["-c", "user.name=Example", "-c", "user.email=example@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "parcels 1.4.0"]):
        subprocess.run(["git", "-C", str(service), *command], check=True)
    return service


def _settings(agent: str, model: str, key_env: str) -> str:
    """The demo's own greylag.toml: a recording, or the agent and model that were asked for."""
    if agent == "builtin" and not model:
        return (
            f'[agent]\nname = "builtin"\nmodel = "replay:{RECORDING}"\n\n'
            f'[judge]\nmodel = "replay:{RECORDING}"\n\n[forge]\nname = "local"\n'
        )
    judge = model if agent == "builtin" else JUDGES.get(agent, "anthropic:claude-sonnet-5")
    key = key_env or DEFAULT_KEYS.get(judge.partition(":")[0], "ANTHROPIC_API_KEY")
    named = f'model = "{model}"\n' if model else ""
    return (
        f'[agent]\nname = "{agent}"\n{named}key-env = "{key}"\n\n'
        f'[judge]\nmodel = "{judge}"\nkey-env = "{key}"\n\n[forge]\nname = "local"\n'
    )


if __name__ == "__main__":
    sys.exit(main())
