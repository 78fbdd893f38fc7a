#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""spin.py PID: makes a process that sleeps in a system call loop for ever when that returns,
by a jump to itself written there. Exit status 77: not possible on this machine."""
import ctypes
import os
import platform
import sys

PEEK, POKE, ATTACH, DETACH, GETREGSET = 2, 5, 16, 17, 0x4204
NT_PRSTATUS = 1
# place of the program counter among the general registers, and the jump
MACHINES = {
    "x86_64": (16, b"\xeb\xfe"),
    "aarch64": (32, b"\x00\x00\x00\x14"),
}


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(what, pid, addr=0, data=0):
    ctypes.set_errno(0)
    r = libc.ptrace(what, pid, addr, data)
    if r == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), f"ptrace {what}")
    return r


def program_counter(pid, index):
    regs = (ctypes.c_uint64 * 64)()
    vec = IoVec(ctypes.addressof(regs), ctypes.sizeof(regs))
    ptrace(GETREGSET, pid, NT_PRSTATUS, ctypes.addressof(vec))
    return regs[index]


def main():
    pid = int(sys.argv[1])
    if platform.machine() not in MACHINES:
        print(f"no jump is known for {platform.machine()}", file=sys.stderr)
        return 77
    index, jump = MACHINES[platform.machine()]
    try:
        ptrace(ATTACH, pid)
    except PermissionError as e:
        print(e, file=sys.stderr)
        return 77
    os.waitpid(pid, 0)
    at = program_counter(pid, index)
    word = (ptrace(PEEK, pid, at) & 0xffffffffffffffff).to_bytes(8, "little")
    word = jump + word[len(jump):]
    ptrace(POKE, pid, at, int.from_bytes(word, "little"))
    ptrace(DETACH, pid)
    return 0


sys.exit(main())
