"""The system call filter, as the BPF program that `bwrap --seccomp` loads (`struct sock_filter[]`, see seccomp(2)).

A deny list: what is not named is allowed. It closes what namespaces leave open (vsock has none of its own, io_uring
makes sockets without `socket`) and the parts of the kernel that exploits like (bpf, keyrings, mounts, userfaultfd).
Numbers are from the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.
"""

import errno
import platform
import struct
from collections.abc import Iterator

from greylag.errors import UserError

_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARG0, _ARG1, _ARG2 = 0, 4, 16, 24, 32  # offsets in `struct seccomp_data`; low words of the arguments

ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6; not AF_VSOCK, AF_ALG, AF_PACKET ...
# Of netlink, only what getifaddrs(3) asks, without which Node, Go and Python cannot list interfaces. It changes
# nothing without CAP_NET_ADMIN and shows the namespace's own interfaces; all other protocols stay shut.
_NETLINK, _NETLINK_ROUTE = 16, 0
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

# name: (x86_64, aarch64), -1 where the architecture has none
DENIED: dict[str, tuple[int, int]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # mounts and namespaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    # large parts of the kernel that no build needs
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, -1),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
}
# Answered as if the kernel were older: callers then fall back (clone3 to clone, whose flags can be looked at).
MISSING: dict[str, tuple[int, int]] = {
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
INSPECTED: dict[str, tuple[int, int]] = {"clone": (56, 220), "socket": (41, 198), "ioctl": (16, 29)}

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def program(machine: str | None = None) -> bytes:
    """The filter for `machine` (as in `uname -m`; this one by default). `UserError` for an unknown one."""
    machine = machine or platform.machine()
    if machine not in ARCHES:
        raise UserError(f"no system call filter for {machine}: the sandbox runs on {' and '.join(ARCHES)}")
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in _instructions(machine))


def _instructions(machine: str) -> Iterator[_Instruction]:
    column = list(ARCHES).index(machine)
    yield _load(_ARCH)
    yield from _unless(_EQUAL, ARCHES[machine], _KILL_PROCESS)
    yield _load(_NR)
    if machine == "x86_64":
        yield from _when(_AT_LEAST, _X32_BIT, _ERRNO | errno.ENOSYS)
    for numbers, answer in ((DENIED, errno.EPERM), (MISSING, errno.ENOSYS)):
        for number in (row[column] for row in numbers.values() if row[column] >= 0):
            yield from _when(_EQUAL, number, _ERRNO | answer)
    yield from _inspect(INSPECTED["clone"][column], _ARG0, [*_when(_ANY_BIT, _NEW_NAMESPACES, _ERRNO | errno.EPERM)])
    stdin = [step for request in _TERMINAL_INJECTION for step in _when(_EQUAL, request, _ERRNO | errno.EPERM)]
    yield from _inspect(INSPECTED["ioctl"][column], _ARG1, stdin)
    families = [step for family in _FAMILIES for step in _when(_EQUAL, family, _ALLOW)]
    refuse = _returns(_ERRNO | errno.EAFNOSUPPORT)
    netlink = [(_EQUAL, 0, 3, _NETLINK), _load(_ARG2), *_when(_EQUAL, _NETLINK_ROUTE, _ALLOW)]
    yield from _inspect(INSPECTED["socket"][column], _ARG0, [*families, *netlink, refuse])
    yield _returns(_ALLOW)


def _load(offset: int) -> _Instruction:
    return (_LOAD, 0, 0, offset)


def _returns(answer: int) -> _Instruction:
    return (_RETURN, 0, 0, answer)


def _when(test: int, operand: int, answer: int) -> Iterator[_Instruction]:
    yield (test, 0, 1, operand)
    yield _returns(answer)


def _unless(test: int, operand: int, answer: int) -> Iterator[_Instruction]:
    yield (test, 1, 0, operand)
    yield _returns(answer)


def _inspect(number: int, argument: int, steps: list[_Instruction]) -> Iterator[_Instruction]:
    """Steps on one argument of one system call; whoever gets through them is allowed."""
    yield (_EQUAL, 0, len(steps) + 2, number)
    yield _load(argument)
    yield from steps
    yield _returns(_ALLOW)
