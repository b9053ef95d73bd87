"""Runs in the sandbox that has the work tree: standard library only. Replaces the contents of files that are there.

Standard input is JSON: paths, seen from here, and contents in base64. What cannot be replaced stays as it is, and is
named. A file that has become a link is none; where another link leads, nothing lies but what the sandbox may write.
"""

import base64
import json
import os
import stat
import sys
from pathlib import Path


def rewrite(path: str, data: bytes) -> None:
    """Put a new file in the old one's place, with its mode: other names that the old one has keep what they had."""
    mode = os.lstat(path).st_mode
    if not stat.S_ISREG(mode):
        raise OSError(f"{path} is no file any more")
    new = f"{path}.greylag-{os.getpid()}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, stat.S_IMODE(mode))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(new).chmod(stat.S_IMODE(mode))
        Path(new).replace(path)
    except OSError:
        Path(new).unlink()
        raise


failed = False
for name, text in json.load(sys.stdin).items():
    try:
        rewrite(name, base64.b64decode(text))
    except OSError as error:
        failed = True
        print(f"{name}: {error}")
sys.exit(failed)
