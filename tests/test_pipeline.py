"""From a prompt to a pull request: real git, the real sandbox, the local forge; only the agent follows a script."""

import errno
import json
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.test_formatting import Blanks

from greylag import assembly, config, evidence, plugins
from greylag.errors import AgentError, InfraError, UserError
from greylag.forges.local import LocalForge
from greylag.holding import HELD, is_held
from greylag.model import (
    Event,
    Limits,
    Outcome,
    Phase,
    Policy,
    PullRequest,
    Repo,
    Scope,
    Session,
    Status,
    StopReason,
    Strength,
    Task,
    Usage,
    Verdict,
)
from greylag.pipeline import GO_ON, LACKED, Parts, run_task
from greylag.protocols import Activation, AgentRequest, Context, Forge, Observe, Pushable, SandboxBackend, Tree
from greylag.report import Run
from greylag.store import Store
from greylag.testing.repos import git
from greylag.testing.service import make_service
from greylag.verification import Verification
from greylag.workspace import Workspace

pytestmark = pytest.mark.toolchain("bwrap")

GOOD = {"files": {"greet": "#!/bin/sh\necho Hello, ${1:-you}\n"}, "text": "Says you."}
BROKEN = {"files": {"greet": "#!/bin/sh\necho Bye, $1\n"}}


@dataclass
class Judge:
    """Says what it is told, in order."""

    answers: list[Outcome | Exception] = field(default_factory=list)
    details: Mapping[str, Any] = field(default_factory=dict)
    name: str = "judge"

    def detect(self, tree: Tree) -> Sequence[Activation]:
        return [Activation(self.name, self.name, Phase.JUDGE, ".", "every change")]

    def verify(self, activation: Activation, context: Context) -> Verdict:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        summary = "out of scope" if answer is Outcome.FAILED else ""
        return Verdict(self.name, Phase.JUDGE, answer, summary=summary, details=self.details)


@dataclass
class House:
    """One repository, and everything to carry out tasks on it."""

    state: Path
    cache: Path
    repo: Path
    judge: Judge | None = None
    events: list[Event] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def run(self, *steps: Mapping[str, Any], task: Task | None = None, **parts: Any) -> Run:
        self.agent = plugins.load("agents", "scripted", {"steps": steps})
        return self.carry_out(task or self.task(), **parts)

    def carry_out(self, task: Task, **parts: Any) -> Run:
        observe, record = parts.pop("observe", self.events.append), parts.pop("record", self.runs.append)
        made = self.parts(task, **parts)
        store = Store(self.state)
        run_id = store.new_id()
        self.home = store.home(run_id)
        return run_task(task, run_id, self.home, made, observe=observe, record=record)

    def task(self, **changes: Any) -> Task:
        return replace(Task("Greet.", Repo(str(self.repo)), "Greet everybody"), **changes)

    def parts(self, task: Task, **changes: Any) -> Parts:
        settings = config.parse('[agent]\nname = "scripted"\n[judge]\nmode = "off"\n', "test")
        directories = config.Directories(self.state, self.cache)
        made = assembly.parts(task, settings, directories, unsafe=False)
        if self.judge:
            judges = (self.judge,)
            made = replace(
                made,
                verification=lambda task, workspace, home, observe: assembly.verification(
                    workspace, settings, directories, home=home, box=made.backend, observe=observe, judges=judges
                ),
            )
        if forge := changes.pop("forge", None):
            made = replace(made, forge=forge(made.forge))
        return replace(made, agent=self.agent, **changes)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def pulls(self) -> list[PullRequest]:
        return list(LocalForge(self.state / "pulls").pulls(str(self.repo)))

    def branches(self) -> list[str]:
        return git(self.repo, "branch", "--format=%(refname:short)").split()


