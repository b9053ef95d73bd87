"""A GitHub to test against: its REST answers come from real bare repositories, which it also serves to git.

Pull requests are checked against git: a head that does not exist or a second pull request for the same head is a 422.
The answers start from the examples of GitHub's own OpenAPI description (`description()`), cut down to the operations
that greylag uses. Faults are switched on by attributes of `FakeGitHub`.
"""

import base64
import copy
import functools
import gzip
import importlib.resources
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from greylag.testing.repos import git, make_bare

TOKEN = "ghp_fake"  # noqa: S105  # opens the fake and nothing else


@functools.cache
def description() -> dict[str, Any]:
    """GitHub's OpenAPI description of the operations that greylag uses (MIT licence; see scripts/github_openapi.py)."""
    packed = importlib.resources.files(__package__).joinpath("github-openapi.json.gz").read_bytes()
    return dict(json.loads(gzip.decompress(packed)))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to the API and what was answered; bodies as text."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: str
    status: int
    answer: str


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer in place of the real one. `after`: the request is carried out all the same, only its answer is lost."""

    method: str
    path: str  # regular expression
    status: int
    message: str = "fault"
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation is given: `rest` is what the path says after the repository."""

    slug: str
    rest: str
    query: dict[str, list[str]]
    body: Any


@dataclass
class FakeGitHub:
    """State of the server. `repositories` holds bare repositories as `OWNER/NAME.git`."""

    repositories: Path
    url: str = ""
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)  # each is used once, in order
    drafts: bool = True
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def api(self) -> str:
        """Root of the API, as an Enterprise Server has it."""
        return f"{self.url}/api/v3"

    def add(self, slug: str, files: dict[str, str | bytes | None]) -> Path:
        """A repository `OWNER/NAME` with one commit on `main`; its path."""
        path = self.repositories / f"{slug}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        made = make_bare(path, files)
        git(made, "config", "http.receivepack", "true")
        return made

    def close_pull(self, slug: str, number: int) -> None:
        """What a person does with the button."""
        self.pulls[slug][number - 1]["state"] = "closed"

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and body for one API request."""
        for verb, pattern, handler in _ROUTES:
            if verb == method and (found := re.fullmatch(pattern, path)):
                slug, rest = (*map(unquote, found.groups()), "")[:2]
                if not (self.repositories / f"{slug}.git").is_dir():
                    return _error(404, "Not Found")
                with self.lock:
                    return handler(self, Call(slug, rest, query, body))
        return _error(404, "Not Found")

    def head(self, slug: str, branch: str) -> str | None:
        """Commit id of a branch."""
        path = self.repositories / f"{slug}.git"
        return git(path, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False) or None


def _list(fake: FakeGitHub, call: Call) -> tuple[int, Any]:
    state = call.query.get("state", ["open"])[0]
    head = call.query.get("head", [None])[0]
    found = [
        fake.pulls[call.slug][number - 1]
        for number in range(len(fake.pulls.get(call.slug, ())), 0, -1)
        if state in {"all", fake.pulls[call.slug][number - 1]["state"]}
    ]
    return 200, [_simple(_current(fake, call.slug, pull)) for pull in found if head in {None, pull["head"]["label"]}]


def _create(fake: FakeGitHub, call: Call) -> tuple[int, Any]:
    branch, base = call.body["head"].rpartition(":")[2], call.body["base"]
    for name, ref in (("head", branch), ("base", base)):
        if fake.head(call.slug, ref) is None:
            return _invalid("PullRequest", field=name, code="invalid")
    pulls = fake.pulls.setdefault(call.slug, [])
    if any(p["state"] == "open" and p["head"]["ref"] == branch and p["base"]["ref"] == base for p in pulls):
        return _invalid(
            "PullRequest", code="custom", message=f"A pull request already exists for {call.slug}:{branch}."
        )
    if fake.head(call.slug, branch) == fake.head(call.slug, base):
        return _invalid("PullRequest", code="custom", message=f"No commits between {base} and {branch}")
    if call.body.get("draft") and not fake.drafts:
        return _invalid(
            "PullRequest", code="custom", message="Draft pull requests are not supported in this repository."
        )
    pull = _example("post", "/repos/{owner}/{repo}/pulls", "201")
    number = len(pulls) + 1
    pull |= {
        "number": number,
        "title": call.body["title"],
        "body": call.body.get("body"),
        "state": "open",
        "labels": [],
    }
    # GitHub's example of a team does not fit GitHub's schema of one
    pull |= {"requested_teams": [], "requested_reviewers": [], "assignees": [], "assignee": None, "milestone": None}
    pull |= {
        "draft": bool(call.body.get("draft")),
        "merged": False,
        "merged_at": None,
        "merged_by": None,
        "closed_at": None,
    }
    pull["html_url"] = f"{fake.url}/{call.slug}/pull/{number}"
    pull["url"] = f"{fake.api}/repos/{call.slug}/pulls/{number}"
    pull["head"] |= {"ref": branch, "label": f"{call.slug.partition('/')[0]}:{branch}"}
    pull["base"] |= {"ref": base, "label": f"{call.slug.partition('/')[0]}:{base}"}
    pulls.append(pull)
    return 201, _current(fake, call.slug, pull)


def _update(fake: FakeGitHub, call: Call) -> tuple[int, Any]:
    pull = _pull(fake, call)
    if pull is None:
        return _error(404, "Not Found")
    if "base" in call.body:
        if fake.head(call.slug, call.body["base"]) is None:
            return _invalid("PullRequest", field="base", code="invalid")
        pull["base"]["ref"] = call.body["base"]
    pull |= {key: call.body[key] for key in ("title", "body", "state") if key in call.body}
    return 200, _current(fake, call.slug, pull)


def _get(fake: FakeGitHub, call: Call) -> tuple[int, Any]:
    pull = _pull(fake, call)
    return (200, _current(fake, call.slug, pull)) if pull else _error(404, "Not Found")


def _label(fake: FakeGitHub, call: Call) -> tuple[int, Any]:
    pull = _pull(fake, call)
    if pull is None:
        return _error(404, "Not Found")
    sample = _example("post", "/repos/{owner}/{repo}/issues/{issue_number}/labels", "200")[0]
    there = {label["name"] for label in pull["labels"]}
    pull["labels"] += [{**sample, "name": name} for name in dict.fromkeys(call.body["labels"]) if name not in there]
    return 200, pull["labels"]


def _ref(fake: FakeGitHub, call: Call) -> tuple[int, Any]:
    sha = fake.head(call.slug, call.rest.removeprefix("heads/"))
    if sha is None:
        return _error(404, "Not Found")
    found = _example("get", "/repos/{owner}/{repo}/git/ref/{ref}", "200")
    return 200, found | {"ref": f"refs/{call.rest}", "object": {**found["object"], "sha": sha}}


def _commit(fake: FakeGitHub, call: Call) -> tuple[int, Any]:
    shown = git(
        fake.repositories / f"{call.slug}.git", "show", "-s", "--format=%T%n%cn%n%ce%n%cI", call.rest, check=False
    )
    if not shown:
        return _error(404, "Not Found")
    tree, name, email, date = shown.splitlines()
    found = _example("get", "/repos/{owner}/{repo}/git/commits/{commit_sha}", "200")
    who = {"name": name, "email": email, "date": date}
    return 200, found | {"sha": call.rest, "tree": {**found["tree"], "sha": tree}, "committer": who}


Handler = Callable[..., tuple[int, Any]]
_REPO = r"/repos/([^/]+/[^/]+)"
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", f"{_REPO}/pulls", _list),
    ("POST", f"{_REPO}/pulls", _create),
    ("GET", f"{_REPO}/pulls/([0-9]+)", _get),
    ("PATCH", f"{_REPO}/pulls/([0-9]+)", _update),
    ("POST", f"{_REPO}/issues/([0-9]+)/labels", _label),
    ("GET", f"{_REPO}/git/ref/(.+)", _ref),
    ("GET", f"{_REPO}/git/commits/([0-9a-f]{{40}})", _commit),
)


def _pull(fake: FakeGitHub, call: Call) -> dict[str, Any] | None:
    pulls, number = fake.pulls.get(call.slug, []), int(call.rest)
    return pulls[number - 1] if 0 < number <= len(pulls) else None


def _current(fake: FakeGitHub, slug: str, pull: dict[str, Any]) -> dict[str, Any]:
    """A pull request with its commits as they are in git now."""
    for side in ("head", "base"):
        pull[side]["sha"] = fake.head(slug, pull[side]["ref"]) or pull[side]["sha"]
    return pull


def _simple(pull: dict[str, Any]) -> dict[str, Any]:
    """The shorter form that lists have."""
    sample = _example("get", "/repos/{owner}/{repo}/pulls", "200")[0]
    return {key: pull.get(key, value) for key, value in sample.items()}


def _example(verb: str, path: str, status: str) -> Any:
    content = description()["paths"][path][verb]["responses"][status]["content"]["application/json"]
    name = content["examples"]["default"]["$ref"].rpartition("/")[2]
    return copy.deepcopy(description()["components"]["examples"][name]["value"])


def _error(status: int, text: str) -> tuple[int, Any]:
    return status, {"message": text, "documentation_url": "https://docs.github.com/rest", "status": str(status)}


def _invalid(resource: str, **error: str) -> tuple[int, Any]:
    return 422, {**_error(422, "Validation Failed")[1], "errors": [{"resource": resource, **error}]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeGitHub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as the base class has it
        """Say nothing."""

    def _serve(self) -> None:
        body = self._body()
        path = urlsplit(self.path).path
        if path.startswith("/api/v3/"):
            self._api(path.removeprefix("/api/v3"), body.decode("utf-8", "replace"))
        else:
            self._git(path, body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _api(self, path: str, text: str) -> None:
        fake, query = self.server.fake, parse_qs(urlsplit(self.path).query)
        with fake.lock:
            matching = (f for f in fake.faults if f.method == self.command and re.search(f.path, path))
            fault = next(matching, None)
            if fault is not None:
                fake.faults.remove(fault)
        headers: dict[str, str] = {}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            status, answer = _error(401, "Bad credentials")
        elif fault is not None and not fault.after:
            (status, answer), headers = _error(fault.status, fault.message), fault.headers
        else:
            status, answer = fake.answer(self.command, path, query, json.loads(text) if text else None)
            if fault is not None:
                status, answer = _error(fault.status, fault.message)
        said = json.dumps(answer)
        fake.exchanges.append(Exchange(self.command, path, query, text, status, said))
        self._send(status, {"Content-Type": "application/json; charset=utf-8", **headers}, said.encode())

    def _git(self, path: str, body: bytes) -> None:
        expected = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self._send(401, {"WWW-Authenticate": 'Basic realm="GitHub"'}, b"")
            return
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.fake.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(path),
            "QUERY_STRING": urlsplit(self.path).query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "greylag",
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self._send(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve(repositories: Path) -> Iterator[FakeGitHub]:
    """A running server on 127.0.0.1, with no repository yet."""
    fake = FakeGitHub(repositories)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.fake = fake
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
