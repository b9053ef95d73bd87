"""The command line as a user has it: exit codes, one clear line for what is wrong, nothing left behind."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from greylag import __main__, __version__, assembly
from greylag.errors import UserError
from greylag.forges.local import LocalForge
from greylag.testing.repos import git, make_repo
from greylag.testing.service import make_service
from greylag.testing.warm import Ended, Warm

pytestmark = pytest.mark.toolchain("bwrap")

SETTINGS = '[agent]\nname = "command"\nrun = "echo Hello, you > greeting"\n[judge]\nmode = "off"\n'


@dataclass
class Shell:
    """greylag in a process of its own, with directories of its own; `warm` saves the time of its imports."""

    home: Path
    warm: Warm

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        own = {"HOME": str(self.home), "PATH": os.environ["PATH"], "GREYLAG_CONFIG": str(self.home / "greylag.toml")}
        return {
            **own,
            "GREYLAG_STATE": str(self.home / "state"),
            "GREYLAG_CACHE": str(self.home / "cache"),
            **(env or {}),
        }

    def __call__(
        self, *arguments: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Ended:
        return self.warm(*map(str, arguments), stdin=stdin, env=self.environment(env), cwd=cwd or self.home)

    def cold(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """The same by an interpreter that starts for it, as for a user."""
        command = [sys.executable, "-m", "greylag", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env=self.environment(), cwd=self.home, check=False, timeout=120
        )

    def refused(self, *arguments: str | Path, **options: object) -> str:
        """The one line of an error that the user must mend."""
        done = self(*arguments, **options)  # type: ignore[arg-type]
        assert done.returncode == 2, (done.returncode, done.stderr, done.stdout)
        assert "Traceback" not in done.stderr
        lines = [line for line in done.stderr.splitlines() if line]
        assert len(lines) == 1, done.stderr
        assert not list((self.home / "state").rglob("tree"))
        return lines[0]


@pytest.fixture
def shell(tmp_path: Path, warm: Warm) -> Shell:
    home = tmp_path / "home"
    home.mkdir()
    (home / "greylag.toml").write_text(SETTINGS)
    return Shell(home, warm)


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return make_service(tmp_path / "service")


def test_version_is_printed_without_importing_anything_else(shell: Shell) -> None:
    assert shell.cold("--version").stdout == f"greylag {__version__}\n"
    command = [sys.executable, "-X", "importtime", "-m", "greylag", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env=shell.environment(), check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"click", "rich", "pydantic", "sqlalchemy", "pydantic_ai", "asyncio", "subprocess"}


def test_a_reader_that_has_gone_is_told_apart_from_a_gate_that_said_no(shell: Shell) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "greylag", "run", "--help"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=shell.environment(), check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_streams_that_are_closed_are_empty_ones(shell: Shell) -> None:
    command = ["sh", "-c", '"$0" -m greylag show <&- >&- 2>&-', sys.executable]
    assert subprocess.run(command, env=shell.environment(), check=False).returncode == 0


def test_help_of_every_verb_imports_no_model_library(shell: Shell) -> None:
    code = (
        "import sys; from greylag import cli\n"
        "for verb in cli.VERBS: cli.command_line([verb, '--help'])\n"
        "heavy = {'pydantic_ai', 'mcp', 'openai', 'anthropic'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_run_opens_a_pull_request_and_show_prints_it(shell: Shell, service: Path) -> None:
    done = shell.cold("run", "-m", "Add a greeting", "--repo", service)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "opened: pull request" in done.stdout
    listed = shell("show").stdout
    assert "opened" in listed
    run_id = listed.split()[0]
    shown = shell("show", run_id).stdout
    assert "pull request 1 (open) on local" in shown
    assert "sh tests" in shown
    data = json.loads(shell("show", run_id, "--json").stdout)
    assert data["status"] == "opened"
    assert data["pull_request"]["branch"].startswith("greylag/add-a-greeting-")
    assert {"checkout", "baseline", "gate", "end"} <= {event["kind"] for event in data["events"]}


def test_the_same_prompt_by_another_program_updates_the_pull_request_and_says_so(shell: Shell, service: Path) -> None:
    run = ("run", "-m", "Add a greeting", "--repo", service)
    assert "\nopened: pull request " in shell(*run).stdout
    first = shell("show").stdout.split()[0]
    assert "updated" not in shell("show", first).stdout
    done = shell(*run, "--command", "echo Good day > greeting")
    assert (done.returncode, "\nupdated: pull request " in done.stdout) == (0, True)
    assert "opened" not in done.stdout
    assert shell("show").stdout.splitlines()[0].split()[1] == "updated"
    second = shell("show").stdout.split()[0]
    data = json.loads(shell(*run, "--command", "echo Good night > greeting", "--json").stdout)
    assert (data["status"], data["pull_request"]["updated"]) == ("updated", True)
    for run_id in (first, second):
        assert f"updated since by run {data['id']}" in shell("show", run_id).stdout
        assert json.loads(shell("show", run_id, "--json").stdout)["updated_by"] == data["id"]
    assert "updated since" not in shell("show", data["id"]).stdout
    assert json.loads(shell("show", data["id"], "--json").stdout)["updated_by"] is None


def test_a_path_is_one_repository_however_it_is_spelled(shell: Shell, service: Path) -> None:
    (shell.home / "link").symlink_to(service)
    runs = [
        json.loads(shell("run", "-m", "Add a greeting", "--repo", path, "--json", cwd=shell.home).stdout)
        for path in (service, f"../{service.name}", "link")
    ]
    assert [run["status"] for run in runs] == ["opened", "updated", "updated"]
    assert {run["pull_request"]["url"] for run in runs} == {runs[0]["pull_request"]["url"]}


def test_run_for_machines_prints_json_only(shell: Shell, service: Path) -> None:
    done = shell("run", "-", "--repo", service, "--json", "--campaign", "greetings", stdin=b"Add a greeting\n")
    assert json.loads(done.stdout)["status"] == "opened"
    assert all(json.loads(line)["kind"] for line in done.stderr.splitlines())
    assert shell("show", "--cost", "campaign").stdout.startswith("greetings: 1 run,")
    assert "about all runs" in shell.refused("show", json.loads(done.stdout)["id"], "--cost", "campaign")


def test_a_change_that_breaks_a_test_ends_with_1_and_names_the_test(shell: Shell, service: Path) -> None:
    done = shell("run", "-m", "Break it", "--repo", service, "--command", "echo 'echo Bye' > greet")
    assert done.returncode == 1
    assert "no pull request: failed" in done.stdout
    assert "tests/hello.sh" in done.stdout
    assert len(done.stdout) < 2000 * 4
    assert "refused: sh tests: 2 of 2 tests failed\n\nno pull request: failed\n" in done.stdout
    assert git(service, "branch", "--format=%(refname:short)") == "main"
    run_id = shell("show").stdout.split()[0]
    assert "+echo Bye" in shell("show", run_id, "--diff").stdout
    log = next(line.split()[2] for line in done.stdout.splitlines() if line.startswith("details: log "))
    assert shell("show", run_id, "--log", log).returncode == 0
    assert shell("show", run_id, "--log", "../../../greylag.db").returncode == 2
    assert shell("show", run_id, "--log", log, "--page", "1").stdout.startswith("page 1 of 1, ")
    assert " lines near 'tests' of " in shell("show", run_id, "--log", log, "--search", "tests").stdout


def test_flags_name_another_plugin_than_the_settings_and_win_over_the_front_matter(shell: Shell, service: Path) -> None:
    (shell.home / "greylag.toml").write_text(
        '[agent]\nname = "builtin"\nmodel = "anthropic:m"\nkey-env = "NONE"\n[judge]\nmode = "off"\n'
    )
    agent = ("--agent", "command", "--command", "echo Hello, you > greeting")
    prompt = b"+++\nattempts = 3\n+++\nAdd a greeting\n"
    done = shell("run", "-", "--repo", service, *agent, "--attempts", "2", "--json", stdin=prompt)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["agent"], record["task"]["policy"]["attempts"]) == ("command", 2)


def test_verify_passes_and_the_second_answer_comes_from_the_cache(shell: Shell, service: Path) -> None:
    first = shell.cold("verify", service)
    assert (first.returncode, "sh tests 2 tests" in first.stdout) == (0, True), first.stderr + first.stdout
    assert re.search(r"verifying the base commit \w+\n.*\n.*verifying .*service as it is now\n", first.stderr)
    again = shell("verify", ".", cwd=service)
    assert (again.returncode, "cached" in again.stdout) == (0, True)
    assert git(service, "status", "--porcelain", "--ignored") == ""


def test_verify_speaks_json_and_sarif_and_exits_with_1_for_a_failure(shell: Shell, service: Path) -> None:
    (service / "greet").write_text("echo Bye\n")
    done = shell("verify", service, "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["passed"]) == (1, False)
    assert any(d["path"] == "tests/hello.sh" for v in report["verdicts"] for d in v["diagnostics"])
    text = shell("verify", service).stdout
    log, place = (next(line for line in text.splitlines() if line.startswith(key)) for key in ("details: ", "logs: "))
    assert b"Bye" in Path(place.removeprefix("logs: "), log.split()[2]).read_bytes()
    sarif = json.loads(shell("verify", service, "--format", "sarif").stdout)
    assert sarif["version"] == "2.1.0"


def test_verify_allows_by_a_flag_what_a_prompt_can_allow(shell: Shell, service: Path) -> None:
    (service / ".github/workflows").mkdir(parents=True)
    (service / ".github/workflows/ci.yml").write_text("on: push\n")
    refused = shell("verify", service)
    assert refused.returncode == 1
    assert "front matter" not in refused.stdout
    assert "note: to allow what guards refuse: --allow ci" in refused.stdout
    allowed = shell("verify", service, "--allow", "ci", "--allow", "lint", "--format", "json")
    report = json.loads(allowed.stdout)
    assert (allowed.returncode, report["passed"], report["allowed"]) == (0, True, ["ci", "lint"])
    (found,) = [d for v in report["verdicts"] for d in v["diagnostics"] if d["path"] == ".github/workflows/ci.yml"]
    assert (found["severity"], "(`--allow ci`)" in found["message"]) == ("info", True)
    assert "information: 1 finding, which --verbose shows" in shell("verify", service, "--allow", "ci").stdout
    lines = shell("verify", service, "--allow", "ci", "-v").stdout.splitlines()
    assert "note: allowed by --allow: ci" in lines
    assert [line for line in lines if line.startswith("information: .github/workflows/ci.yml") and "--allow ci" in line]
    assert "'secrets' is not one of 'agents', " in shell.refused("verify", service, "--allow", "secrets")


def test_a_repository_that_vouches_for_nothing_is_said_to_be_unverified(shell: Shell, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "notes", {"notes.txt": "x"})
    done = shell("verify", repo)
    assert done.returncode == 1
    assert "no tests, no linter, no build found" in done.stdout


def test_distill_says_first_what_the_reader_of_a_tool_finds(shell: Shell) -> None:
    log = b"src/a.ts(1,22): error TS2307: Cannot find module './missing'.\n" + b"noise\n" * 500
    done = shell("distill", "--tool", "tsc", "--budget", "200", stdin=log)
    assert done.returncode == 0
    assert done.stdout.startswith("FAILED in compile: tsc 1 error\n1. src/a.ts:1:22 TS2307: Cannot find module")
    assert len(done.stdout) <= 4 * 200 + 1
    quiet = shell("distill", "--tool", "tsc", stdin=b"all is well\n")
    assert (quiet.returncode, quiet.stdout) == (0, "all is well\n")
    other = shell("distill", "--tool", "pytest", stdin=b"E   KeyError: 'a'\n")
    assert (other.returncode, other.stdout) == (0, "E   KeyError: 'a'\n")
    assert other.stderr == "greylag: pytest: no reader is known for it; the log is distilled like any other\n"
    empty = shell("distill", stdin=b"")
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, "", "")


def test_distill_reads_the_json_of_a_tool_and_what_it_prints_for_people(shell: Shell) -> None:
    found = (
        b'[{"filePath":"a.js","messages":[{"ruleId":"no-undef","severity":2,"message":"x is not defined","line":2}]}]'
    )
    json = shell("distill", "--tool", "eslint", stdin=found)
    assert json.stdout.startswith("FAILED in compile: eslint 1 error\n1. a.js:2 no-undef: x is not defined")
    text = shell("distill", "--tool", "eslint", stdin=b"a.js\n  2:1  error  x is not defined  no-undef\n")
    assert text.stdout == "a.js\n  2:1  error  x is not defined  no-undef\n"
    assert "its reader found no error" in text.stderr


def test_distill_reads_any_bytes(shell: Shell) -> None:
    log = b"noise\n" * 5000 + b"src/a.c:3:5: error: expected ';' \xff\n" + b"make: *** [all] Error 1\n"
    done = shell("distill", "--budget", "100", stdin=log)
    assert "src/a.c:3:5: error" in done.stdout
    assert len(done.stdout) < 500


def test_the_stop_hook_blocks_until_the_work_tree_verifies(shell: Shell, service: Path) -> None:
    payload = {"cwd": str(service), "session_id": "s1", "stop_hook_active": False}
    (service / "greet").write_text("echo Bye\n")
    answer = json.loads(shell("hook", "stop", stdin=json.dumps(payload).encode()).stdout)
    assert answer["decision"] == "block"
    assert "hello.sh" in answer["reason"]
    git(service, "checkout", "--quiet", "greet")
    assert json.loads(shell("hook", "stop", stdin=json.dumps(payload).encode()).stdout) == {}


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_a_prompt_is_needed_once(shell: Shell, service: Path) -> None:
    assert "give one prompt" in shell.refused("run", "--repo", service)
    assert "give one prompt" in shell.refused("run", "a.md", "-m", "x", "--repo", service)
    assert "a.md cannot be read: No such file" in shell.refused("run", "a.md", "--repo", service)


def test_a_binary_prompt_is_refused(shell: Shell, service: Path, tmp_path: Path) -> None:
    (tmp_path / "p.md").write_bytes(b"\0\1")
    assert "binary" in shell.refused("run", tmp_path / "p.md", "--repo", service)


def test_a_repository_that_is_missing_empty_or_none(shell: Shell, tmp_path: Path) -> None:
    assert "does not exist" in shell.refused("run", "-m", "x", "--repo", tmp_path / "nowhere")
    (tmp_path / "plain").mkdir()
    assert "plain" in shell.refused("run", "-m", "x", "--repo", tmp_path / "plain")
    (tmp_path / "there" / "src").mkdir(parents=True)
    make_repo(tmp_path / "there", {"src/a": "a"})
    inside = shell.refused("run", "-m", "x", "--repo", tmp_path / "there" / "src")
    assert inside.endswith(f"is a directory inside one: give --repo {tmp_path / 'there'}")
    empty = make_repo(tmp_path / "empty", {})
    assert "no commit" in shell.refused("run", "-m", "x", "--repo", empty)


def test_a_detached_head_asks_for_a_branch(shell: Shell, service: Path) -> None:
    git(service, "checkout", "--quiet", "--detach")
    assert "--branch" in shell.refused("run", "-m", "x", "--repo", service)
    assert shell("run", "-m", "x", "--repo", service, "--branch", "main").returncode == 0


@pytest.mark.parametrize("flag", ["--minutes=nan", "--usd=nan", "--minutes=inf", "--minutes=1e9"])
def test_a_limit_that_is_none_is_refused(shell: Shell, service: Path, flag: str) -> None:
    done = shell("run", "-m", "x", "--repo", service, flag)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f"'{flag.partition('=')[0]}'" in done.stderr


@pytest.mark.parametrize("verb", ["run", "verify", "mcp"])
def test_a_place_that_cannot_be_written_is_named_with_its_variable(shell: Shell, service: Path, verb: str) -> None:
    arguments = ("run", "-m", "x", "--repo", service) if verb == "run" else (verb, service)
    said = shell.refused(*arguments, env={"GREYLAG_CACHE": str(service / "greet/cache")})
    assert "greet is no directory; set GREYLAG_CACHE to a directory of yours" in said


def test_a_place_without_permission_is_named_with_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, _mode: Path(path) != tmp_path)
    with pytest.raises(UserError, match=r"a/b cannot be written: Permission denied; set GREYLAG_STATE to"):
        assembly.usable("GREYLAG_STATE", tmp_path / "a/b")
    assert list(tmp_path.iterdir()) == []


def test_what_another_user_left_in_a_place_of_ours_is_no_bug(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GREYLAG_CACHE", str(shell.home / "cache"))
    error = PermissionError(errno.EACCES, "Permission denied", str(shell.home / "cache/work/verify-x"))
    assert __main__._forbidden(error) == 2
    assert "set GREYLAG_CACHE to a directory of yours" in capsys.readouterr().err
    assert __main__._forbidden(PermissionError(errno.EACCES, "Permission denied", "/etc/shadow")) == 0
    assert __main__._forbidden(OSError(errno.EIO, "Input/output error", str(shell.home / "cache/x"))) == 0


def test_a_repository_that_takes_no_branch_is_told_before_anything_starts(
    service: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, _mode: Path(path).name != "objects")
    with pytest.raises(UserError, match="cannot be written by this user, who must push a branch there"):
        LocalForge(state).clone_url(str(service))


def test_an_error_after_the_checkout_is_told_once_and_leaves_nothing(shell: Shell, service: Path) -> None:
    done = shell("run", "-m", "x", "--repo", service, "--branch", "mian")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "did you mean `main`" in done.stderr
    assert "mian" not in done.stdout
    assert not list((shell.home / "state" / "runs").iterdir())
    failed = shell("run", "-m", "x", "--repo", service, "--command", "echo out of luck; false", "--json")
    assert (failed.returncode, json.loads(failed.stdout)["status"]) == (4, "errored")
    error, kept, record = failed.stderr.splitlines()[-3:]
    assert error.endswith("failed (exit code 1): out of luck")
    assert Path(kept.split()[1]).is_dir()
    assert record.endswith(f"greylag show {Path(kept.split()[1]).name}")


def test_no_agent_says_how_to_choose_one(shell: Shell, service: Path) -> None:
    (shell.home / "greylag.toml").write_text('[judge]\nmode = "off"\n')
    said = shell.refused("run", "-m", "x", "--repo", service)
    assert "no agent is configured" in said
    assert "greylag init" in said


def test_no_judge_says_how_to_choose_one_or_to_do_without(shell: Shell, service: Path) -> None:
    (shell.home / "greylag.toml").write_text('[agent]\nname = "command"\nrun = "true"\n')
    said = shell.refused("run", "-m", "x", "--repo", service)
    assert "--judge-model" in said
    assert "--judge off" in said


def test_an_agent_that_is_not_installed_names_the_command_to_install_it(shell: Shell, service: Path) -> None:
    env = {"PATH": "/usr/bin:/bin", "KEY": "k"}
    (shell.home / "greylag.toml").write_text('[agent]\nname = "claude-code"\nkey-env = "KEY"\n[judge]\nmode = "off"\n')
    assert "npm install" in shell.refused("run", "-m", "x", "--repo", service, env=env)


def test_keys_come_from_the_named_variable_and_from_nowhere_else(shell: Shell, service: Path) -> None:
    (shell.home / "greylag.toml").write_text(
        '[agent]\nname = "builtin"\nmodel = "anthropic:m"\n[judge]\nmode = "off"\n'
    )
    env = {"ANTHROPIC_API_KEY": "from-the-surroundings"}
    assert "key-env" in shell.refused("run", "-m", "x", "--repo", service, env=env)
    (shell.home / "greylag.toml").write_text(
        '[agent]\nname = "builtin"\nmodel = "anthropic:m"\nkey-env = "MINE"\n[judge]\nmode = "off"\n'
    )
    assert "MINE" in shell.refused("run", "-m", "x", "--repo", service, env=env)


def test_unknown_keys_name_the_nearest(shell: Shell, service: Path) -> None:
    (shell.home / "greylag.toml").write_text("[run]\natempts = 2\n")
    assert "did you mean `attempts`" in shell.refused("run", "-m", "x", "--repo", service)
    git(service, "checkout", "--quiet", "main")
    (shell.home / "greylag.toml").write_text(SETTINGS)
    (service / ".greylag.toml").write_text("of = ['x']\n")
    git(service, "commit", "--quiet", "-am", "typo")
    assert "did you mean `off`" in shell.refused("run", "-m", "x", "--repo", service)


def test_problem_matchers_are_read_from_the_base_commit(shell: Shell, tmp_path: Path) -> None:
    settings = '[[command]]\nname = "cc"\nrun = "sh check"\nphase = "static"\nmatchers = ["m.json"]\n'
    matcher = {"owner": "own", "pattern": [{"regexp": "^(.+) at (\\d+): (.*)", "file": 1, "line": 2, "message": 3}]}
    files = {".greylag.toml": settings, "m.json": json.dumps({"problemMatcher": matcher}), "check": "exit 0\n"}
    repo = make_repo(tmp_path / "repo", files)
    (repo / "check").write_text("echo main.c at 7: odd; exit 1\n")
    (repo / "m.json").write_text("broken")
    done = shell("verify", repo)
    assert done.returncode == 1
    assert "main.c:7 own: odd" in done.stdout
    git(repo, "commit", "--quiet", "-am", "broken")
    assert "problem matchers m.json are no JSON" in shell.refused("verify", repo)


def test_no_sandbox_is_never_silent(shell: Shell, service: Path) -> None:
    (shell.home / "greylag.toml").write_text(SETTINGS + '[sandbox]\nname = "none"\n')
    assert "--unsafe-no-sandbox" in shell.refused("run", "-m", "x", "--repo", service)
    (shell.home / "greylag.toml").write_text(SETTINGS)
    done = shell("run", "-m", "Unsafe", "--repo", service, "--unsafe-no-sandbox")
    assert done.returncode == 0, done.stderr
    assert "NO SANDBOX" in done.stderr
    assert "NO SANDBOX" in shell("show", shell("show").stdout.split()[0]).stdout


def _path_without(tmp_path: Path, missing: str, **fakes: str) -> str:
    """A PATH with what a run needs, but for one program, and with fakes for others."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in {"git", "bwrap", "sh", "true", "ssh"} - {missing, *fakes}:
        for directory in ("/usr/bin", "/bin"):
            if Path(directory, name).exists():
                (tools / name).symlink_to(Path(directory, name))
                break
    for name, script in fakes.items():
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    return str(tools)