@pytest.fixture(scope="module")
def box() -> SandboxBackend:
    backend: SandboxBackend = plugins.load("sandboxes", "bubblewrap", {})
    return backend


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def house(tmp_path: Path, state: Path, cache: Path, box: SandboxBackend, monkeypatch: pytest.MonkeyPatch) -> House:
    """All of them look at the machine once, and know what is known of a tree that all of them begin with."""
    monkeypatch.setattr(assembly, "backend", lambda _settings, *, unsafe: box)
    return House(state, cache, make_service(tmp_path / "service"))


def formatting(house: House) -> Callable[[Task, Workspace, Path, Observe], Verification]:
    """Verification that has a formatter, too."""
    house.agent = plugins.load("agents", "scripted", {"steps": [GOOD]})
    plain = house.parts(house.task()).verification

    def made(task: Task, workspace: Workspace, home: Path, observe: Observe) -> Verification:
        verification = plain(task, workspace, home, observe)
        return replace(verification, verifiers=(*verification.verifiers, Blanks()))

    return made


def test_what_is_verified_judged_and_proposed_is_formatted(house: House) -> None:
    files = {"greet": "#!/bin/sh\necho Hello, ${1:-you}\n", "NOTES.txt": "Greets  \nyou \n"}
    unformatted = {"files": files, "verify": True, "text": "Says you."}
    run = house.run(unformatted, verification=formatting(house))
    assert run.status is Status.OPENED
    assert git(house.repo, "show", f"{run.branch}:NOTES.txt") == "Greets\nyou"
    assert git(house.repo, "rev-parse", f"{run.branch}^{{tree}}") == run.tree == run.reports[-1].tree
    assert house.kinds().count("formatted") == 1, "the work tree has it from then on"


def test_a_change_that_a_formatter_takes_back_is_none(house: House) -> None:
    (house.repo / "NOTES.txt").write_text("Greets\n")
    git(house.repo, "add", "--all")
    git(house.repo, "commit", "--quiet", "-m", "Notes")
    run = house.run({"files": {"NOTES.txt": "Greets  \n"}}, verification=formatting(house))
    assert run.status is Status.NO_CHANGE
    assert not run.artefacts


def test_a_file_that_cannot_be_read_is_not_taken_for_no_change(house: House) -> None:
    house.agent = plugins.load("agents", "command", {"run": "echo x >new; chmod 000 new"})
    store, task = Store(house.state), house.task()
    home = store.home(run_id := store.new_id())
    parts = house.parts(task)
    run = run_task(task, run_id, home, parts, observe=house.events.append, record=house.runs.append)
    assert run.status is Status.FAILED
    assert "new" in run.reports[-1].render()


def test_a_change_that_passes_becomes_a_pull_request_with_evidence(house: House) -> None:
    before = git(house.repo, "status", "--porcelain=v2", "--branch")
    run = house.run({**GOOD, "verify": True})
    assert run.status is Status.OPENED
    assert run.pull_request is not None
    assert run.branch in house.branches()
    assert git(house.repo, "rev-parse", f"{run.branch}^{{tree}}") == run.tree == run.reports[-1].tree
    assert git(house.repo, "diff", "--name-only", "main", str(run.branch)) == "greet"
    assert git(house.repo, "status", "--porcelain=v2", "--branch") == before
    assert "| `sh tests` | passed (known from the same tree): `2 tests` | 2 run | 2 run |" in run.pull_request.body
    assert "the agent's last session ended: completed" in run.pull_request.body
    assert "**Judge**: off" in run.pull_request.body
    assert run.reports[-1].strength is Strength.STRONG
    assert all(verdict.cached for verdict in run.reports[-1].verdicts if verdict.phase is Phase.TEST)
    assert "sh tests 2 tests" in house.agent.reports[0]


