"""The real Codex against a model on loopback, in the real sandbox."""

import json
import os
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from greylag.agents import _codex_start, codex
from greylag.agents._codex_events import Conversation
from greylag.errors import AgentError, InfraError
from greylag.model import StopReason
from greylag.protocols import Agent
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.sandboxes.none import Unsandboxed
from greylag.testing import agent, agent_faults, takeovers
from greylag.testing.agent import Bench
from greylag.testing.takeovers import CANARY

pytestmark = pytest.mark.toolchain("bwrap")

CONTRACT = (*agent.CONTRACT, *agent_faults.CONTRACT, *agent_faults.CLIENT)
real = pytest.mark.client("codex")
GOLDEN = Path(__file__).parents[1] / "golden" / "codex"
VERIFY = {"name": "mcp__greylag__verify", "input": {}}


def edit(path: str, old: str, new: str) -> list[dict[str, Any]]:
    """The client's own format of patches."""
    return [{"name": "apply_patch", "input": patch(path, old, new)}]


def patch(path: str, old: str, new: str) -> str:
    return f"*** Begin Patch\n*** Update File: {path}\n@@\n-{old}\n+{new}\n*** End Patch\n"


def shell(command: str) -> list[dict[str, Any]]:
    return [{"name": "exec_command", "input": {"cmd": command}}]


def skill(name: str) -> str:
    return f"---\nname: {name}\ndescription: {CANARY}\n---\n{CANARY}\n"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("THE_KEY", "sk-real-key")
    monkeypatch.setattr(codex, "_RETRIES", 1)  # its patience takes seconds otherwise

    def crippled(url: str) -> Agent:
        monkeypatch.setattr(codex, "relay", lambda _: ("false",))
        return of("gpt-5.5")(url)

    return Bench(
        of("gpt-5.5"), Bubblewrap(), tmp_path / "bench", edit, VERIFY, takeovers.codex(),
        program="codex", crippled=crippled,
    )  # fmt: skip


def of(model: str) -> Callable[[str], Agent]:
    return lambda url: codex.PLUGIN(model=model, base_url=url, key_env="THE_KEY")


@real
@pytest.mark.parametrize("contract", CONTRACT, ids=lambda contract: contract.__name__)
def test_contract(contract: Callable[[Bench], None], bench: Bench) -> None:
    contract(bench)


@real
def test_in_a_project_that_it_trusts_a_repository_would_win(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codex, "_ISOLATION", {"projects": {"@workspace@": {"trust_level": "trusted"}}})
    with pytest.raises((AssertionError, InfraError, AgentError)):
        agent.is_deaf_to_the_repository(bench)
    assert list(bench.directory.rglob("CANARY"))


@real
@pytest.mark.parametrize("settings", [{"disabled_tools": ["verify"]}, {"enabled_tools": []}])
def test_a_client_that_keeps_verify_from_its_model_is_ended_early(
    settings: dict[str, Any], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codex, "_server", lambda *given: {**SERVER(*given), **settings})
    with agent.trial(bench, [{"hang": True}]) as tried:
        assert "started without the tool `verify`" in agent.raised(AgentError, tried.run)


SERVER = codex._server
CALL = "$canary, [$canary](/workspace/.agents/skills/canary/SKILL.md) and $linked say hello."


