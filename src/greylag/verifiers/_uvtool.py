"""Programs from PyPI in places of their own: preparation makes them in the sandbox's home, later phases find them."""

from collections.abc import Sequence

import uv

from greylag.verifiers._plan import Step

# Of uv and of pip: what they cannot reach is no fault of the repository.
UNREACHABLE = (
    r"error sending request for url|Failed to fetch: [^\n]*|client error \(Connect\)"
    r"|Failed to establish a new connection|Max retries exceeded|Temporary failure in name resolution"
)


def directory(package: str, version: str) -> str:
    """Where a package is: its programs are in `bin`, its Python in `PACKAGE/bin`."""
    return f"@home@/.greylag/tools/{package}-{version or 'any'}"


def install(package: str, version: str = "", beside: Sequence[str] = ()) -> Step:
    """Installs a package in a version, or the newest, with others that it needs, such as plug-ins.

    One that cannot be had leaves the machine's own program, if any. A registry that cannot be reached is another
    matter.
    """
    place = directory(package, version)
    more = [f"--with={requirement}" for requirement in beside]
    env = {"UV_TOOL_DIR": place, "UV_TOOL_BIN_DIR": f"{place}/bin", "UV_PYTHON_DOWNLOADS": "never"}
    return Step(
        (("uv",), (uv.find_uv_bin(),)),
        ("tool", "install", "--force", *more, f"{package}=={version}" if version else package),
        env={**env, "UV_NO_PROGRESS": "1", "UV_LINK_MODE": "copy"},
        install="install uv",
        may_fail=True,
        unable=UNREACHABLE,
    )
