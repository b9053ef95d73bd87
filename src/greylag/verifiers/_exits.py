"""Where a process of tests in Node.js ended itself: of a file that calls `process.exit` when it is imported, or of a
test that does, most runners say nothing. They are run once more, with each call written down.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from greylag.model import Diagnostic
from greylag.readers import WORKSPACE
from greylag.text import clean
from greylag.verifiers._plan import Step

_CALLS = "@home@/.greylag/node-exits.txt"
_HOOK = f"""const fs = require('fs');
const exit = process.exit;
process.exit = function (...code) {{
  try {{
    fs.appendFileSync('{_CALLS}', `${{new Error(`process.exit(${{code}})`).stack}}\\n`);
  }} catch {{}}
  return exit.apply(this, code);
}};
"""
_CALL = re.compile(r"^Error: (process\.exit\([^\n]{0,100}\))$", re.MULTILINE)
_SILENT = {"process.exit()", "process.exit(0)"}  # another code speaks for itself
_FRAME = re.compile(
    r"^    at (?:async )?(?:[^\n(/]{0,300}\()?(?:file://)?(/[^\s():]{1,1000}):(\d{1,9}):\d{1,9}\)?$", re.MULTILINE
)
_MOST = 5  # places


def traced(step: Step) -> Step:
    """The step as it is, but that it tells of ends instead of tests."""
    options = " ".join(filter(None, (step.append.get("NODE_OPTIONS"), "--require=@files@/exits.cjs")))
    return replace(
        step,
        append={**step.append, "NODE_OPTIONS": options},
        files={**step.files, "exits.cjs": _HOOK},
        reports=(_CALLS,),
        read_report=ends,
        read_log=None,
    )


def ends(data: bytes, _root: str = ".", workspace: str = WORKSPACE) -> tuple[Diagnostic, ...]:
    """The places in files of the repository that called for an end as if all was well."""
    return tuple(dict.fromkeys(_ends(clean(data), workspace.rstrip("/") + "/")))[:_MOST]


def _ends(text: str, workspace: str) -> Iterator[Diagnostic]:
    calls = list(_CALL.finditer(text))
    ends = [*(hit.start() for hit in calls[1:]), len(text)]
    for call, end in zip(calls, ends, strict=False):
        frames = _FRAME.finditer(text, call.end(), end) if call[1] in _SILENT else ()
        own = (f for f in frames if f[1].startswith(workspace) and "/node_modules/" not in f[1])
        if frame := next(own, None):
            said = f"the process was ended here, by {call[1]}, before its tests were over"
            path = frame[1].removeprefix(workspace)
            yield Diagnostic(said, path=path, line=int(frame[2]), rule="process-exit")
