/* Raw system calls for freestanding code on x86-64 and aarch64; results are -errno on failure. */
#ifndef SYSCALL_H
#define SYSCALL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int i32;
typedef long i64;

#if defined(__x86_64__)

static inline i64 syscall6(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5) {
  register u64 r10 __asm__("r10") = a3;
  register u64 r8 __asm__("r8") = a4;
  register u64 r9 __asm__("r9") = a5;
  i64 result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

enum {
  NR_pipe2 = 293,
  NR_mmap = 9,
  NR_munmap = 11,
  NR_dup3 = 292,
  NR_clone3 = 435,
  NR_capset = 126,
  NR_setgroups = 116,
  NR_setresuid = 117,
  NR_setresgid = 119,
  NR_read = 0,
  NR_write = 1,
  NR_pread64 = 17,
  NR_pwrite64 = 18,
  NR_fallocate = 285,
  NR_rt_sigprocmask = 14,
  NR_getpid = 39,
  NR_exit_group = 231,
  NR_wait4 = 61,
  NR_kill = 62,
  NR_ftruncate = 77,
  NR_getrusage = 98,
  NR_prctl = 157,
  NR_clock_gettime = 228,
  NR_timerfd_create = 283,
  NR_timerfd_settime = 286,
  NR_signalfd4 = 289,
  NR_lseek = 8,
  NR_close = 3,
  NR_ppoll = 271,
};

#elif defined(__aarch64__)

static inline i64 syscall6(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5) {
  register u64 x8 __asm__("x8") = nr;
  register u64 x0 __asm__("x0") = a0;
  register u64 x1 __asm__("x1") = a1;
  register u64 x2 __asm__("x2") = a2;
  register u64 x3 __asm__("x3") = a3;
  register u64 x4 __asm__("x4") = a4;
  register u64 x5 __asm__("x5") = a5;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return (i64)x0;
}

enum {
  NR_pipe2 = 59,
  NR_mmap = 222,
  NR_munmap = 215,
  NR_dup3 = 24,
  NR_clone3 = 435,
  NR_capset = 91,
  NR_setgroups = 159,
  NR_setresuid = 147,
  NR_setresgid = 149,
  NR_lseek = 62,
  NR_read = 63,
  NR_write = 64,
  NR_pread64 = 67,
  NR_pwrite64 = 68,
  NR_fallocate = 47,
  NR_ppoll = 73,
  NR_signalfd4 = 74,
  NR_timerfd_create = 85,
  NR_timerfd_settime = 86,
  NR_exit_group = 94,
  NR_close = 57,
  NR_ftruncate = 46,
  NR_clock_gettime = 113,
  NR_kill = 129,
  NR_rt_sigprocmask = 135,
  NR_getrusage = 165,
  NR_prctl = 167,
  NR_getpid = 172,
  NR_wait4 = 260,
};

#else
#error "no system calls for this architecture"
#endif

#define sys0(nr) syscall6(NR_##nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) syscall6(NR_##nr, (u64)(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) syscall6(NR_##nr, (u64)(a), (u64)(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) syscall6(NR_##nr, (u64)(a), (u64)(b), (u64)(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) syscall6(NR_##nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0, 0)
#define sys6(nr, a, b, c, d, e, f) syscall6(NR_##nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f))
#define sys5(nr, a, b, c, d, e) syscall6(NR_##nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), 0)

#endif
