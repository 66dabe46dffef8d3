"""The filter as the kernel would run it."""

import struct

import pytest

from training.forgetting.syscalls import render_filter

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
X86, ARM = 0xC000003E, 0xC00000B7


def _answer(program: bytes, number: int, machine: int, argument: int = 0) -> int:
    """Interpret the filter on one call, as seccomp(2) describes: struct seccomp_data is number, machine, ip, args."""
    data = struct.pack("=IIQ6Q", number, machine, 0, argument, 0, 0, 0, 0, 0)
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at, held = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x06:
            return int(value)
        if code == 0x20:
            (held,) = struct.unpack_from("=I", data, value)
            continue
        met = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
        at += yes if met else no


@pytest.mark.parametrize(
    ("name", "machine", "number", "argument", "expected"),
    [
        ("x86_64", X86, 0, 0, ALLOW),  # read
        ("x86_64", X86, 41, 0, EPERM),  # socket
        ("x86_64", X86, 101, 0, EPERM),  # ptrace
        ("x86_64", X86, 435, 0, ENOSYS),  # clone3
        ("x86_64", X86, 56, 0x1200011, ALLOW),  # fork, as glibc does it
        ("x86_64", X86, 56, 0x10000011, EPERM),  # into a user namespace
        ("x86_64", X86, 0x40000029, 0, EPERM),  # socket by its second number
        ("x86_64", 0x40000003, 102, 0, KILL),  # socketcall of 32 bits
        ("aarch64", ARM, 63, 0, ALLOW),  # read
        ("aarch64", ARM, 198, 0, EPERM),  # socket
        ("aarch64", ARM, 220, 0x20000011, EPERM),  # clone into a process namespace
    ],
)
def test_calls(name: str, machine: int, number: int, argument: int, expected: int) -> None:
    program = render_filter(name)
    assert program is not None
    assert _answer(program, number, machine, argument) == expected


def test_an_unknown_machine_has_no_filter() -> None:
    assert render_filter("riscv64") is None
