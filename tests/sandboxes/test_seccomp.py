"""The system call filter, instruction by instruction, also for machines that are not at hand."""

import platform
import re
import struct
from pathlib import Path

import pytest

from greylag.errors import UserError
from greylag.sandboxes import _seccomp


def _answer(machine: str, number: int, *, arch: int | None = None, arguments: tuple[int, ...] = (0, 0)) -> int:
    """Interpret the filter as the kernel would (classic BPF, only the instructions in use)."""
    six = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<iIQ6Q", number, _seccomp.ARCHES[machine] if arch is None else arch, 0, *six)
    program = [*struct.iter_unpack("<HBBI", _seccomp.program(machine))]
    at = loaded = 0
    while True:
        code, true, false, operand = program[at]
        at += 1
        if code == 0x20:
            loaded = struct.unpack_from("<I", data, operand)[0]
        elif code == 0x06:
            return int(operand)
        else:
            held = {0x15: loaded == operand, 0x35: loaded >= operand, 0x45: bool(loaded & operand)}[code]
            at += true if held else false


_ALLOW, _EPERM, _ENOSYS, _FAMILY, _KILL = 0x7FFF0000, 0x50001, 0x50026, 0x50061, 0x80000000


@pytest.mark.parametrize("machine", _seccomp.ARCHES)
def test_filter(machine: str) -> None:
    column = list(_seccomp.ARCHES).index(machine)
    for row in _seccomp.DENIED.values():
        assert row[column] == -1 or _answer(machine, row[column]) == _EPERM
    for row in _seccomp.MISSING.values():
        assert _answer(machine, row[column]) == _ENOSYS
    clone, socket, ioctl = (_seccomp.INSPECTED[name][column] for name in ("clone", "socket", "ioctl"))
    assert _answer(machine, clone, arguments=(0x3D0F00, 0)) == _ALLOW  # a thread
    assert _answer(machine, clone, arguments=(0x10000011, 0)) == _EPERM  # a user namespace
    assert [_answer(machine, socket, arguments=(family, 0)) for family in (1, 2, 10)] == [_ALLOW] * 3
    assert [_answer(machine, socket, arguments=(family, 0)) for family in (0, 17, 38, 40)] == [_FAMILY] * 4
    assert _answer(machine, socket, arguments=(16, 0x80003, 0)) == _ALLOW  # what getifaddrs(3) opens
    assert [_answer(machine, socket, arguments=(16, 3, protocol)) for protocol in range(1, 32)] == [_FAMILY] * 31
    assert _answer(machine, ioctl, arguments=(0, 0x5401)) == _ALLOW
    assert _answer(machine, ioctl, arguments=(0, 0x5412)) == _EPERM
    assert _answer(machine, ioctl, arguments=(0, (1 << 32) + 0x5412)) == _EPERM  # the kernel looks at 32 bits
    assert _answer(machine, 0, arch=0x40000003) == _KILL
    read, write = {"x86_64": (0, 1), "aarch64": (63, 64)}[machine]
    assert [_answer(machine, number) for number in (read, write)] == [_ALLOW] * 2


def test_x32_calls_do_not_slip_through() -> None:
    assert _answer("x86_64", 0x40000000 + 101) == _ENOSYS


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(UserError, match="riscv64"):
        _seccomp.program("riscv64")


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_numbers_agree_with_the_headers_of_the_kernel(machine: str, header: str) -> None:
    if not Path(header).exists():
        pytest.skip(f"UNPROVEN HERE: no {header}")
    known = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(header).read_text()))
    column = list(_seccomp.ARCHES).index(machine)
    for name, row in (_seccomp.DENIED | _seccomp.MISSING | _seccomp.INSPECTED).items():
        if row[column] == -1:
            assert name not in known
        elif name in known:  # headers may be older than a call
            assert known[name] == str(row[column]), name