def test_the_report_of_a_failed_gate_is_the_next_message_and_the_repair_is_published(house: House) -> None:
    run = house.run(BROKEN, GOOD)
    assert run.status is Status.OPENED
    assert [report.passed for report in run.reports] == [False, True]
    assert "tests/hello.sh" in house.agent.prompts[1]
    assert "greet said: Bye, Ada" in house.agent.prompts[1]
    assert git(house.repo, "show", f"{run.branch}:greet") == GOOD["files"]["greet"].strip()  # type: ignore[index]
    assert git(house.repo, "log", "--format=%s", f"main..{run.branch}") == "Greet everybody"


def test_a_veto_goes_back_and_costs_an_attempt(house: House) -> None:
    house.judge = Judge([Outcome.FAILED, Outcome.PASSED])
    run = house.run(GOOD, {"files": {"greet": "#!/bin/sh\necho Hello, ${1:-all}\n"}})
    assert run.status is Status.OPENED
    assert "out of scope" in house.agent.prompts[1]


def test_after_the_last_attempt_there_is_no_pull_request_and_the_branch_is_kept(house: House, tmp_path: Path) -> None:
    run = house.run(*[BROKEN] * 5, task=house.task(policy=Policy(attempts=2)))
    assert run.status is Status.FAILED
    assert run.status.exit_code == 1
    assert len(run.sessions) == len(run.reports) == 2
    assert run.pull_request is None
    assert house.branches() == ["main"]
    assert list((house.state / "pulls").rglob("*.json")) == []
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(house.repo), str(clone))
    git(clone, "fetch", "--quiet", str(house.home / "branch.bundle"), str(run.branch))
    assert git(clone, "show", "FETCH_HEAD:greet") == str(BROKEN["files"]["greet"]).strip()
    assert "+echo Bye" in (house.home / "change.diff").read_text()
    assert "sh tests" in run.reason


class Talkative:
    """The scripted agent, which can be asked what its prompt lacked."""

    name, corrects, reflects, turns = "scripted", True, True, 50

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.asked: list[AgentRequest] = []
        self.scripted = plugins.load("agents", "scripted", {"steps": [GOOD]})

    def run(self, request: AgentRequest) -> Session:
        self.asked.append(request)
        if len(self.asked) == 1:
            done: Session = self.scripted.run(request)
            return replace(done, resume="talk", usage=Usage(1, 10, 10, usd=0.06, cost_source="prices"))
        if isinstance(self.answer, Exception):
            raise self.answer
        return Session("s", self.name, "", StopReason.COMPLETED, text=self.answer)


def test_at_the_end_the_agent_is_asked_what_its_prompt_lacked(house: House) -> None:
    house.agent = agent = Talkative("Which language to greet in.")
    task = house.task(policy=Policy(ask_back=True, limits=Limits(usd=0.10)))
    run = house.carry_out(task)
    assert run.status is Status.OPENED
    assert run.reflection is not None
    assert run.reflection.text == "Which language to greet in."
    question = agent.asked[1]
    assert (question.prompt, question.limits.turns) == (LACKED, 1)
    assert question.limits.usd == pytest.approx(0.04)
    assert question.resume is not None
    assert not question.verify().failed, "no stop gate sends it back to work"
    assert house.runs[-1].reflection == run.reflection, "it is recorded"


@pytest.mark.parametrize(
    ("policy", "answer", "asked"),
    [
        (Policy(), "x", 1),
        (Policy(ask_back=True, limits=Limits(usd=0.05)), "x", 1),
        (Policy(ask_back=True), InfraError("nobody answers"), 2),
    ],
)
def test_nothing_depends_on_that_answer(house: House, policy: Policy, answer: str | Exception, asked: int) -> None:
    house.agent = agent = Talkative(answer)
    run = house.carry_out(house.task(policy=policy))
    assert (run.status, run.reflection, len(agent.asked)) == (Status.OPENED, None, asked)


