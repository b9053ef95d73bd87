"""The forge of repositories on this machine."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pytest

from greylag import plugins
from greylag.errors import InfraError, UserError
from greylag.forges.local import LocalForge
from greylag.model import PullRequest
from greylag.testing.forge import Author, ForgeContract, author_of
from greylag.testing.repos import git, make_bare, make_repo


@dataclass
class LocalPlace:
    forge: LocalForge
    repo: str

    def head(self, branch: str) -> str | None:
        return git(Path(self.repo), "rev-parse", "-q", "--verify", f"refs/heads/{branch}", check=False) or None

    def pulls(self) -> list[PullRequest]:
        return list(self.forge.pulls(self.repo))

    def close(self, number: int) -> None:
        (file,) = self.forge.state.glob(f"*/{number}.json")
        file.write_text(json.dumps(json.loads(file.read_text()) | {"state": "closed"}))


@pytest.fixture
def place(tmp_path: Path, state: Path) -> LocalPlace:
    return LocalPlace(LocalForge(state), str(make_bare(tmp_path / "service", {"a.txt": "1\n"})))


class TestContract(ForgeContract):
    pass


def test_a_work_tree_and_its_checked_out_branch_are_left_alone(tmp_path: Path, state: Path) -> None:
    work = make_repo(tmp_path / "work", {"a.txt": "1\n"})
    place = LocalPlace(LocalForge(state), str(work))
    git(work, "config", "receive.denyCurrentBranch", "updateInstead")
    (author,) = [*islice(author_of(place, tmp_path), 1)]
    made = author.commit("one")
    place.forge.publish(made, author.request(made))
    git(work, "checkout", "-q", "greylag/change-1")
    again = author.commit("two")
    with pytest.raises(UserError, match="has that branch checked out"):
        place.forge.publish(again, author.request(again))
    assert place.head("greylag/change-1") == made.commit
    assert (work / "change.txt").read_text() == "one"


def test_a_push_that_was_cut_off_is_carried_on(
    place: LocalPlace, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = author.commit("one")

    @dataclass
    class Broken:
        commit: str
        committer: str

        def push(self, url: str, branch: str, *, expect: str | None, token: str | None = None) -> None:
            made.push(url, branch, expect=expect)
            raise InfraError("the answer was lost")

    with pytest.raises(InfraError):
        place.forge.publish(Broken(made.commit, made.committer), author.request(made))
    assert place.pulls() == []
    again = author.commit("two")
    opened = place.forge.publish(again, author.request(again))
    assert (opened.number, opened.updated) == (1, False)
    assert place.head("greylag/change-1") == again.commit


def test_an_update_that_was_cut_off_does_not_hide_the_pull_request_that_is_there(
    place: LocalPlace, author: Author
) -> None:
    opened = place.forge.publish(made := author.commit("one"), author.request(made))

    class KilledError(Exception):
        pass

    class Broken:
        commit, committer = "2" * 40, "x"

        def push(self, url: str, branch: str, *, expect: str | None, token: str | None = None) -> None:
            raise KilledError

    with pytest.raises(KilledError):
        place.forge.publish(Broken(), author.request(made, title="Better"))
    assert place.pulls() == [opened]
    again = author.commit("two")
    assert place.forge.publish(again, author.request(again, title="Better")).number == opened.number
    assert [pull.title for pull in place.pulls()] == ["Better"]


def test_a_draft_is_found_again(place: LocalPlace, author: Author) -> None:
    made = author.commit("one")
    request = replace(author.request(made), state="draft")
    assert place.forge.publish(made, request) == place.forge.publish(made, request)


def test_hooks_of_the_repository_do_not_run(place: LocalPlace, author: Author, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    mark = tmp_path / "hook-ran"
    for name in ("pre-receive", "update", "post-receive", "reference-transaction", "post-update"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch '{mark}'\n")
        (hooks / name).chmod(0o755)
    git(Path(place.repo), "config", "core.hooksPath", str(hooks))
    git(Path(place.repo), "update-ref", "refs/heads/probe", "HEAD")
    assert mark.exists(), "positive control: git runs these hooks"
    mark.unlink()
    made = author.commit("one")
    place.forge.publish(made, author.request(made))
    assert not mark.exists()


def test_many_at_once_get_numbers_of_their_own(place: LocalPlace, author: Author) -> None:
    made = [author.commit(f"{n}", f"greylag/change-{n}") for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        requests = [author.request(commit, branch=f"greylag/change-{n}") for n, commit in enumerate(made)]
        opened = list(pool.map(place.forge.publish, made, requests))
    assert sorted(pull.number for pull in opened) == [1, 2, 3, 4]
    assert len(place.forge.pulls()) == 4


def test_a_url_elsewhere_is_refused(state: Path) -> None:
    forge = plugins.load("forges", "local", {"state": str(state)})
    with pytest.raises(UserError, match="another forge"):
        forge.clone_url("https://example.org/a/b")
    with pytest.raises(UserError, match="no repository at"):
        forge.clone_url(str(state / "missing"))


@pytest.fixture
def author(place: LocalPlace, tmp_path: Path) -> Iterator[Author]:
    yield from author_of(place, tmp_path)
