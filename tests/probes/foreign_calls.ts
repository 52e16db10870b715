/** System calls past the 64-bit table, by machine code of their own: a filter that looks at numbers alone lets them through. */
import { python } from "./probe.ts";

/** Numbers of i386, and of x86-64 for x32. */
const CALLS = [
  ["io_uring_setup", 425, 425],
  ["bpf", 357, 321],
  ["perf_event_open", 336, 298],
  ["userfaultfd", 374, 323],
  ["open_by_handle_at", 342, 304],
  ["kexec_load", 283, 246],
  ["init_module", 128, 175],
  ["getpid", 20, 39],
] as const;

/** Prints `i386-NAME WHAT` and `x32-NAME WHAT`: an error name, a signal name or OK. Each call has a process of its own. */
export const foreignCalls = python(`
import ctypes, errno, mmap, os, signal, sys
X32 = 0x40000000
# push rbx; mov eax,edi; mov ebx,esi; xchg ecx,edx; int 0x80; pop rbx; ret
I386 = bytes.fromhex("53 89f8 89f3 87d1 cd80 5b c3")
# mov eax,edi; mov rdi,rsi; mov rsi,rdx; mov rdx,rcx; syscall; ret
NATIVE = bytes.fromhex("89f8 4889f7 4889d6 4889ca 0f05 c3")
def function(code):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_long, ctypes.c_long, ctypes.c_long)
    return page, kind(ctypes.addressof(ctypes.c_char.from_buffer(page)))
pages = {"i386": function(I386), "x32": function(NATIVE)}
def attempt(kind, name, number):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        result = pages[kind][1](number, 0, 0, 0)
        os.write(write, (errno.errorcode.get(-result, "OK") if result < 0 else "OK").encode())
        os._exit(0)
    os.close(write)
    said = os.read(read, 100).decode()
    os.close(read)
    status = os.waitpid(pid, 0)[1]
    print(f"{kind}-{name}", signal.Signals(status & 127).name if status & 127 else said)
for name, i386, x64 in ${JSON.stringify(CALLS)}:
    attempt("i386", name, i386)
    attempt("x32", name, X32 | x64)
`);