def test_the_budget_is_that_of_the_run_and_not_of_each_session(house: House) -> None:
    class Paid:
        """The scripted agent, at six cents a session."""

        name, corrects, reflects, turns = "scripted", True, False, 50
        limits: ClassVar[list[float | None]] = []

        def run(self, request: AgentRequest) -> Session:
            self.limits.append(request.limits.usd)
            done: Session = scripted.run(request)
            return replace(done, usage=Usage(1, 10, 10, usd=0.06, cost_source="prices"))

    scripted = plugins.load("agents", "scripted", {"steps": [BROKEN] * 5})
    task = house.task(policy=Policy(attempts=5, limits=Limits(usd=0.10)))
    house.agent = Paid()
    run = house.carry_out(task)
    assert run.status is Status.FAILED
    assert "the budget of the run is used up" in run.reason
    assert Paid.limits == [0.10, pytest.approx(0.04)]


def test_a_veto_of_the_last_attempt_is_called_so(house: House) -> None:
    house.judge = Judge([Outcome.FAILED])
    run = house.run(GOOD, task=house.task(policy=Policy(attempts=1)))
    assert (run.status, run.reason) == (Status.VETOED, "judge: out of scope")


def vetoes(*findings: Sequence[Mapping[str, str]]) -> Judge:
    """A judge that objects to something each time."""

    class Objecting(Judge):
        def verify(self, activation: Activation, context: Context) -> Verdict:
            self.details = {"decision": "veto", "findings": left.pop(0)}
            return super().verify(activation, context)

    left = list(findings)
    return Objecting([Outcome.FAILED] * len(left))


def greeting(word: str, more: str = "") -> Mapping[str, Any]:
    return {"files": {"greet": f"#!/bin/sh\necho Hello, ${{1:-{word}}}\n{more}"}}


OUT = {"category": "out-of-scope", "path": "greet", "quote": "echo Hello"}


@pytest.mark.parametrize(
    ("findings", "changes", "why"),
    [
        (
            [[OUT], [{"category": "tests", "path": "t", "quote": "x"}, OUT]], "ab",
            "found the same again: out of scope in greet",
        ),
        ([[OUT], [{**OUT, "quote": "other"}]], ["a", "b"], ""),
        (
            [[{"category": "incomplete", "asked": n}] for n in "123"] * 2, "abcdef",
            "still objects after 2 corrections",
        ),
        (
            [[{"category": "incomplete", "text": f"said in words {n}"}] for n in "12"], "ab",
            "found the same again: incomplete",
        ),
        (
            [[{"category": "incomplete", "text": n}] * (3 - int(n)) for n in "012"], "abc",
            "still objects after 2 corrections",
        ),
    ],
)  # fmt: skip
def test_corrections_end_when_they_lead_nowhere(
    house: House, findings: Sequence[Sequence[Mapping[str, str]]], changes: Sequence[str], why: str
) -> None:
    house.judge = vetoes(*findings)
    run = house.run(*map(greeting, changes), task=house.task(policy=Policy(attempts=len(changes))))
    assert run.status is Status.VETOED
    assert why in run.reason
    assert len(run.sessions) == (3 if "2 corrections" in why else 2)


def test_a_change_that_grows_where_it_was_to_shrink_is_not_corrected_again(house: House) -> None:
    house.judge = vetoes([OUT], [{**OUT, "quote": "other"}])
    run = house.run(greeting("a"), greeting("b", "# more\n"), greeting("c"))
    assert (run.status, len(run.sessions)) == (Status.VETOED, 2)
    assert "the change grew from" in run.reason


def test_a_judge_that_abstains_asks_for_a_person_and_not_for_another_attempt(house: House) -> None:
    house.judge = Judge([Outcome.FAILED], details={"decision": "abstain"})
    run = house.run(GOOD, GOOD)
    assert (run.status, len(run.sessions)) == (Status.VETOED, 1)


def test_nothing_to_change_is_a_success_without_a_pull_request(house: House) -> None:
    run = house.run({"text": "It greets already."})
    assert (run.status, run.reason, run.status.exit_code) == (Status.NO_CHANGE, "It greets already.", 0)
    assert run.reports == ()


