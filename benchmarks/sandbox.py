"""The sandbox: a command in one that is open, and one that is opened for it, against bubblewrap without greylag."""

import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import medians, tell
from greylag import plugins
from greylag.protocols import Command, Layers, SandboxBackend, SandboxSpec

BARE = (
    *("bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"),
    *("--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
    *("--tmpfs", "/tmp", "true"),
)


def main() -> None:
    backend: SandboxBackend = plugins.load("sandboxes", "bubblewrap")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for part in ("workspace", "home", "scratch"):
            (place / part).mkdir()
        workspace, home = Layers(upper=place / "workspace"), Layers(upper=place / "home")
        spec = SandboxSpec("agent", workspace, home, place / "scratch")

        def opened() -> None:
            with backend.open(spec) as sandbox:
                sandbox.run(Command(("true",)))

        with backend.open(spec) as sandbox:
            bare, command, whole = medians(
                30,
                lambda: subprocess.run(BARE, check=True),
                lambda: sandbox.run(Command(("true",))),
                opened,
            )
    tell("a command in an open sandbox", command / bare, "bare bwrap")
    tell("a sandbox opened, one command in it, and closed", whole / bare, "bare bwrap")


if __name__ == "__main__":
    main()
