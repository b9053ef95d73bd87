"""Cut GitHub's published OpenAPI description down to the operations that greylag uses.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-*.tgz package/generated/api.github.com.json
    python scripts/github_openapi.py package/generated/api.github.com.json

Writes `src/greylag/testing/github-openapi.json.gz`. The description is MIT-licensed, copyright GitHub.
"""

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

OPERATIONS = {
    "/repos/{owner}/{repo}/pulls": ("get", "post"),
    "/repos/{owner}/{repo}/pulls/{pull_number}": ("get", "patch"),
    "/repos/{owner}/{repo}/git/ref/{ref}": ("get",),
    "/repos/{owner}/{repo}/git/commits/{commit_sha}": ("get",),
    "/repos/{owner}/{repo}/issues/{issue_number}/labels": ("post",),
}
TARGET = Path(__file__).parent.parent / "src/greylag/testing/github-openapi.json.gz"
_PROSE = {"summary", "externalDocs", "tags", "x-github"}  # a description is required, so it is emptied


def slim(whole: dict[str, Any]) -> dict[str, Any]:
    """The operations with everything they refer to, without prose."""
    paths = {
        path: {verb: _bare(whole["paths"][path][verb]) for verb in verbs if verb in whole["paths"][path]}
        for path, verbs in OPERATIONS.items()
    }
    components: dict[str, dict[str, Any]] = {}
    todo = _references(paths)
    while todo:
        kind, name = todo.pop().split("/")[2:]
        if name not in components.setdefault(kind, {}):
            components[kind][name] = _bare(whole["components"][kind][name])
            todo |= _references(components[kind][name])
    info = {key: whole["info"][key] for key in ("title", "version", "license")}
    servers = [{"url": "https://api.github.com"}]
    return {"openapi": whole["openapi"], "info": info, "servers": servers, "paths": paths, "components": components}


def _bare(node: Any, *, named: bool = False) -> Any:
    """Without prose; below `properties` the keys are names of the data and stay."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if named or key not in _PROSE}
    return {
        key: "" if key == "description" and not named else _bare(value, named=key == "properties" and not named)
        for key, value in kept.items()
    }


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_references, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_references, node.values())) if node else set()
    return found | ({node["$ref"]} if isinstance(node.get("$ref"), str) else set())


def main() -> None:
    """Read the description that is named, write the slim one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("description", type=Path)
    whole = json.loads(parser.parse_args().description.read_text(encoding="utf-8"))
    text = json.dumps(slim(whole), sort_keys=True, separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