def test_an_agent_that_says_nothing_has_not_said_that_there_is_nothing_to_do(house: House) -> None:
    run = house.run({"text": " \n"})
    assert (run.status, run.status.exit_code) == (Status.FAILED, 1)
    assert run.reason == "the agent ended without a change, and without a word of why"


def test_a_task_that_the_agent_explains_it_cannot_do_is_declined(house: House) -> None:
    run = house.run({"decline": "there is no greeting here"})
    assert (run.status, run.reason) == (Status.DECLINED, "there is no greeting here")


def test_a_change_that_its_agent_gave_up_is_kept_and_never_published(house: House) -> None:
    run = house.run({**GOOD, "decline": "cannot be done"})
    assert run.status is Status.DECLINED
    assert house.branches() == ["main"]
    assert "${1:-you}" in (house.home / "change.diff").read_text()


@pytest.mark.parametrize("stop", ["llm error", "killed"])
@pytest.mark.parametrize("change", [GOOD, {}])
def test_an_agent_that_breaks_off_has_failed_and_nobody_else_has(
    house: House, change: Mapping[str, Any], stop: str
) -> None:
    with pytest.raises(AgentError) as raised:
        house.run({**change, "text": "Unsupported parameter:\n'x'\x1b[2J", "stop": stop})
    assert raised.value.exit_code == 4
    assert str(raised.value) == f"the agent scripted broke off ({stop}): Unsupported parameter: 'x'"
    run = house.runs[-1]
    assert (run.status, run.reason) == (Status.ERRORED, str(raised.value))
    assert house.branches() == ["main"]
    assert (house.home / "change.diff").exists() is bool(change)
    assert run.artefacts == (("branch.bundle", "change.diff") if change else ())


def test_an_agent_whose_turns_are_used_up_goes_on_in_another_session(house: House) -> None:
    run = house.run({"stop": "turn limit"}, {**BROKEN, "stop": "turn limit"}, {**GOOD, "text": "Done."})
    assert (run.status, len(run.sessions), len(run.reports)) == (Status.OPENED, 3, 1)
    assert house.agent.prompts[1:] == [GO_ON, GO_ON]


def test_the_last_session_may_pass_without_an_end_and_is_refused_like_any_other(house: House) -> None:
    cut = [{**change, "stop": "turn limit"} for change in (BROKEN, BROKEN, GOOD)]
    assert house.run(*cut).status is Status.OPENED
    again = house.run(*[{**BROKEN, "stop": "turn limit"}] * 4, task=house.task(title="Again", prompt="Again."))
    assert (again.status, len(again.sessions), len(again.reports)) == (Status.FAILED, 3, 1)
    nothing = house.run(*[{"stop": "turn limit"}] * 3, task=house.task(title="Nothing", prompt="Nothing."))
    assert (nothing.status, nothing.reason) == (Status.FAILED, "the agent ended without a change: turn limit")


def test_what_verified_nothing_is_unverified_and_says_so(house: House, tmp_path: Path) -> None:
    house.repo = make_service(tmp_path / "bare", {".greylag.toml": None, "run-tests": None})
    run = house.run(GOOD, GOOD)
    assert run.status is Status.UNVERIFIED
    assert len(run.sessions) == 1, "no agent can mend that"
    assert "no tests, no linter, no build found" in run.reason


def test_a_change_cannot_take_its_own_verifier_away(house: House) -> None:
    run = house.run({"files": {".greylag.toml": "off = ['command']\n", "greet": "#!/bin/sh\nexit 1\n"}})
    assert run.status is Status.FAILED
    assert any(verdict.verifier == "sh tests" for verdict in run.reports[-1].failed)


def test_fewer_tests_than_before_are_a_failure_unless_the_prompt_allows_it(house: House) -> None:
    fewer = {"delete": ["tests/name.sh"], **GOOD}
    run = house.run(fewer)
    assert run.status is Status.FAILED
    assert "2 tests ran before the change and 1 now" in run.reports[-1].render()
    allowed = house.task(prompt="Drop a test.", policy=Policy(scope=Scope(allow=("tests",))))
    assert house.run(fewer, task=allowed).status is Status.OPENED