@real
@pytest.mark.parametrize("named", [True, False])
def test_no_skill_of_the_repository_is_loaded_by_its_name(
    named: bool, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not named:  # without the list of them, the prompt below does load them
        source = Path(_codex_start.__file__).read_text("utf-8").replace("skills(tops)", "()")
        monkeypatch.setattr("greylag.agents.codex.source", lambda _: source)
    with agent.trial(bench, [{"text": "Done."}], files=takeovers.codex()) as tried:
        (tried.workspace / ".agents/skills/linked").symlink_to("../../skills/canary")
        (tried.workspace / "skills/canary/SKILL.md").write_text(skill("linked"))
        tried.run(CALL)
        assert (CANARY in tried.model.requests[0].text) is not named


@real
def test_what_an_earlier_session_left_in_its_home_does_not_steer_the_next(bench: Bench) -> None:
    plant = (
        'cd ~/.codex && mkdir -p skills/canary && printf \'%s\' \'{"hooks": {"Stop": [{"hooks": [{"type": "command",'
        ' "command": "touch /workspace/CANARY"}]}]}}\' > hooks.json && '
        f"echo {CANARY} > AGENTS.md && echo 'model = \"evil\"' > config.toml; ls -a"
    )
    with agent.trial(bench, [{"tools": shell(plant)}, {"text": "One."}, {"text": "Two."}]) as tried:
        first = tried.run("Go.")
        assert "hooks.json" in tried.model.requests[1].text
        tried.run("Go on.", resume=first)
        last = tried.model.requests[2]
        assert "One." in last.text
        assert last.body["model"] == "gpt-5.5"
        assert CANARY not in json.dumps(last.body["input"][:3])  # but in the call that planted it
        assert not list(tried.workspace.rglob("CANARY"))


@real
def test_a_model_that_calls_its_tools_in_code_is_served_as_well(bench: Bench) -> None:
    code = f"text(await tools.apply_patch({json.dumps(patch('answer.txt', '41', '42'))}));"
    code += "text(await tools.mcp__greylag__verify({}))"
    steps: list[agent.Step] = [
        {"tools": [{"name": "exec", "input": code}]},
        {"text": "Done?"},
        {"text": "Done."},
    ]
    with agent.trial(replace(bench, make=of("gpt-6.1-sol")), steps, reports=[agent.RED, agent.RED]) as tried:
        session = tried.run()
        assert (tried.workspace / "answer.txt").read_text("utf-8") == "42\n"
        assert agent.REASON in tried.model.questions[1].text
        assert (session.verifications, session.blocks, session.text) == (1, 1, "Done.")


@real
def test_it_is_let_go_after_the_cap(bench: Bench) -> None:
    agent.is_let_go_after_the_cap(bench, 3)


@real
def test_it_works_without_a_sandbox_as_well(bench: Bench) -> None:
    agent.edits_a_file_and_calls_verify(replace(bench, backend=Unsandboxed()))


@real
def test_all_of_its_settings_are_known_to_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codex, "_FLAGS", (*codex._FLAGS, "--strict-config"))
    with agent.trial(bench, [{"text": "Done."}]) as tried:
        assert tried.run().text == "Done."
        lines = [json.loads(line).get("line", {}) for line in tried.transcript.read_text("utf-8").splitlines()]
        warnings = {line["item"]["message"][:40] for line in lines if line.get("item", {}).get("type") == "error"}
        assert warnings == {"`--dangerously-bypass-hook-trust` is ena"}


@real
def test_money_is_counted_by_list_prices(bench: Bench) -> None:
    with agent.trial(bench, [{"text": "Done."}]) as tried:
        session = tried.run()
    assert session.usage.usd == pytest.approx((1000 * 5 + 50 * 30) / 1e6)  # 5 and 30 dollars a million
    assert (session.usage.turns, session.usage.cost_source) == (1, "prices")


@real
def test_a_conversation_that_is_gone_is_said_to_be_gone(bench: Bench) -> None:
    with agent.trial(bench, [{"text": "First."}]) as tried:
        gone = replace(tried.run(), resume=str(uuid.uuid4()))
        assert "no rollout found" in agent.raised(AgentError, lambda: tried.run(resume=gone))


@real
def test_the_sandbox_holds_no_key_and_the_service_gets_it(bench: Bench) -> None:
    look = shell("env; cat /proc/*/environ | tr '\\0' '\\n'")
    with agent.trial(bench, [{"tools": look}, {"text": "Done."}]) as tried:
        tried.run()
        assert "CODEX_HOME=/home/agent/.codex" in tried.model.questions[1].text  # it did look
        assert {request.headers["authorization"] for request in tried.model.requests} == {"Bearer sk-real-key"}
        assert "sk-real-key" not in "".join(request.text for request in tried.model.requests)
        assert "sk-real-key" not in tried.transcript.read_text("utf-8")


