"""The GitHub forge, against real git behind a server whose every exchange is held to GitHub's own description."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greylag import plugins
from greylag.errors import InfraError, UserError
from greylag.forges.github import GitHub
from greylag.model import PullRequest
from greylag.testing.forge import Author, ForgeContract, author_of
from greylag.testing.github import TOKEN, Exchange, FakeGitHub, Fault, description, serve

if TYPE_CHECKING:
    from openapi_core import OpenAPI


@cache
def openapi() -> "OpenAPI":
    from openapi_core import OpenAPI  # a second to import, for the workers that run no test of this file, too

    return OpenAPI.from_dict(description())


def conforms(exchange: Exchange) -> None:
    """Raise unless request and answer are as GitHub describes them; not every error is described."""
    from openapi_core.exceptions import OpenAPIError
    from openapi_core.testing import MockRequest, MockResponse

    args = {name: values[0] for name, values in exchange.query.items()}
    request = MockRequest(
        "https://api.github.com", exchange.method.lower(), exchange.path, args=args,
        data=exchange.body.encode() or None, content_type="application/json",
    )  # fmt: skip
    try:
        openapi().validate_request(request)
        if exchange.status < 300 or exchange.status == 422 or (exchange.status == 404 and "/git/ref/" in exchange.path):
            answer = MockResponse(exchange.answer.encode(), exchange.status, content_type="application/json")
            openapi().validate_response(request, answer)
    except OpenAPIError as error:
        why = [str(each) for each in getattr(error.__cause__, "schema_errors", ())] or [str(error)]
        raise AssertionError(f"{exchange.method} {exchange.path} {exchange.status}: {why[0][-300:]}") from None


@dataclass
class GitHubPlace:
    forge: GitHub
    repo: str
    fake: FakeGitHub

    def head(self, branch: str) -> str | None:
        return self.fake.head(self.repo, branch)

    def pulls(self) -> list[PullRequest]:
        return [
            PullRequest(
                "github", self.repo, p["number"], p["html_url"], p["head"]["ref"], p["base"]["ref"], p["head"]["sha"],
                p["title"], p["body"], p["state"], tuple(label["name"] for label in p["labels"]),
            )
            for p in self.fake.pulls.get(self.repo, [])
        ]  # fmt: skip

    def close(self, number: int) -> None:
        self.fake.close_pull(self.repo, number)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubPlace]:
    monkeypatch.setenv("SOME_TOKEN", TOKEN)
    with serve(tmp_path / "server") as fake:
        fake.add("octo/service", {"a.txt": "1\n"})
        forge = plugins.load("forges", "github", {"url": fake.api, "token-env": "SOME_TOKEN"})
        yield GitHubPlace(forge, "octo/service", fake)
        for exchange in fake.exchanges:
            conforms(exchange)


@pytest.fixture
def author(place: GitHubPlace, tmp_path: Path) -> Iterator[Author]:
    yield from author_of(place, tmp_path)


@pytest.fixture
def slept(place: GitHubPlace) -> list[float]:
    """Waiting that would have been done."""
    waits: list[float] = []
    place.forge.api = replace(place.forge.api, sleep=waits.append)
    return waits


class TestContract(ForgeContract):
    pass


def test_the_description_refuses_what_github_would(place: GitHubPlace) -> None:
    good = Exchange("POST", "/repos/a/b/pulls", {}, json.dumps({"head": "x", "base": "main", "title": "t"}), 500, "{}")
    conforms(good)
    for bad in (
        replace(good, body=json.dumps({"head": "x", "title": "t"})),
        replace(good, path="/repos/a/b/pulsl"),
        replace(good, method="GET", body="", query={"state": ["weird"]}),
        replace(good, status=201, answer="{}"),
    ):
        with pytest.raises(AssertionError):
            conforms(bad)


def test_an_answer_lost_after_creation_makes_no_second_pull_request(place: GitHubPlace, author: Author) -> None:
    place.fake.faults.append(Fault("POST", "/pulls$", 502, "Bad Gateway", after=True))
    made = author.commit("one")
    opened = place.forge.publish(made, author.request(made))
    assert (opened.number, opened.updated) == (1, False)
    assert [pull.labels for pull in place.pulls()] == [("greylag",)]


def test_an_outage_is_infrastructure_and_a_repetition_carries_on(place: GitHubPlace, author: Author) -> None:
    made = author.commit("one")
    place.fake.faults.append(Fault("POST", "/pulls$", 502))
    with pytest.raises(InfraError, match="502"):
        place.forge.publish(made, author.request(made))
    assert place.head("greylag/change-1") == made.commit
    assert place.forge.publish(made, author.request(made)).number == 1


@pytest.mark.parametrize("lost", [False, True])
def test_wherever_publishing_is_cut_off_a_repetition_finishes_it(
    place: GitHubPlace, author: Author, *, lost: bool
) -> None:
    """Once to open the pull request and once to update it, each cut off at each request that changes something."""
    for text in ("one", "two"):
        made, known = author.commit(text), len(place.fake.exchanges)
        place.forge.publish(made, author.request(made))
        steps = {
            (each.method, each.path)
            for each in place.fake.exchanges[known:]
            if each.method != "GET" and "git-" not in each.path
        }
        for number, (method, path) in enumerate(sorted(steps)):
            branch = f"greylag/{text}-{number}"
            if text == "two":
                first = author.commit("first", branch)
                place.forge.publish(first, author.request(first, branch=branch, title="first"))
            made = author.commit(text, branch)
            request = author.request(made, branch=branch, title=text)
            place.fake.faults.append(
                Fault(method, re.sub(r"\d+", r"\\d+", path.partition("/ref/")[0]), 502, after=lost)
            )
            with contextlib.suppress(InfraError):
                place.forge.publish(made, request)
            assert place.fake.faults == [], "it was cut off"
            pulls = [pull for pull in place.pulls() if pull.branch == branch]
            assert all(pull.title == "first" or pull.head == made.commit for pull in pulls)
            opened = place.forge.publish(made, request)
            (pull,) = [pull for pull in place.pulls() if pull.branch == branch]
            assert (pull.number, pull.title, pull.labels) == (opened.number, text, ("greylag",))
            assert place.head(branch) == made.commit


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (Fault("POST", "/pulls$", 403, "You have exceeded a secondary rate limit", {"Retry-After": "7"}), 7.0),
        (Fault("POST", "/pulls$", 403, "You have exceeded a secondary rate limit"), 60.0),
        (Fault("POST", "/pulls$", 429, "slow down"), 60.0),
    ],
)
def test_rate_limits_are_waited_for(
    place: GitHubPlace, author: Author, slept: list[float], fault: Fault, wait: float
) -> None:
    place.fake.faults.append(fault)
    made = author.commit("one")
    place.forge.publish(made, author.request(made))
    assert slept == [wait]
    assert len(place.pulls()) == 1


def test_waiting_has_an_end(place: GitHubPlace, author: Author, slept: list[float]) -> None:
    place.fake.faults += [Fault("GET", "/pulls$", 403, "secondary rate limit", {"Retry-After": "200"})] * 4
    made = author.commit("one")
    with pytest.raises(InfraError, match="wait 200 s"):
        place.forge.publish(made, author.request(made))
    assert slept == [200.0]


def test_a_primary_limit_far_away_is_not_waited_for(place: GitHubPlace, author: Author, slept: list[float]) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}
    place.fake.faults.append(Fault("GET", "/pulls$", 403, "API rate limit exceeded", headers))
    made = author.commit("one")
    with pytest.raises(InfraError, match="limits the rate"):
        place.forge.publish(made, author.request(made))
    assert slept == []


def test_the_token_is_in_no_error_url_or_config(
    place: GitHubPlace, author: Author, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = author.commit("one")
    place.forge.publish(made, author.request(made))
    assert TOKEN not in place.forge.clone_url(place.repo)[0]
    assert subprocess.run(["grep", "-r", TOKEN, tmp_path / "author"], capture_output=True, check=False).returncode == 1
    monkeypatch.setenv("SOME_TOKEN", "wrong-but-secret")
    again = author.request(made)
    with pytest.raises(UserError, match="401") as caught:
        place.forge.publish(made, again)
    assert "wrong-but-secret" not in str(caught.value)
    with pytest.raises(UserError, match="refuses access") as refused:
        made.push(place.forge.clone_url(place.repo)[0], "x", expect=None, token="wrong-but-secret")
    assert "wrong-but-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "token-env"),
        ({"token_env": "A", "token_file": "b"}, "token-env"),
        ({"token_env": "UNSET_VARIABLE"}, "UNSET_VARIABLE holds no GitHub token"),
        ({"token_file": "/nonexistent/token"}, "cannot be read"),
        ({"token_env": "A", "url": "http://github.example.org/api/v3"}, "https"),
        ({"token-evn": "A"}, "token"),
    ],
)
def test_the_token_is_named_and_never_guessed(
    settings: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.setenv(name, TOKEN)
    with pytest.raises(UserError, match=said):
        plugins.load("forges", "github", settings).clone_url("a/b")


def test_a_token_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    assert GitHub(token_file=tmp_path / "token").clone_url("a/b") == ("https://github.com/a/b.git", "abc")


@pytest.mark.parametrize(
    "repo",
    [
        "a/b",
        "https://github.com/a/b",
        "https://github.com/a/b.git",
        "git@github.com:a/b.git",
        "ssh://git@github.com/a/b",
    ],
)
def test_names_of_a_repository(repo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "t")
    assert GitHub(token_env="T").clone_url(repo)[0] == "https://github.com/a/b.git"


@pytest.mark.parametrize(
    "repo", ["b", "https://gitlab.com/a/b", "/srv/a/b", "a/b/../c", "a/b?x", "https://github.com.evil.org/a/b"]
)
def test_no_names_of_a_repository(repo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "t")
    with pytest.raises(UserError, match="OWNER/NAME"):
        GitHub(token_env="T").clone_url(repo)


def test_a_missing_repository_is_the_users_error(place: GitHubPlace, author: Author) -> None:
    made = author.commit("one")
    with pytest.raises(UserError, match=r"404.*may not see it"):
        place.forge.publish(made, replace(author.request(made), repo="octo/gone"))


def test_drafts(place: GitHubPlace, author: Author) -> None:
    place.forge.draft = True
    made = author.commit("one")
    place.forge.publish(made, author.request(made))
    assert place.fake.pulls[place.repo][0]["draft"] is True
    place.fake.drafts = False
    other = author.commit("two", "greylag/change-2")
    with pytest.raises(UserError, match="switch `draft` off"):
        place.forge.publish(other, author.request(other, branch="greylag/change-2"))


def test_a_long_body_is_shortened_and_keeps_its_marker(place: GitHubPlace, author: Author) -> None:
    made = author.commit("one")
    place.forge.publish(made, replace(author.request(made), body="x" * 70_000))
    body = place.pulls()[0].body
    assert len(body) <= 65_536
    assert made.commit in body