def test_tests_that_failed_before_do_not_block_and_are_said_in_words(house: House, tmp_path: Path) -> None:
    house.repo = make_service(tmp_path / "red", {"tests/red.sh": "echo always red; exit 1\n"})
    run = house.run(GOOD)
    assert run.status is Status.OPENED
    assert run.pull_request is not None
    assert "1 test failed before this change" in run.pull_request.body
    assert "failed before" in run.reports[-1].render()


def test_infrastructure_that_fails_ends_the_run_and_is_never_shown_to_the_agent(house: House) -> None:
    house.judge = Judge([InfraError("the model is down"), InfraError("the model is down")])
    with pytest.raises(InfraError, match="the model is down"):
        house.run(GOOD, GOOD)
    assert len(house.agent.prompts) == 1
    assert house.runs[-1].status is Status.ERRORED
    assert "${1:-you}" in (house.home / "change.diff").read_text()
    assert house.branches() == ["main"]


def test_an_agent_that_crashes_ends_the_run_and_the_record_says_why(house: House) -> None:
    with pytest.raises(AgentError, match="it broke"):
        house.run({"fail": "it broke"})
    assert (house.runs[-1].status, house.runs[-1].finished is not None) == (Status.ERRORED, True)
    assert "it broke" in house.runs[-1].reason


def test_what_an_agent_had_changed_before_its_model_was_lost_is_kept(house: House) -> None:
    with pytest.raises(AgentError, match="it broke"):
        house.run({**GOOD, "fail": "it broke"})
    assert "${1:-you}" in (house.home / "change.diff").read_text()
    assert house.runs[-1].artefacts == ("branch.bundle", "change.diff")
    assert house.branches() == ["main"]


def test_that_a_session_was_cut_off_is_said_and_its_change_is_verified(house: House) -> None:
    run = house.run({**GOOD, "stop": "time limit"})
    assert run.status is Status.OPENED
    said = [event.text for event in house.events if event.kind == "ended.early"]
    assert said == ["time limit: the agent did not end by itself; what it has changed so far is verified as it is"]


def test_secrets_that_an_agent_says_are_in_no_record(house: House) -> None:
    secret = "ghp_" + "A1" * 18
    run = house.run({"text": f"The token is {secret}."})
    assert run.reason == "The token is [secret]."
    assert secret not in repr(house.events) + repr(house.runs)


def test_an_interrupt_is_recorded_and_leaves_nothing_behind(house: House) -> None:
    def interrupted(_event: Event) -> None:
        if _event.kind == "gate":
            raise KeyboardInterrupt

    agent = plugins.load("agents", "scripted", {"steps": [GOOD]})
    house.agent = agent
    task = house.task()
    store = Store(house.state)
    run_id = store.new_id()
    with pytest.raises(KeyboardInterrupt):
        run_task(task, run_id, store.home(run_id), house.parts(task), observe=interrupted, record=house.runs.append)
    assert house.runs[-1].status is Status.CANCELLED
    assert house.branches() == ["main"]
    assert not (store.home(run_id) / "tree").exists()


@pytest.mark.parametrize("status", [Status.OPENED, Status.UPDATED])
def test_an_interrupt_after_the_pull_request_does_not_deny_it(house: House, status: Status) -> None:
    def interrupted(event: Event) -> None:
        if event.kind == "end":
            raise KeyboardInterrupt

    if status is Status.UPDATED:
        house.run(GOOD)
    house.agent = plugins.load("agents", "scripted", {"steps": [GOOD]})
    task, store = house.task(), Store(house.state)
    run_id = store.new_id()
    with pytest.raises(KeyboardInterrupt):
        run_task(task, run_id, store.home(run_id), house.parts(task), observe=interrupted, record=house.runs.append)
    assert house.runs[-1].status is status
    assert house.runs[-1].branch in house.branches()


