"""GitHub and GitHub Enterprise Server, by the REST API (docs.github.com/rest) and git over https."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from greylag.errors import InfraError, UserError
from greylag.forges._github_api import Api, Token, message
from greylag.git import printable
from greylag.model import PullRequest
from greylag.protocols import Pushable

_BODY = 65_536  # characters of a body that GitHub accepts
_MARKER = re.compile(r"<!-- greylag:((?: [0-9a-f]{40})*) -->")
_HEADS = 10  # of our commits that a marker names


class GitHub:
    """Opens pull requests from branches of the repository itself.

    `url` is the root of the API (`https://HOST/api/v3` for an Enterprise Server). The token comes from the variable
    `token_env` or from `token_file`, and from nowhere else; it needs write access to contents and pull requests.
    `patience`: seconds to wait for a rate limit before giving up.
    """

    name = "github"

    def __init__(
        self,
        *,
        url: str = "https://api.github.com",
        token_env: str | None = None,
        token_file: str | Path | None = None,
        draft: bool = False,
        patience: float = 300.0,
    ) -> None:
        if (token_env is None) == (token_file is None):
            raise UserError(
                "forge `github` needs one place of its token: write token-env (the name of a variable) or token-file "
                "into [forge] of greylag.toml"
            )
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise UserError(f"forge `github`: `url` must be an https URL, not `{printable(url)}`")
        self.token = Token(token_env, Path(token_file).expanduser() if token_file is not None else None)
        self.api = Api(url.rstrip("/"), self.token, patience)
        self.draft = draft
        host = "github.com" if parts.netloc == "api.github.com" else parts.netloc
        self.web = f"{parts.scheme}://{host}"

    def clone_url(self, repo: str) -> tuple[str, str | None]:
        """The https URL of `OWNER/NAME` or of a URL of the repository, and the token."""
        return f"{self.web}/{self._slug(repo)}.git", self.token.read()

    def publish(self, commit: Pushable, request: PullRequest) -> PullRequest:
        """Push the branch and open the pull request, or update the one that is open. Safe to repeat.

        Raises `UserError` when the branch has commits of somebody else's or the pull request was closed, `InfraError`
        when GitHub or the network fail; then a repetition carries on where this one ended.
        """
        slug = self._slug(request.repo)
        found = self._find(slug, request.branch)
        if found is not None and found.get("state") != "open":
            raise UserError(
                f"pull request {found.get('html_url')} was closed; reopen it yourself, or change the prompt"
            )
        if found is None and self._head(slug, request.base) is None:
            raise UserError(f"{slug} has no branch `{printable(request.base)}` to open a pull request against")
        there = self._head(slug, request.branch)
        heads = _heads(found)
        if there not in {None, commit.commit} and not self._ours(slug, str(there), heads, commit):
            raise UserError(
                f"branch `{request.branch}` of {slug} has commits that are not greylag's: it is handed over"
            )
        heads = [*heads, commit.commit]
        if found is not None:  # before the push, so that the marker knows every commit that may be found later
            self._update(slug, found, {"body": _body(str(found.get("body") or ""), heads)})
        if there != commit.commit:
            url, token = self.clone_url(slug)
            commit.push(url, request.branch, expect=there, token=token)
        fields = {"title": request.title[:256], "body": _body(request.body, heads), "base": request.base}
        # the evidence after the push: it must never speak of a commit that is not there
        pull = self._create(slug, request, fields) if found is None else self._update(slug, found, fields)
        self._label(slug, pull, request.labels)
        number, url = int(pull["number"]), str(pull["html_url"])
        return replace(request, forge=self.name, repo=slug, number=number, url=url, updated=found is not None)

    def _slug(self, repo: str) -> str:
        given = repo.partition("://")[2] or repo
        name = re.sub(rf"^(?:[\w.-]+@)?{re.escape(urlsplit(self.web).netloc)}[:/]", "", given)
        name = name.removesuffix("/").removesuffix(".git")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", name):
            raise UserError(f"`{printable(repo)}` is no repository of {self.web}; write OWNER/NAME or its URL")
        return name

    def _find(self, slug: str, branch: str) -> dict[str, Any] | None:
        """The pull request of our branch: the open one, else the newest."""
        query = {"head": f"{slug.partition('/')[0]}:{branch}", "state": "all", "per_page": "100"}
        listed = self.api.call("GET", f"/repos/{slug}/pulls", query=query).data
        ours = (
            [pull for pull in listed if pull.get("head", {}).get("ref") == branch] if isinstance(listed, list) else []
        )
        return next((pull for pull in ours if pull.get("state") == "open"), ours[0] if ours else None)

    def _head(self, slug: str, branch: str) -> str | None:
        answer = self.api.call("GET", f"/repos/{slug}/git/ref/{quote(f'heads/{branch}', safe='')}", ok=(404,))
        return str(answer.data["object"]["sha"]) if answer.status == 200 else None

    def _ours(self, slug: str, there: str, heads: list[str], commit: Pushable) -> bool:
        """Whether a head of the branch is a commit of greylag's: the marker names it, or without one, its committer."""
        if heads:
            return there in heads
        data = self.api.call("GET", f"/repos/{slug}/git/commits/{there}").data
        return bool(data.get("committer", {}).get("email") == commit.committer)

    def _create(self, slug: str, request: PullRequest, fields: dict[str, str]) -> dict[str, Any]:
        draft = self.draft or request.state == "draft"
        try:
            answer = self.api.call(
                "POST", f"/repos/{slug}/pulls", json={**fields, "head": request.branch, "draft": draft}, ok=(422,)
            )
        except InfraError:
            if (found := self._find(slug, request.branch)) is not None:
                return found  # it was created, only the answer was lost
            raise
        if answer.status != 422:
            return dict(answer.data)
        said = message(answer.data)
        if "already exists" in said and (found := self._find(slug, request.branch)) is not None:
            return self._update(slug, found, fields)
        if draft and "raft" in said:
            raise UserError(f"{slug} has no draft pull requests; switch `draft` off")
        raise UserError(f"GitHub refuses the pull request for {slug}: {printable(said)}")

    def _update(self, slug: str, found: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
        return dict(self.api.call("PATCH", f"/repos/{slug}/pulls/{found['number']}", json=fields).data)

    def _label(self, slug: str, pull: dict[str, Any], labels: tuple[str, ...]) -> None:
        there = {label.get("name") for label in pull.get("labels") or ()}
        if missing := [label for label in labels if label not in there]:
            self.api.call("POST", f"/repos/{slug}/issues/{pull['number']}/labels", json={"labels": missing})


def _heads(pull: dict[str, Any] | None) -> list[str]:
    """Commits that the marker in a pull request's text names."""
    marker = _MARKER.search(str((pull or {}).get("body") or ""))
    return marker[1].split() if marker else []


def _body(text: str, heads: list[str]) -> str:
    """The text with a marker that no reader sees: our commits, so that a person's can be told from them."""
    marker = f"\n\n<!-- greylag: {' '.join(dict.fromkeys(heads[-_HEADS:]))} -->\n"
    clean = _MARKER.sub("", text)
    room = _BODY - len(marker)
    return (clean if len(clean) <= room else clean[: room - 20] + "\n\n(shortened)") + marker


PLUGIN = GitHub
