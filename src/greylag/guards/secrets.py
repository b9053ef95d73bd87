"""Secrets on added lines, by the detectors of detect-secrets. Nothing allows one, no comment in the file either.

Its detectors are called one by one: no settings of that library are read or changed, nothing is looked up on a network,
and the detectors that go by entropy stay out because they mostly find hashes.
"""

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

from greylag.diffs import parse
from greylag.guards._guard import Guard, fact
from greylag.kinds import classify, matches
from greylag.model import Diagnostic, Severity
from greylag.protocols import Change

_CERTAIN = {  # module of detect_secrets.plugins -> class; a hit has a form of its own
    "artifactory": "ArtifactoryDetector", "aws": "AWSKeyDetector", "azure_storage_key": "AzureStorageKeyDetector",
    "cloudant": "CloudantDetector", "discord": "DiscordBotTokenDetector", "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector", "ibm_cloud_iam": "IbmCloudIamDetector", "ibm_cos_hmac": "IbmCosHmacDetector",
    "jwt": "JwtTokenDetector", "mailchimp": "MailchimpDetector", "npm": "NpmDetector", "openai": "OpenAIDetector",
    "private_key": "PrivateKeyDetector", "pypi_token": "PypiTokenDetector", "sendgrid": "SendGridDetector",
    "slack": "SlackDetector", "softlayer": "SoftlayerDetector", "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector", "telegram_token": "TelegramBotTokenDetector", "twilio": "TwilioKeyDetector",
}  # fmt: skip
_LIKELY = {"basic_auth": "BasicAuthDetector", "keyword": "KeywordDetector"}  # often an example or a variable
_HINT = re.compile(  # what a line must have before 24 detectors are tried on it
    r"[A-Za-z0-9_\-+/=.]{16}|-----BEGIN|://[^\s/]{1,200}@|(?i:pass|pwd|secret|key|contrase)"
)
_EXAMPLE = re.compile(
    r"(?i)example|dummy|placeholder|changeme|change-me|redacted|your[_-]|fake|sample|(.)\1{5}|^(?:test|password|secret|none|null|true|false)\w{0,3}$"
)
_INDIRECT = re.compile(  # `password = get_password()`, `key: ${KEY}`: a reference
    r"[=:]\s*(?:[\w.\-]{1,100}[\[(]|\$|<|\{\{|%|process\.env|os\.environ|getenv|None\b|null\b)"
)
_ADDRESS = re.compile(
    r"://[^\s/:@]{0,100}:([^\s/:@]{1,100})@(?!localhost\b|127\.|\[?::1|(?:[\w-]{1,63}\.){0,5}example\.(?:com|org|net)\b)"
)
_MIXED = re.compile(r"(?=\D*\d[^A-Za-z]*[A-Za-z])(?=\D*\d\D*\d)(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[\w!#%^&*+=.~-]{10,100}")
_NAMES = re.compile(  # the setting is about a secret and has none
    r"(?i)(?:pass|pwd|secret|key)[\w.-]{0,60}?(?:name|ref|path|file|id|arn|url|field|type|version|hash|class|policy)\b"
)
_SHOWN = re.compile(r"(?i)example|sample|template|fixture|mock|demo|\.dist$")
_SETTINGS = "*.y*ml *.env .env* *.properties *.ini *.cfg *.conf *.toml *.config compose* docker-compose* Dockerfile*"
_NEEDS = {  # what a text must have before a slow detector is tried on it
    "NpmDetector": re.compile("_authToken"),
    "KeywordDetector": re.compile(r"(?i)pass|pwd|secret|key|contrase"),
}
_WINDOW, _OVERLAP = 2000, 600  # characters; the detectors' patterns are not linear on long lines
_MOST = 4_000_000  # characters of added lines that are looked at


def check(change: Change) -> Iterator[Diagnostic]:
    """One finding for each line and kind of secret; the secret itself is not repeated."""
    seen = 0
    for file in parse(change.diff):
        for line in file.added:
            seen += len(line.text)
            if seen > _MOST:
                message = f"the change adds more text than the {_MOST:,} characters that are searched for secrets"
                yield fact("secrets/too-large", message, file.path)
                return
            if _HINT.search(line.text):
                yield from (_finding(file.path, line.new, *hit) for hit in sorted(_line(file.path, line.text)))


def _finding(path: str, line: int | None, kind: str, certain: bool) -> Diagnostic:
    message = f"adds what looks like a secret ({kind}); remove it, and replace it where it is in use"
    severity = Severity.ERROR if certain else Severity.WARNING
    return fact("secrets/added", message, path, line=line, severity=severity)


def _line(path: str, text: str) -> set[tuple[str, bool]]:
    """Kinds of secrets on a line, each with whether it is certain."""
    starts = range(0, max(1, len(text) - _OVERLAP), _WINDOW - _OVERLAP)
    windows = [text[start : start + _WINDOW] for start in starts]
    found = _kinds(windows, certain=True)
    if not found and classify(path) not in {"tests", "docs", "lock", "generated"}:
        direct = [window for window in windows if not _INDIRECT.search(window)]
        strong = not _SHOWN.search(path) and any(map(_strong, _passwords(path, direct)))
        return {("Password", True)} if strong else _kinds(direct, certain=False)
    return found


def _passwords(path: str, windows: list[str]) -> Iterator[str]:
    """What stands where an address or a setting has its password; settings need no quotes."""
    keyword = _detectors(False)[1]
    groups = importlib.import_module("detect_secrets.plugins.keyword")
    plain = groups.CONFIG_DENYLIST_REGEX_TO_GROUP if matches(path, _SETTINGS) else None
    for window in windows:
        yield from (match[1] for match in _ADDRESS.finditer(window))
        if _NEEDS["KeywordDetector"].search(window) and not _NAMES.search(window):
            yield from keyword.analyze_string(window, plain)


def _strong(secret: str) -> bool:
    """Whether letters of both cases and digits are mixed, as nobody writes them in a name or an example."""
    return _MIXED.fullmatch(secret.strip("\"', ")) is not None and not _EXAMPLE.search(secret)


def _kinds(windows: list[str], *, certain: bool) -> set[tuple[str, bool]]:
    return {
        (str(detector.secret_type), certain)
        for detector in _detectors(certain)
        for window in windows
        if any(_real(detector, secret) for secret in _secrets(detector, window))
    }


def _secrets(detector: Any, text: str) -> Iterator[str]:
    needs = _NEEDS.get(type(detector).__name__)
    if needs is None or needs.search(text):
        yield from detector.analyze_string(text)


@lru_cache(maxsize=2)
def _detectors(certain: bool) -> tuple[Any, ...]:
    table = _CERTAIN if certain else _LIKELY
    modules = ((importlib.import_module(f"detect_secrets.plugins.{name}"), kind) for name, kind in table.items())
    return tuple(getattr(module, kind)() for module, kind in modules)


def _real(detector: Any, secret: str) -> bool:
    if type(detector).__name__ == "PrivateKeyDetector":
        return True
    return not _EXAMPLE.search(secret) and any(character.isalpha() for character in secret)


PLUGIN = partial(Guard, "secrets", check)