class Interrupting:
    """A forge during whose work somebody presses Ctrl-C, right after the push."""

    def __init__(self, forge: Forge, times: int = 1) -> None:
        self.name, self.clone_url, self._forge, self._times = forge.name, forge.clone_url, forge, times

    def publish(self, commit: Pushable, request: PullRequest) -> PullRequest:
        return self._forge.publish(Pushing(commit, self._interrupt), request)

    def _interrupt(self) -> None:
        for _ in range(self._times):
            signal.raise_signal(signal.SIGINT)


@dataclass
class Pushing:
    """A commit with something that happens right after its push."""

    made: Pushable
    then: Callable[[], object]

    def __post_init__(self) -> None:
        self.commit, self.committer = self.made.commit, self.made.committer

    def push(self, url: str, branch: str, *, expect: str | None, token: str | None = None) -> None:
        self.made.push(url, branch, expect=expect, token=token)
        self.then()


@dataclass
class Failing:
    """A forge that answers no more after the push."""

    forge: Forge
    name: str = "failing"

    def clone_url(self, repo: str) -> tuple[str, str | None]:
        return self.forge.clone_url(repo)

    def publish(self, commit: Pushable, request: PullRequest) -> PullRequest:
        url, token = self.clone_url(request.repo)
        commit.push(url, request.branch, expect=None, token=token)
        raise InfraError("the forge does not answer")


def test_an_interrupt_waits_until_the_pull_request_is_open(house: House) -> None:
    with pytest.raises(KeyboardInterrupt):
        house.run(GOOD, forge=Interrupting)
    run = house.runs[-1]
    assert run.status is Status.OPENED
    assert run.pull_request is not None
    assert house.pulls() == [run.pull_request]
    assert house.events[-1].text == f"opened: pull request {run.pull_request.url}"
    assert sorted(path.name for path in house.home.iterdir()) == ["logs", "transcript.jsonl"]
    with pytest.raises(KeyboardInterrupt):
        house.run(GOOD, forge=Interrupting)
    assert (house.runs[-1].status, house.pulls()) == (Status.UPDATED, [house.runs[-1].pull_request])


def test_a_second_interrupt_leaves_at_once_says_what_may_be_there_and_the_next_run_finishes_it(house: House) -> None:
    with pytest.raises(KeyboardInterrupt):
        house.run(GOOD, forge=lambda forge: Interrupting(forge, times=2))
    run = house.runs[-1]
    assert run.status is Status.CANCELLED
    assert f"branch `{run.branch}` may have been pushed to {house.repo}" in run.reason
    assert run.reason in house.events[-1].text
    assert "${1:-you}" in (house.home / "change.diff").read_text()
    assert house.pulls() == []
    assert house.run(GOOD).status is Status.OPENED
    assert len(house.pulls()) == 1


def test_a_forge_that_fails_after_the_push_leaves_a_record_of_it(house: House) -> None:
    with pytest.raises(InfraError):
        house.run(GOOD, forge=Failing)
    run = house.runs[-1]
    assert run.status is Status.ERRORED
    assert run.reason.startswith("the forge does not answer; branch `greylag/greet-everybody-")
    assert "may have been pushed" in run.reason


def test_a_push_that_was_refused_is_not_said_to_have_happened(house: House) -> None:
    task = house.task(repo=Repo(str(house.repo), "main"))
    git(house.repo, "checkout", "--quiet", "--orphan", evidence.branch(task))  # no commit, but checked out
    with pytest.raises(UserError, match="checked out"):
        house.run(GOOD, task=task)
    assert "may have been pushed" not in house.runs[-1].reason


