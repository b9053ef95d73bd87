"""The contract of forges. A test module for a forge inherits `ForgeContract` and gives it the fixture `place`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from greylag.errors import UserError
from greylag.git.remote import Commit
from greylag.model import PullRequest, Repo
from greylag.protocols import Forge
from greylag.testing.repos import commit, git
from greylag.workspace import Workspace


class Place(Protocol):
    """A forge with one repository, which has the branch `main`."""

    @property
    def forge(self) -> Forge:
        """The forge under test."""
        ...

    @property
    def repo(self) -> str:
        """What a user calls the repository."""
        ...

    def head(self, branch: str) -> str | None:
        """Commit of a branch, as the forge's own side has it."""
        ...

    def pulls(self) -> list[PullRequest]:
        """All pull requests of the repository."""
        ...

    def close(self, number: int) -> None:
        """Close a pull request, as a person does."""
        ...


class Author:
    """Makes commits of greylag's for a place, in one workspace."""

    def __init__(self, place: Place, home: Path) -> None:
        url, token = place.forge.clone_url(place.repo)
        repo, cache = Repo(place.repo), home / "cache"
        self.place, self.home = place, home
        self.work = Workspace.checkout(repo, home=home / "work", cache=cache, owner=65534, url=url, token=token)

    def commit(self, text: str, branch: str = "greylag/change-1") -> Commit:
        """A commit whose file `change.txt` holds `text`, on top of `main`."""
        (self.work.directory / "change.txt").write_text(text)
        return self.work.commit(self.work.freeze(), "Change\n\nGreylag-Task: 1\n", branch)

    def request(self, made: Commit, *, title: str = "Change", branch: str = "greylag/change-1") -> PullRequest:
        """What the pipeline asks for."""
        return PullRequest(
            forge="", repo=self.place.repo, number=0, url="", branch=branch, base="main", head=made.commit,
            title=title, body="The *evidence*.", labels=("greylag",),
        )  # fmt: skip

    def intrude(self) -> str:
        """A person pushes a commit of their own on the branch."""
        url, token = self.place.forge.clone_url(self.place.repo)
        clone = self.home / "person"
        scheme, _, rest = url.partition("://")
        git(self.home, "clone", "-q", f"{scheme}://x-access-token:{token}@{rest}" if token else url, str(clone))
        git(clone, "checkout", "-q", "greylag/change-1")
        made = commit(clone, {"person.txt": "mine"}, "By hand")
        git(clone, "push", "-q", "origin", "HEAD")
        return made


def author_of(place: Place, directory: Path) -> Iterator[Author]:
    """For a fixture `author` outside of the contract."""
    home = directory / "author"
    home.mkdir()
    author = Author(place, home)
    yield author
    author.work.close()


class ForgeContract:
    """What every forge does."""

    @pytest.fixture
    def author(self, place: Place, tmp_path: Path) -> Iterator[Author]:
        """Commits for the place under test."""
        yield from author_of(place, tmp_path)

    def test_opens_a_pull_request_for_exactly_the_commit(self, place: Place, author: Author) -> None:
        """The branch is at the commit, the record has number, url, title, text and labels."""
        made = author.commit("one")
        opened = place.forge.publish(made, author.request(made))
        assert place.head("greylag/change-1") == made.commit
        assert opened.number == 1
        assert opened.url
        assert opened.forge == place.forge.name
        (pull,) = place.pulls()
        assert (pull.title, pull.branch, pull.base, pull.state) == ("Change", "greylag/change-1", "main", "open")
        assert "The *evidence*." in pull.body
        assert pull.labels == ("greylag",)

    def test_repeating_changes_nothing(self, place: Place, author: Author) -> None:
        """A second start of the same step finds the first."""
        made = author.commit("one")
        first = place.forge.publish(made, author.request(made))
        assert place.forge.publish(made, author.request(made)) == first
        assert len(place.pulls()) == 1

    def test_a_new_commit_updates_the_same_pull_request(self, place: Place, author: Author) -> None:
        """The outer loop goes on in the pull request that is there."""
        made = author.commit("one")
        first = place.forge.publish(made, author.request(made))
        again = author.commit("two")
        second = place.forge.publish(again, author.request(again, title="Better"))
        assert (second.number, second.url) == (first.number, first.url)
        assert (first.updated, second.updated) == (False, True)
        assert place.head("greylag/change-1") == again.commit
        assert [pull.title for pull in place.pulls()] == ["Better"]

    def test_a_branch_without_pull_request_is_taken_up(self, place: Place, author: Author) -> None:
        """A crash between push and pull request leaves our own commit behind."""
        made = author.commit("one")
        url, token = place.forge.clone_url(place.repo)
        made.push(url, "greylag/change-1", expect=None, token=token)
        opened = place.forge.publish(made, author.request(made))
        assert (opened.number, opened.updated) == (1, False)

    def test_a_persons_commit_hands_the_branch_over(self, place: Place, author: Author) -> None:
        """Nothing that a person pushed is ever overwritten."""
        made = author.commit("one")
        place.forge.publish(made, author.request(made))
        theirs = author.intrude()
        again = author.commit("two")
        with pytest.raises(UserError, match="handed over"):
            place.forge.publish(again, author.request(again))
        assert place.head("greylag/change-1") == theirs

    def test_a_closed_pull_request_stays_closed(self, place: Place, author: Author) -> None:
        """Closing it is a person's answer."""
        made = author.commit("one")
        opened = place.forge.publish(made, author.request(made))
        place.close(opened.number)
        again = author.commit("two")
        with pytest.raises(UserError, match="closed"):
            place.forge.publish(again, author.request(again))
        assert place.head("greylag/change-1") == made.commit

    def test_two_branches_are_two_pull_requests(self, place: Place, author: Author) -> None:
        """Numbers count up."""
        for number in (1, 2):
            made = author.commit(f"{number}", f"greylag/change-{number}")
            request = author.request(made, branch=f"greylag/change-{number}")
            assert place.forge.publish(made, request).number == number

    def test_an_unknown_base_is_the_users_error(self, place: Place, author: Author) -> None:
        """Named, with exit code 2."""
        made = author.commit("one")
        request = PullRequest("", place.repo, 0, "", "greylag/change-1", "gone", made.commit, "Change", "")
        with pytest.raises(UserError, match=r"base|gone"):
            place.forge.publish(made, request)
        assert place.pulls() == []