@real
def test_what_it_is_told_of_the_job_and_nothing_of_the_tools_behind_verify(bench: Bench) -> None:
    prompt = "/clear is how this prompt begins, and @answer.txt is in it: é🎉"
    with agent.trial(bench, [{"text": "Done."}], files={"answer.txt": CANARY}) as tried:
        tried.run(prompt)
        first = tried.model.requests[0]
    assert all(words in first.text for words in ("DECLINED:", "Do not commit", prompt))
    assert CANARY not in first.text
    assert "permissions instructions" not in first.text
    named = {tool.get("name") for tool in first.body["tools"]}
    assert {"exec_command", "apply_patch"} <= named
    assert not named & {"web_search", "spawn_agent", "multi_agent_v1", "create_goal", "image_generation"}


CHILD = """
import sys
import threading
from pathlib import Path
from greylag.agents.codex import PLUGIN
from greylag.sandboxes.bubblewrap import Bubblewrap
from greylag.testing import agent, takeovers

bench = agent.Bench(lambda url: PLUGIN(model=sys.argv[2], base_url=url), Bubblewrap(), Path(sys.argv[1]), None, {})
steps = [{"tools": [{"name": "exec_command", "input": {"cmd": "sleep 1000", "yield_time_ms": 250}}]}, {"hang": True}]
with agent.trial(bench, steps) as tried:
    threading.Thread(target=lambda: (tried.model.hanging.wait(), print("hanging", flush=True)), daemon=True).start()
    tried.run()
"""


@real
def test_killing_greylag_leaves_no_process(tmp_path: Path) -> None:
    marker = f"codex-marker-{uuid.uuid4().hex}"
    agent_faults.dies_with_greylag([sys.executable, "-c", CHILD, str(tmp_path / "bench"), marker], marker)


# -- without the client ----------------------------------------------------------------------------------------------


def heard(name: str, ask: Any) -> Conversation:
    """What is understood of a recorded run."""
    conversation = Conversation(ask())
    for line in (GOLDEN / name).read_text("utf-8").splitlines():
        conversation.line(line)
    return conversation


def test_a_recorded_session_is_understood(ask: Any) -> None:
    conversation = heard("session.jsonl", ask)
    assert (conversation.stop, conversation.last_words) == (StopReason.COMPLETED, "All done.")
    assert str(uuid.UUID(conversation.session)) == conversation.session
    assert [(event.kind, event.text) for event in ask.events] == [
        ("agent.text", "I edit."),
        ("agent.tool", "file_change /workspace/answer.txt"),
        ("agent.tool", "command_execution /bin/sh -c 'cat answer.txt; exit 3'"),
        ("agent.tool", "verify"),
        ("agent.text", "All done."),
    ]


@pytest.mark.parametrize(("name", "words"), [("turn-limit.jsonl", "turns of this session"), ("outage.jsonl", "529")])
def test_a_recorded_failure_is_told_from_the_warnings_before_it(name: str, words: str, ask: Any) -> None:
    conversation = heard(name, ask)
    assert conversation.stop is StopReason.LLM_ERROR
    assert words in conversation.last_words


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "too\n long"}}, "too long"),
        ({"object": "error", "message": "too long", "type": "Bad Request", "code": 400}, "too long"),
        ({"error": "too long"}, "too long"),
        ({"detail": "too long"}, "too long"),
        ({"detail": [{"loc": ["body", "x"], "msg": "too long"}]}, "too long"),
        ({"error": {"code": 7}}, '{ "error": { "code": 7 } }'),
        ([], "[]"),
    ],
)
def test_an_answer_of_a_server_that_is_passed_on_whole_is_one_line_of_its_words(
    answer: Any, words: str, ask: Any
) -> None:
    conversation = Conversation(ask())
    conversation.line(json.dumps({"type": "turn.failed", "error": {"message": json.dumps(answer, indent=2)}}))
    assert conversation.last_words == words


@real
def test_a_refused_request_is_told_in_the_words_of_the_server(bench: Bench) -> None:
    with agent.trial(bench, [{"status": 400}]) as tried:
        session = tried.run()
    assert (session.stop, session.text) == (StopReason.LLM_ERROR, "scripted status 400")


def test_nonsense_and_control_characters_are_no_session(ask: Any) -> None:
    conversation = heard("session.jsonl", ask)
    for line in ("{", "[]", "17", "[" * 100_000, '{"type": "item.completed", "item": 3}', '{"type": "turn.failed"}'):
        assert not conversation.line(line)
    assert conversation.stop is StopReason.LLM_ERROR
    conversation.line(json.dumps({"type": "error", "message": "\x1b[31mred"}))
    assert conversation.last_words.isprintable()


