"""Runs in the sandbox that has the work tree: standard library only. Replaces the contents of files that are there.

Standard input is JSON: paths, seen from here, and contents in base64. A file that has become a link is refused; where
another link leads, nothing lies but what the sandbox may write anyway.
"""

import base64
import json
import os
import sys

for path, data in json.load(sys.stdin).items():
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64decode(data))
        file.truncate()