def test_a_bug_of_ours_is_recorded_too(house: House) -> None:
    def broken(task: Task, home: Path) -> Workspace:
        raise ZeroDivisionError("oops")

    with pytest.raises(ZeroDivisionError):
        house.run(GOOD, checkout=broken)
    assert house.runs[-1].status is Status.ERRORED
    assert house.runs[-1].reason == "a bug of greylag: ZeroDivisionError('oops')"


def test_a_full_disk_is_no_bug_of_ours(house: House) -> None:
    def full(task: Task, home: Path) -> Workspace:
        raise OSError(errno.ENOSPC, "No space left on device", str(home))

    with pytest.raises(InfraError, match="make room"):
        house.run(GOOD, checkout=full)
    assert house.runs[-1].reason == f"No space left on device at {house.home}; make room and run again"


def test_a_record_that_could_not_be_written_for_want_of_disk_is_written_after_the_clean_up(house: House) -> None:
    full = [True]

    def record(run: Run) -> None:
        if run.status is not Status.RUNNING and full.pop():
            full.append(False)
            assert (house.home / "tree").exists() or (house.home / "trusted").exists()
            raise InfraError("database or disk is full")
        house.runs.append(run)

    with pytest.raises(InfraError):
        house.run(GOOD, record=record)
    assert house.runs[-1].status is Status.OPENED
    assert not (house.home / HELD).exists()


def test_a_run_holds_its_directory_to_its_end(house: House) -> None:
    seen = []
    house.run(GOOD, observe=lambda event: seen.append(is_held(house.home)))
    assert seen
    assert all(seen)
    assert not is_held(house.home)


def test_the_same_task_again_updates_its_pull_request(house: House) -> None:
    first = house.run(GOOD).pull_request
    run = house.run({"files": {"greet": "#!/bin/sh\necho Hello, ${1:-all}\n"}})
    second = run.pull_request
    assert (run.status, run.status.exit_code) == (Status.UPDATED, 0)
    assert first is not None
    assert second is not None
    assert (second.number, second.branch) == (first.number, first.branch)
    assert second.head != first.head
    assert git(house.repo, "log", "--format=%s", f"main..{second.branch}") == "Greet everybody"


def test_a_branch_that_a_person_worked_on_is_left_to_them(house: House) -> None:
    first = house.run(GOOD)
    git(house.repo, "checkout", "--quiet", str(first.branch))
    git(house.repo, "commit", "--quiet", "--allow-empty", "-m", "mine")
    git(house.repo, "checkout", "--quiet", "main")
    mine = git(house.repo, "rev-parse", str(first.branch))
    with pytest.raises(Exception, match="hand"):
        house.run({"files": {"greet": "#!/bin/sh\necho Hello, ${1:-all}\n"}})
    assert git(house.repo, "rev-parse", str(first.branch)) == mine


def test_the_record_holds_the_time_line_from_checkout_to_the_end(house: House) -> None:
    run = house.run(GOOD)
    kinds = [kind for kind in house.kinds() if kind in {"checkout", "baseline", "attempt", "gate", "publish", "end"}]
    assert kinds == ["checkout", "baseline", "attempt", "gate", "publish", "end"]
    assert house.runs[-1] == run
    assert json.loads((house.home / "transcript.jsonl").read_text().splitlines()[0])
    assert any((house.home / "logs").rglob("*.log"))
    assert sorted(path.name for path in house.home.iterdir()) == ["logs", "transcript.jsonl"]


def test_the_agent_has_no_way_to_the_repository_that_was_named(house: House) -> None:
    script = f"ls -la {house.repo} >&2; git remote -v; git -C {house.repo} log; true"
    house.agent = plugins.load("agents", "command", {"run": f"({script}) > out.txt 2>&1"})
    task = house.task()
    store = Store(house.state)
    run_id = store.new_id()
    parts = house.parts(task)
    run_task(task, run_id, store.home(run_id), parts, observe=house.events.append, record=house.runs.append)
    text = git(house.repo, "show", f"{house.runs[-1].branch}:out.txt")
    assert "No such file" in text
    assert "Greet" not in text