def test_without_bubblewrap_the_command_that_installs_it_is_named(shell: Shell, service: Path, tmp_path: Path) -> None:
    env = {"PATH": _path_without(tmp_path, "bwrap")}
    assert "apt-get install" in shell.refused("run", "-m", "x", "--repo", service, env=env)


def test_where_no_sandbox_can_start_a_run_is_refused_before_anything_is_fetched(shell: Shell, service: Path) -> None:
    options = "--json-status-fd --clearenv --perms --size --seccomp --unshare-cgroup-try"
    broken = f'#!/bin/sh\n[ "$1" = --help ] && echo {options} && exit\necho bwrap: setting up uid map: no >&2; exit 1\n'
    with tempfile.TemporaryDirectory() as public:
        Path(public).chmod(0o755)
        env = {"PATH": _path_without(Path(public), "", bwrap=broken)}
        assert "forbids user namespaces" in shell.refused("run", "-m", "x", "--repo", service, env=env)
    assert not (shell.home / "cache").exists()


def test_a_git_that_is_too_old_or_missing_is_named(shell: Shell, service: Path, tmp_path: Path) -> None:
    env = {"PATH": _path_without(tmp_path, "", git="#!/bin/sh\necho git version 2.20.1\n")}
    said = shell.refused("run", "-m", "x", "--repo", service, env=env)
    assert "2.20.1" in said
    (tmp_path / "tools" / "git").unlink()
    assert "git is not installed" in shell.refused("run", "-m", "x", "--repo", service, env=env)


