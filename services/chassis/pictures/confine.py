"""Takes from a process what decoding a picture does not need. Irreversible; for a child alone.

Decoders are where hostile bytes bite. Should one be taken over, it finds itself with little memory and time, unable to
write much, to open a connection, or to start or touch another process.
"""

from __future__ import annotations

import ctypes
import resource

MEMORY = 1 << 30
"""Bytes of address space."""
CPU_S = 20
FILE = 32 << 20
"""Bytes that may be written into one file."""
OPEN_FILES = 32

_REFUSED = (
    *(41, 42, 43, 44, 46, 49, 50, 53, 288),  # socket … socketpair, accept4
    *(56, 57, 58, 59, 322, 435),  # clone, fork, vfork, execve, execveat, clone3
    *(62, 101, 200, 234, 310, 311, 425, 434),  # kill, ptrace, tkill, tgkill, others' memory, io_uring, pidfd
)
"""Numbers of x86-64 Linux, the only machine this runs on."""
_LOAD, _JUMP_IF_EQUAL, _ANSWER = 0x20, 0x15, 0x06  # instructions of the classic packet filter
_ALLOW, _EPERM = 0x7FFF0000, 0x00050000 | 1
_X86_64 = 0xC000003E
_NUMBER_AT, _MACHINE_AT = 0, 4  # offsets in the kernel's description of a call
_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER = 38, 22, 2  # prctl


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def confine() -> bool:
    """Limits first, then the filter of system calls. False: this kernel offers no filter, the limits stand alone."""
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (least, least))
    return refuse_calls()


def refuse_calls() -> bool:
    """No network and no other process from here on: such calls fail with EPERM. False: no filter to be had."""
    program = [
        _Instruction(_LOAD, 0, 0, _MACHINE_AT),
        _Instruction(_JUMP_IF_EQUAL, 1, 0, _X86_64),
        _Instruction(_ANSWER, 0, 0, _EPERM),  # numbers of another machine mean other calls
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        *(_Instruction(_JUMP_IF_EQUAL, len(_REFUSED) - n, 0, call) for n, call in enumerate(_REFUSED)),
        _Instruction(_ANSWER, 0, 0, _ALLOW),
        _Instruction(_ANSWER, 0, 0, _EPERM),
    ]
    instructions = (_Instruction * len(program))(*program)
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    given = ctypes.byref(_Program(len(program), instructions))
    return bool(kernel.prctl(_SET_FILTER, _FILTER, given, 0, 0) == 0)
