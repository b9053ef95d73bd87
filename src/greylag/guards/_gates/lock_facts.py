"""What the readers of lock files find."""

import re
from typing import NamedTuple


class Fact(NamedTuple):
    """What a lock file says of one version of a package. The file as a whole has no name."""

    name: str
    version: str = ""
    address: str = ""
    checksum: str = ""
    part: str = ""  # which of several files


_KIND_OF_SUM = re.compile(r"(sha\d{1,3}|md5|h1|zh|blake\w{1,4}|\d{1,2}(?:c\d)?)[-:=/]")


def kind_of(checksum: str) -> str:
    """Only checksums of one algorithm can be compared."""
    match = _KIND_OF_SUM.match(checksum)
    return match[1] if match else str(len(checksum))


def is_sum(text: str) -> bool:
    """Whether it says by itself that it is a checksum, by its algorithm."""
    return _KIND_OF_SUM.match(text) is not None