def test_its_settings_are_one_table_that_requires_verify_and_trusts_nobody() -> None:
    settings = tomllib.loads(codex.config(1800))
    server = settings["mcp_servers"]["greylag"]
    assert (server["required"], server["default_tools_approval_mode"]) == (True, "approve")
    assert server["tool_timeout_sec"] == settings["hooks"]["Stop"][0]["hooks"][0]["timeout"] == 1800
    assert settings["projects"]["@workspace@"]["trust_level"] == "untrusted"
    provider = settings["model_providers"][settings["model_provider"]]
    assert provider["base_url"] == "http://127.0.0.1:@port:llm@/v1"
    assert not {key for key in provider if "key" in key or "token" in key}


def start(tmp_path: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The start script, which becomes `echo`."""
    home = tmp_path / "home"
    (tmp_path / "config.toml").write_text(codex.config(60), "utf-8")
    script = [sys.executable, "-I", "-S", _codex_start.__file__, str(tmp_path / "config.toml"), str(tmp_path / "work")]
    env = {"HOME": str(home), "CODEX_HOME": str(home / ".codex")}
    return subprocess.run(
        [*script, "/bin/echo", "a b"], env=env, capture_output=True, text=True, check=False
    ), home / ".codex"


def test_the_start_keeps_conversations_and_nothing_else(tmp_path: Path) -> None:
    home = tmp_path / "home/.codex"
    (home / "sessions/2026").mkdir(parents=True)
    (home / "skills/x").mkdir(parents=True)
    (home / "hooks.json").write_text("{}")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    (home / "rules").symlink_to(tmp_path / "precious")
    (home / "config.toml").symlink_to(tmp_path / "precious/file")
    done, _ = start(tmp_path)
    assert (done.stdout, done.returncode) == ("a b\n", 0)
    assert sorted(path.name for path in home.iterdir()) == ["config.toml", "sessions"]
    assert (home / "sessions/2026").is_dir()
    assert (tmp_path / "precious/file").read_text() == ""


def test_the_start_does_not_empty_what_a_link_in_place_of_its_home_leads_to(tmp_path: Path) -> None:
    (tmp_path / "precious/skills").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.codex").symlink_to(tmp_path / "precious")
    assert start(tmp_path)[0].returncode == 0
    assert [path.name for path in (tmp_path / "precious").iterdir()] == ["skills"]


def test_the_start_names_every_skill_however_it_is_called(tmp_path: Path) -> None:
    skills = tmp_path / "work/.agents/skills"
    names = ['quo"te', "de\x7fl", "new\nline", "a/b/c", "é"]
    for name in names:
        (skills / name).mkdir(parents=True)
        (skills / name / "SKILL.md").touch()
    no_text = skills / os.fsdecode(b"\xff")
    no_text.mkdir()
    (no_text / "SKILL.md").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/SKILL.md").touch()
    (skills / "link").symlink_to(tmp_path / "elsewhere")
    (skills / "loop").symlink_to(skills)
    (tmp_path / "work/.codex").mkdir()
    (tmp_path / "work/.codex/skills").symlink_to("missing")
    done, home = start(tmp_path)
    assert done.returncode == 0, done.stderr
    named = tomllib.loads((home / "config.toml").read_text("utf-8"))["skills"]["config"]
    assert all(entry["enabled"] is False for entry in named)
    wanted = {str(skills / name / "SKILL.md") for name in names} | {str(tmp_path / "elsewhere/SKILL.md")}
    assert wanted < {entry["path"] for entry in named}
    assert len(named) == len(wanted) + 1


def test_a_client_that_crashes_is_the_agents_failure_in_one_clean_line(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.getuid() == 0:
        tmp_path.chmod(0o755)
    program = tmp_path / "bin/codex"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho '[[[['; printf '\\033[31mred\\n' >&2; exit 139\n", "ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    with agent.trial(replace(bench, backend=Bubblewrap()), []) as tried:
        message = agent.raised(AgentError, tried.run)
    assert "killed by signal 11" in message
    assert "red" in message
    assert message.isprintable()