def test_a_state_directory_that_cannot_be_written_is_named(shell: Shell, service: Path) -> None:
    (shell.home / "file").write_text("")
    said = shell.refused("run", "-m", "x", "--repo", service, env={"GREYLAG_STATE": str(shell.home / "file")})
    assert "GREYLAG_STATE" in said


@pytest.mark.parametrize(
    "verb",
    [
        ["verify", "/nowhere"],
        ["show", "2030"],
        ["show", "--log", "x"],
        ["show", "--limit", "0"],
        ["run"],
        ["vefiry"],
        ["verify", "--form", "x"],
        ["judge", "--prompt", "/nowhere.md"],
    ],
)
def test_what_is_not_there_is_one_line(shell: Shell, verb: list[str]) -> None:
    shell.refused(*verb)


def test_init_writes_what_run_understands_and_never_over_it(shell: Shell, service: Path) -> None:
    (shell.home / "greylag.toml").unlink()
    given = ["--agent", "command", "--judge-model", "off", "--forge", "local"]
    assert "give --command" in shell.refused("init", *given)
    given += ["--command", "echo 'größer' > y"]
    assert shell("init", *given).returncode == 0
    assert 'name = "command"' in (shell.home / "greylag.toml").read_text()
    assert "is there already" in shell.refused("init", *given)
    assert shell("run", "-m", "x", "--repo", service).returncode == 0


