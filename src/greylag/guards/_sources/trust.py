"""Places of a source by which whoever answers is trusted: certificates, and names of hosts, are not looked at."""

import re
from collections.abc import Iterator, Mapping

from greylag.guards._code.fresh import Mark
from greylag.guards._code.source import language, scan

_TRUSTS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(
        r"\bcheck_hostname\s*+=\s*+False\b|\b(?:verify_mode|cert_reqs)\s*+=\s*+(?:ssl\.)?CERT_NONE\b|\bVERIFY_NONE\b"
        r"|\b(?:get|post|put|patch|delete|head|request|ws_connect|TCPConnector)\([^()\n]{0,300}?\bssl\s*+=\s*+False\b"
    ),
    "js": re.compile(
        r"\bcheckServerIdentity\s*+[:=]\s*+(?:\([^()\n]{0,100}\)|\w++)\s*+=>\s*+(?:undefined|null|\{\s*+\}|void 0)"
        r"|\bcheckServerIdentity\s*+\([^()\n]{0,100}\)\s*+\{\s*+\}|\bstrictSSL\s*+:\s*+false\b"
    ),
    "java": re.compile(
        r"\bvoid\s++check(?:Server|Client)Trusted\s*+\([^()]{0,300}\)\s*+(?:throws\s++\w++\s*+)?\{\s*+\}"
        r"|\bfun\s++check(?:Server|Client)Trusted\s*+\([^()]{0,300}\)\s*+(?:\{\s*+\}|=\s*+Unit\b)"
        r"|\b(?:[sS]et)?(?:SSL|Default)?[hH]ostnameVerifier\s*+[({]\s*+\(?[\w\s,]{0,60}\)?\s*+->\s*+true\b"
        r"|\b(?:NoopHostnameVerifier|ALLOW_ALL_HOSTNAME_VERIFIER|AllowAllHostnameVerifier|TrustAllStrategy"
        r"|InsecureTrustManagerFactory|DangerousAcceptAnyServerCertificateValidator)\b"
        r"|\bServerCertificate(?:Custom)?ValidationCallback\s*+\+?=[^;\n]{0,200}=>\s*+true\b"
    ),
    "go": re.compile(r"\bssh\.InsecureIgnoreHostKey\(\)"),
    "rust": re.compile(
        r"\b(?:ServerCertVerified|ClientCertVerified|HandshakeSignatureValid)::assertion\(\)|\bSslVerifyMode::NONE\b"
    ),
    "c": re.compile(
        r"\bCURLOPT_(?:SSL_VERIFY(?:PEER|HOST)|PROXY_SSL_VERIFY\w++)\s*+,\s*+(?:0L?|false)\b|\bSSL_VERIFY_NONE\b"
        r"|\bMBEDTLS_SSL_VERIFY_NONE\b"
    ),
}  # fmt: skip


def trusts(path: str, text: str) -> Iterator[Mark]:
    """Each such place of a source."""
    family = language(path) or ""
    if family in _TRUSTS:
        for match in _TRUSTS[family].finditer(code := scan(text, family).code):
            words = " ".join(match[0].split())[:100]
            yield Mark(words, code.count("\n", 0, match.start()) + 1, words)
