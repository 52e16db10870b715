/*
 * The stretch between clone3 and execve, where no JavaScript can run.
 *
 * launch(args, size, table) calls clone3. The parent gets the child's pid or -errno back. The child shares the
 * caller's memory (CLONE_VM) on a stack of its own and walks the table, so the caller sees how far it came. It never
 * returns: the table's last call is execve, or the walk ends in exit_group.
 *
 * Position independent, without data sections, libc, or use of the thread pointer.
 */
#include "walk.h"

#if defined(__x86_64__)
__asm__(
    ".section .text.launch,\"ax\",@progbits\n"
    ".globl launch\n"
    "launch:\n"
    "  mov %rdx, %r8\n" /* the kernel keeps all registers but rax, rcx, r11, in the child too */
    "  mov $435, %eax\n"
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jz 1f\n"
    "  ret\n"
    "1: xor %ebp, %ebp\n"
    "  mov %r8, %rdi\n"
    "  call walk_table\n"
    "  hlt\n");
#else
__asm__(
    ".section .text.launch,\"ax\",%progbits\n"
    ".globl launch\n"
    "launch:\n"
    "  mov x9, x2\n" /* the kernel keeps all registers but x0, in the child too */
    "  mov x8, #435\n"
    "  svc #0\n"
    "  cbz x0, 1f\n"
    "  ret\n"
    "1: mov x29, xzr\n"
    "  mov x0, x9\n"
    "  bl walk_table\n"
    "  brk #1\n");
#endif

__attribute__((noreturn, used)) void walk_table(struct table *table) { walk(table); }