def test_init_where_nothing_can_be_written_names_the_flag(shell: Shell) -> None:
    given = ("--agent", "command", "--command", "x", "--judge-model", "off", "--forge", "local")
    assert "--config" in shell.refused("init", *given, "--config", "/proc/nowhere/greylag.toml")


def test_init_without_a_terminal_names_the_flag(shell: Shell) -> None:
    (shell.home / "greylag.toml").unlink()
    assert "--agent" in shell.refused("init")


def _checks(done: Ended) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["state"], check["text"]) for check in json.loads(done.stdout)}


@pytest.mark.parametrize("verb", [("run", "-m", "x", "--repo", "/"), ("verify", "/"), ("init", "--agent", "command")])
def test_a_home_that_may_not_be_entered_is_told(tmp_path: Path, verb: tuple[str, ...]) -> None:
    """As `su` without `-` leaves it."""
    home = tmp_path / "closed"
    home.mkdir(mode=0)
    become = "import os, sys\nif os.getuid() == 0: os.setresuid(65534, 65534, 65534)\n"
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def python(code: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", become + code]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    if python("import greylag.assembly").returncode:
        pytest.skip("UNPROVEN HERE: only this user can read the program")
    done = python(f"sys.argv = {['greylag', *verb]!r}\nfrom greylag.__main__ import main; main()")
    assert "Traceback" not in done.stderr
    assert done.returncode == 2, done.stderr


def test_doctor_before_init_is_content_and_says_what_is_still_to_be_chosen(shell: Shell) -> None:
    (shell.home / "greylag.toml").write_text("")
    checks = _checks(shell("doctor", "--json"))
    assert (checks["agent"][0], checks["judge"][0], checks["sandbox network"][0]) == ("unset", "unset", "ok")
    done = shell("doctor")
    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]
    assert "agent, judge" in last
    assert "init`" in last
    assert "greylag verify" in last


