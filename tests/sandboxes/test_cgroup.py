"""Where control groups are looked for. Layouts that this machine does not have stand in files, as in proc(5)."""

from pathlib import Path

import pytest

from greylag.sandboxes import _cgroup

_V1 = "25 1 0:1 {root} /sys/fs/cgroup/{name} rw - cgroup cgroup rw,{name}\n"
_V2 = "30 1 0:2 {root} /sys/fs/cgroup rw - cgroup2 cgroup rw\n"


@pytest.mark.parametrize(
    ("own", "mounts", "expected"),
    [
        pytest.param(
            "0::/user.slice/session-2.scope\n",
            _V2.format(root="/"),
            [(2, "/sys/fs/cgroup/user.slice/session-2.scope"), (2, "/sys/fs/cgroup/user.slice")],
            id="systemd",
        ),
        pytest.param(
            "4:memory:/docker/x\n8:pids:/docker/x\n0::/\n",
            _V1.format(root="/docker/x", name="memory") + _V1.format(root="/docker/x", name="pids"),
            [(1, "/sys/fs/cgroup/memory")],
            id="container",
        ),
        pytest.param(
            "4:memory:/a\n8:pids:/\n0::/\n",
            _V1.format(root="/", name="memory") + _V1.format(root="/", name="pids"),
            [(1, "/sys/fs/cgroup/memory/a")],
            id="hybrid",
        ),
        pytest.param("8:pids:/\n", _V1.format(root="/", name="pids"), [], id="no memory controller"),
    ],
)
def test_candidates(own: str, mounts: str, expected: list[tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text(own)
    (tmp_path / "mountinfo").write_text(mounts)
    found = _cgroup._candidates(tmp_path)
    assert [(control.version, str(control.parents[0])) for control in found] == expected


def test_nothing_mounted_is_no_control(tmp_path: Path) -> None:
    control = _cgroup.find(tmp_path)
    assert (control.version, control.reason) == (0, "no memory and pids controllers are mounted")
