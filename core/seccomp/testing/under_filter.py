"""Installs the filter in argv[1] (hexadecimal), then makes the calls in argv[3] or becomes the program argv[3:].

under_filter.py FILTER calls '[[number, argument, ...], ...]'   prints the errno of each call as JSON
under_filter.py FILTER exec PROGRAM ARGUMENT...
under_filter.py FILTER int80                                    prints what a 32-bit getpid returns
under_filter.py FILTER cost                                     prints seconds a fork, without and with the filter
"""

import ctypes
import json
import mmap
import os
import signal
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def prepare(hexadecimal):
    code = bytes.fromhex(hexadecimal)
    return Program(len(code) // 8, code)


def install(program):
    for arguments in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))]:
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def errno_of(number, *arguments):
    ctypes.set_errno(0)
    failed = libc.syscall(ctypes.c_long(number), *(ctypes.c_ulong(argument) for argument in arguments)) == -1
    return ctypes.get_errno() if failed else 0


def int80(program):
    """getpid of i386 from 64-bit code: mov eax, 20; int 0x80; ret. No number where the kernel has no 32-bit calls."""
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(bytes.fromhex("b814000000cd80c3"))
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
    child = os.fork()
    if child == 0:
        call()
        os._exit(0)
    if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        return "none"
    install(program)
    return call()


def cost(program, filtered):
    rounds = 300
    began = time.perf_counter()
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            if filtered:
                install(program)
            os._exit(0)
        os.waitpid(child, 0)
    return (time.perf_counter() - began) / rounds


def main():
    program, mode, rest = prepare(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if mode == "cost":
        # Python needs a while to warm up.
        cost(program, False)
        print(json.dumps([cost(program, False), cost(program, True)]))
    elif mode == "int80":
        print(json.dumps(int80(program)))
    elif mode == "exec":
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        install(program)
        os.execvp(rest[0], rest)
    else:
        install(program)
        print(json.dumps([errno_of(*call) for call in json.loads(rest[0])]))


main()
