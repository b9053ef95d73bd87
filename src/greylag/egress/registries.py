"""The public package registries, and how the usual tools are told of a proxy.

Only what is needed to download: hosts for uploads (`upload.pypi.org`, `www.nuget.org`, `hex.pm`) are not in the list.
"""

from collections.abc import Mapping

HOSTS = (
    "pypi.org", "files.pythonhosted.org",
    "registry.npmjs.org", "registry.yarnpkg.com", "repo.yarnpkg.com",
    "repo.maven.apache.org", "repo1.maven.org",
    "plugins.gradle.org", "plugins-artifacts.gradle.org", "services.gradle.org", "downloads.gradle.org",
    "proxy.golang.org", "sum.golang.org",
    "crates.io", "index.crates.io", "static.crates.io",
    "rubygems.org", "index.rubygems.org",
    "api.nuget.org", "globalcdn.nuget.org",
    "packagist.org", "repo.packagist.org", "codeload.github.com",  # archives of what Packagist lists
    "repo.hex.pm", "builds.hex.pm",
)  # fmt: skip

_LOCAL = "localhost,127.0.0.1,::1"
_URL = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "CARGO_HTTP_PROXY", "YARN_HTTP_PROXY", "YARN_HTTPS_PROXY")
_JVM = ("MAVEN_OPTS", "GRADLE_OPTS", "SBT_OPTS")


def environment(env: Mapping[str, str], port: str) -> dict[str, str]:
    """`env` with what makes tools go through a proxy on the inside loopback at `port` (a number or its mark).

    The options of Java programs are appended to those that are there; `JAVA_TOOL_OPTIONS` is left alone, since every
    JVM that sees it prints a line into the log.
    """
    url = f"http://127.0.0.1:{port}"
    upper = dict.fromkeys(_URL, url) | {"NO_PROXY": _LOCAL}
    lower = {name.lower(): upper[name] for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")}
    properties = [
        f"-D{kind}.{key}" for kind in ("http", "https") for key in ("proxyHost=127.0.0.1", f"proxyPort={port}")
    ]
    direct = "-Dhttp.nonProxyHosts=localhost|127.*|[::1]"
    quoted = f'"{direct}"'  # Gradle's start scripts evaluate the words as a shell does
    java = {name: " ".join([*properties, quoted if name == "GRADLE_OPTS" else direct]) for name in _JVM}
    return {**env, **upper, **lower, **{name: f"{env.get(name, '')} {words}".strip() for name, words in java.items()}}