def test_doctor_tells_what_was_chosen(shell: Shell) -> None:
    done = shell("doctor", "--json")
    assert (done.returncode, _checks(done)["judge"], _checks(done)["agent"]) == (0, ("ok", "off"), ("ok", "command"))
    assert shell("doctor").stdout.splitlines()[-1] == "Nothing is missing: greylag can run here."
    recording = shell.home / "recording.json"
    recording.write_text('{"conversations": []}')
    model = f'model = "replay:{recording}"\n'
    (shell.home / "greylag.toml").write_text(f'[agent]\nname = "builtin"\n{model}[judge]\n{model}')
    checks = _checks(shell("doctor", "--json"))
    assert checks["agent"] == ("ok", f"builtin, replay:{recording}")
    assert checks["judge"] == ("ok", f"judge, replay:{recording}")


def test_doctor_ends_with_2_for_what_was_chosen_and_cannot_work_and_names_it_last(shell: Shell) -> None:
    (shell.home / "greylag.toml").write_text(
        '[agent]\nname = "builtin"\nmodel = "anthropic:m"\nkey-env = "MINE"\n[judge]\nmode = "off"\n'
    )
    done = shell("doctor")
    assert done.returncode == 2
    assert re.search(r"^failed +agent .*MINE", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "To be mended (see `failed` above): agent."
    (shell.home / "greylag.toml").write_text(SETTINGS + '[forge]\nname = "github"\n')
    done = shell("doctor", "--json")
    assert (done.returncode, _checks(done)["forge"][0]) == (2, "failed")
    assert "token-env" in _checks(done)["forge"][1]


# -- the end -----------------------------------------------------------------------------------------------------------


def _processes(marker: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if marker in line and "pytest" not in line:
                found.append(line)
    return found


def _wait(condition: str, check: object, seconds: float = 30) -> None:
    assert callable(check)
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not seen within {seconds} seconds: {condition}"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_nothing_is_left_running(shell: Shell, service: Path, number: int) -> None:
    marker = f"987{number:02}{os.getpid()}"
    command = [
        sys.executable,
        "-m",
        "greylag",
        "run",
        "-m",
        "x",
        "--repo",
        str(service),
        "--command",
        f"sleep {marker}",
    ]
    with subprocess.Popen(
        command, env=shell.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _wait("the agent", lambda: any(line.startswith("sleep") for line in _processes(f"sleep {marker}")))
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    _wait("the end of the agent", lambda: not _processes(f"sleep {marker}"))
    _wait("the end of sandboxes", lambda: not _processes(str(shell.home)))
    assert git(service, "branch", "--format=%(refname:short)") == "main"
    assert not list((shell.home / "state" / "pulls").rglob("*.json"))
    assert str(shell.home) not in Path("/proc/self/mountinfo").read_text()
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert "Kept:" in errors
        assert "cancelled" in shell("show").stdout
        assert not list((shell.home / "state").rglob("tree"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_very_end_does_not_deny_what_was_said(shell: Shell, number: int) -> None:
    late = (
        f"import atexit, os, sys; atexit.register(os.kill, os.getpid(), {number:d}); sys.argv = ['greylag', 'show']\n"
    )
    command = [sys.executable, "-c", late + "from greylag.__main__ import main; main()"]
    done = subprocess.run(command, env=shell.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("flags", [(), ("--unsafe-no-sandbox",)])
def test_what_a_killed_verify_leaves_is_removed_by_the_next_and_a_living_one_keeps_its_own(
    shell: Shell, service: Path, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    (shell.home / "tmp").mkdir()
    (shell.home / "tmp").chmod(0o777)
    env = shell.environment({"TMPDIR": str(shell.home / "tmp")})
    kinds = {"verify-", "greylag-"} if flags else {"verify-"}  # without a sandbox, its own directory as well

    def left() -> list[Path]:
        return sorted([*(shell.home / "tmp").glob("*"), *(shell.home / "cache/work").glob("*")])

    def verifying(number: int) -> "subprocess.Popen[bytes]":
        marker = f"sleep {number}{os.getpid()}"
        slow = make_service(tmp_path / f"slow{number}", {"tests/name.sh": f"{marker}\n"})
        command = [sys.executable, "-m", "greylag", "verify", str(slow), *flags]
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _wait("the test", lambda: any(line.startswith(marker) for line in _processes(marker)))
        return process

    living = verifying(986)
    its = left()
    try:
        dead = verifying(985)
        dead.kill()
        dead.wait()
        _wait("the end of its test", lambda: not _processes(f"sleep 985{os.getpid()}"))
        assert len(left()) == 2 * len(its)
        assert {path.name[:-8] for path in left()} == kinds
        assert shell("verify", service, *flags, env=env).returncode == 0
        assert (left(), living.poll()) == (its, None)
    finally:
        living.terminate()
        living.wait()
    assert left() == []


def test_no_command_of_a_verification_takes_longer_than_the_person_allows(shell: Shell, service: Path) -> None:
    (shell.home / "greylag.toml").write_text("[verify]\nminutes = 0.01\n")
    (service / "tests/slow.sh").write_text("sleep 100\n")
    done = shell("verify", service)
    assert done.returncode == 1
    assert "was still running after 1 s" in done.stdout


@pytest.mark.parametrize("verb", ["doctor", "--version"])
def test_a_disk_that_fills_up_is_no_bug(shell: Shell, verb: str) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "greylag", verb]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=shell.environment(), check=False)
    assert (done.returncode, done.stderr) == (75, b"greylag: No space left on device; make room, and try again\n")


def test_a_file_is_no_repository(shell: Shell) -> None:
    assert "is a file" in shell.refused("run", "-m", "x", "--repo", shell.home / "greylag.toml")


@pytest.mark.parametrize("verb", ["run", "verify"])
def test_a_full_disk_is_told_before_anything_starts(shell: Shell, service: Path, verb: str) -> None:
    cache = shell.home / "cache"
    cache.mkdir()
    arguments = ("run", "-m", "Add a greeting", "--repo", str(service)) if verb == "run" else ("verify", str(service))
    small = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=1m none "$0" && exec "$@"', str(cache))
    done = subprocess.run(
        [*small, sys.executable, "-m", "greylag", *arguments], capture_output=True, text=True, env=shell.environment(),
        check=False,
    )  # fmt: skip
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "cache has only 0.00 GiB free" in done.stderr
    assert "GREYLAG_CACHE" in done.stderr
