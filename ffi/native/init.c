/*
 * The first process of a job's PID namespace: it forks the program, keeps the journal and ends the namespace.
 * Freestanding, static.
 *
 *   init ID TABLE_BYTES TIMEOUT_MS GRACE_MS LOG_BYTES OWN_ID
 *
 * Inherited fds (the launch table puts them there):
 *   3  journal, for reading and writing, not O_APPEND (it would make every pwrite an append); frames go to its end
 *   4  status: {u32 errno, u32 step} is written once, errno 0 when the program was executed
 *   5  the program's table (walk.h), for the child to walk
 *   6  the job's cgroup folder: the program is born in it
 *   7  the program's stdin
 *   8  the job's user namespace, for the child to enter
 * The child finds its stdin, stdout and stderr at 7, 10 and 12; its table moves them and closes the rest.
 *
 * Events:
 *   start report     the close-on-exec pipe to the child: end of file when the program was executed, {errno, step} if
 *                    not; append "started" or "start failed", tell the server, arm the timeout
 *   output           append it as one frame: time, stream, bytes
 *   SIGCHLD          reap; when the program has ended, kill what is left of the namespace
 *   another signal   from outside the namespace: pass it on to the program; from inside: ignore it
 *   timeout          append "timeout", send SIGTERM; after the grace kill the whole namespace
 *   all ended, both pipes at their end     append "exit" and exit, which ends the namespace
 *
 * OWN_ID is the user and group that this process becomes once the program is on its way: an id of the host that no job has.
 * LOG_BYTES caps the journal, 0 not: beyond it the oldest frames are removed, see journal_trim.h.
 *
 * So the server is never in the path of the output, and the journal alone tells how a run went. What can't be stored
 * (disk full) is dropped and counted, and a gap frame says so as soon as there is room; the job is never blocked by it.
 *
 * The child is forked, not made with CLONE_VM: the out-of-memory killer kills all who share the victim's memory.
 */
#include "journal_trim.h"
#include "walk.h"

enum { FD_STATUS = 4, FD_TABLE, FD_CGROUP, FD_STDIN, FD_USERS, FD_CHILD_STDOUT = 10, FD_CHILD_STDERR = 12 };
enum { O_CLOEXEC = 02000000 };
enum { SIGKILL = 9, SIGTERM = 15, SIGCHLD = 17, SIGSET_BYTES = 8 };
enum { POLLIN = 1, CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, WNOHANG = 1, WALL = 0x40000000, RUSAGE_CHILDREN = -1 };
enum { PR_SET_DUMPABLE = 4, PR_SET_NAME = 15, SIG_BLOCK = 0, SEEK_END = 2 };
#define CLONE_INTO_CGROUP 0x200000000ul
enum { PROT_READ_WRITE = 3, MAP_PRIVATE = 2, CAP_KILL = 5, PR_SET_KEEPCAPS = 8, PR_SET_NO_NEW_PRIVS = 38 };
enum { END_TIMED_OUT = 1, END_SIGNAL_PASSED_ON = 2 };
enum { EINTR = 4, ECHILD = 10, EXIT_BROKEN = 125, GAP_WRITE_FAILED = 1, RETRY_MS = 200 };

struct timespec { i64 sec, nsec; };
struct itimerspec { struct timespec interval, value; };
struct pollfd { i32 fd; u16 events, revents; };
struct siginfo { u32 signo; i32 err, code; u32 pid; u8 rest[112]; };
struct rusage { i64 user_sec, user_usec, system_sec, system_usec, max_rss_kib, rest[13]; };

static u32 sequence;
static u64 seen[2], dropped[2];
static u32 drop_errno;
static i64 timer_fd = -1, main_pid;
static i32 out[2], err[2], report_pipe[2];
static u64 grace_ms;
static int started_owed, timeout_owed;
static u32 end_flags;

static __attribute__((noreturn)) void quit(int code) {
  for (;;) sys1(exit_group, code);
}

/* Appends the frame in the buffer; 0 or the errno. A write cut short by a full disk is taken back whole. */
static u32 append(u16 type, u32 length) {
  struct timespec now;
  sys2(clock_gettime, CLOCK_REALTIME, &now);
  frame.header = (struct frame_header){0, length, (u64)now.sec * 1000000000 + now.nsec, type, 0, sequence};
  i64 written = write_frame(journal_size);
  if (written == HEADER + (i64)length) {
    journal_size += HEADER + length;
    sequence++;
    return 0;
  }
  sys2(ftruncate, FD_JOURNAL, journal_size);
  return written < 0 ? (u32)-written : 28 /* ENOSPC */;
}

/* Stores what is owed from when the disk was full, oldest first, before anything newer; 0 when nothing is owed. */
static u32 append_owed(void) {
  u32 error = 0;
  if (started_owed && !(error = append(FRAME_STARTED, 0))) started_owed = 0;
  for (u32 i = 0; i < 2 && !error; i++) {
    if (!dropped[i]) continue;
    u32 words[6] = {FRAME_STDOUT + i, GAP_WRITE_FAILED, (u32)dropped[i], (u32)(dropped[i] >> 32), drop_errno, 0};
    put(words, sizeof words);
    if (!(error = append(FRAME_GAP, sizeof words))) dropped[i] = 0;
  }
  if (timeout_owed && !error && !(error = append(FRAME_TIMEOUT, 0))) timeout_owed = 0;
  return error;
}

/* The last frame of a journal, which must not be lost: waits for room if there is none. No process is left to wait. */
static void append_surely(u16 type, const void *payload, u32 length) {
  for (;;) {
    if (append_owed() == 0) {
      put(payload, length);
      if (append(type, length) == 0) return;
    }
    struct timespec retry = {0, RETRY_MS * 1000000};
    sys5(ppoll, 0, 0, &retry, 0, SIGSET_BYTES);
  }
}

/* Copies what one pipe holds into one frame; 0 at its end. What is owed goes first, as it uses the same buffer. */
static int pump(u32 stream) {
  i32 fd = stream ? err[0] : out[0];
  u32 error = append_owed();
  i64 length = sys3(read, fd, frame.payload, PAYLOAD_MAX);
  if (length == -EINTR) return 1;
  if (length <= 0) return 0;
  seen[stream] += length;
  if (!error) error = append(FRAME_STDOUT + stream, (u32)length);
  if (error) {
    dropped[stream] += length;
    drop_errno = error;
  } else if (journal_size > trim_at) {
    trim_journal();
  }
  return 1;
}

static void arm(u64 ms) {
  struct itimerspec spec = {{0, 0}, {(i64)(ms / 1000), (i64)(ms % 1000) * 1000000}};
  if (ms == 0) spec.value.nsec = 1;
  sys4(timerfd_settime, timer_fd, 0, &spec, 0);
}

static void on_timer(void) {
  u64 expirations;
  sys3(read, timer_fd, &expirations, sizeof expirations);
  if (end_flags & END_TIMED_OUT) {
    sys2(kill, -1, SIGKILL);
    return;
  }
  end_flags |= END_TIMED_OUT;
  sys2(kill, main_pid, SIGTERM);
  arm(grace_ms);
  timeout_owed = 1;
  append_owed();
}

/* Stores and tells whether the program was executed; returns only if it was. */
static void on_report(u64 timeout_ms) {
  u32 report[2];
  i64 length = sys3(read, report_pipe[0], report, sizeof report);
  if (length == sizeof report) {
    append_surely(FRAME_START_FAILED, report, sizeof report);
    sys3(write, FD_STATUS, report, sizeof report);
    quit(0);
  }
  if (timeout_ms) arm(timeout_ms);
  started_owed = 1;
  append_owed();
  report[0] = report[1] = 0;
  sys3(write, FD_STATUS, report, sizeof report);
  sys1(close, FD_STATUS);
  sys1(close, report_pipe[0]);
}

/* Reaps; 1 when no process is left. */
static int reap(u32 *main_status, int *main_ended) {
  for (;;) {
    u32 status;
    i64 pid = sys4(wait4, -1, &status, WNOHANG | WALL, 0);
    if (pid == -ECHILD) return 1;
    if (pid <= 0) return 0;
    if (pid != main_pid) continue;
    *main_status = status;
    *main_ended = 1;
    /* As PID 1 this reaches all processes of the namespace and no other, and no fork can slip through. */
    sys2(kill, -1, SIGKILL);
  }
}

static void append_exit(u32 main_status) {
  struct rusage usage = {0};
  sys2(getrusage, RUSAGE_CHILDREN, &usage);
  struct {
    u32 status, flags;
    u64 user_us, system_us, max_rss, out, err;
  } exit = {main_status,
            end_flags,
            (u64)usage.user_sec * 1000000 + usage.user_usec,
            (u64)usage.system_sec * 1000000 + usage.system_usec,
            (u64)usage.max_rss_kib * 1024,
            seen[0],
            seen[1]};
  append_surely(FRAME_EXIT, &exit, sizeof exit);
}

static void on_signal(i64 signal_fd, u32 *main_status, int *main_ended, int *all_ended) {
  struct siginfo info;
  if (sys3(read, signal_fd, &info, sizeof info) != sizeof info) return;
  /* First, whatever the signal: one that comes when the program has just ended must not count as its cause. */
  *all_ended = reap(main_status, main_ended);
  if (info.signo == SIGCHLD || *main_ended) return;
  /* pid 0: the sender is outside the namespace, that is, the server or the host's administrator. */
  if (info.pid == 0 && sys2(kill, main_pid, info.signo) == 0) end_flags |= END_SIGNAL_PASSED_ON;
}

static u64 number(const char *text) {
  u64 value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (*text - '0');
  return value;
}

static __attribute__((noreturn)) void supervise(i64 signal_fd) {
  int main_ended = 0, all_ended = 0;
  u32 main_status = 0;
  struct pollfd fds[4] = {{(i32)signal_fd, POLLIN, 0}, {out[0], POLLIN, 0}, {err[0], POLLIN, 0}, {(i32)timer_fd, POLLIN, 0}};
  while (!all_ended || fds[1].fd >= 0 || fds[2].fd >= 0) {
    i64 ready = sys5(ppoll, fds, 4, 0, 0, SIGSET_BYTES);
    if (ready < 0 && ready != -EINTR) quit(EXIT_BROKEN);
    for (u32 i = 0; i < 2; i++) {
      if (fds[1 + i].fd >= 0 && fds[1 + i].revents && !pump(i)) fds[1 + i].fd = -1;
    }
    if (fds[3].fd >= 0 && fds[3].revents && !main_ended) on_timer();
    if (main_ended) fds[3].fd = -1;
    if (fds[0].revents) on_signal(signal_fd, &main_status, &main_ended, &all_ended);
  }
  append_exit(main_status);
  quit(0);
}

/* Forks the program's process into the job's cgroup; the child walks the table to its execve. */
static void start_program(u64 table_bytes) {
  struct table *table = (struct table *)sys6(mmap, 0, table_bytes, PROT_READ_WRITE, MAP_PRIVATE, FD_TABLE, 0);
  if ((u64)table > -4096ul) quit(EXIT_BROKEN);
  u64 *relocs = (u64 *)((u8 *)table + table->relocs);
  for (u64 i = 0; i < table->relocs_n; i++) *(u64 *)((u8 *)table + relocs[i]) += (u64)table;
  table->fail_fd = report_pipe[1];
  u64 args[11] = {CLONE_INTO_CGROUP, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, FD_CGROUP};
  main_pid = sys2(clone3, args, sizeof args);
  if (main_pid == 0) walk(table);
  if (main_pid < 0) {
    u32 report[2] = {(u32)-main_pid, (u32)-1};
    append_surely(FRAME_START_FAILED, report, sizeof report);
    sys3(write, FD_STATUS, report, sizeof report);
    quit(EXIT_BROKEN);
  }
  sys2(munmap, table, table_bytes);
}

/* From here on this process only reads pipes, appends to its journal and kills inside its own namespace. */
static void drop_privileges(u64 own_id) {
  struct { u32 version; i32 pid; } header = {0x20080522, 0};
  u32 data[6] = {1u << CAP_KILL, 1u << CAP_KILL, 0, 0, 0, 0};
  if (sys2(prctl, PR_SET_KEEPCAPS, 1) < 0 || sys2(setgroups, 0, 0) < 0) quit(EXIT_BROKEN);
  if (sys3(setresgid, own_id, own_id, own_id) < 0 || sys3(setresuid, own_id, own_id, own_id) < 0) quit(EXIT_BROKEN);
  if (sys2(capset, &header, data) < 0 || sys5(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) quit(EXIT_BROKEN);
  /* The change of user resets it to what /proc/sys/fs/suid_dumpable says. */
  if (sys2(prctl, PR_SET_DUMPABLE, 0) < 0) quit(EXIT_BROKEN);
}

static void close_all(const i32 *fds, u32 count) {
  for (u32 i = 0; i < count; i++) sys1(close, fds[i]);
}

__attribute__((used)) void run(u64 *stack) {
  char **argv = (char **)(stack + 1);
  u64 all_signals = ~0ul;
  if (stack[0] < 7 || sys0(getpid) != 1) quit(EXIT_BROKEN);
  u64 timeout_ms = number(argv[3]);
  grace_ms = number(argv[4]);
  if (sys2(prctl, PR_SET_DUMPABLE, 0) < 0) quit(EXIT_BROKEN);
  sys2(prctl, PR_SET_NAME, "init");
  if (sys4(rt_sigprocmask, SIG_BLOCK, &all_signals, 0, SIGSET_BYTES) < 0) quit(EXIT_BROKEN);
  i64 end = sys3(lseek, FD_JOURNAL, 0, SEEK_END);
  if (end < 0 || sys2(pipe2, out, O_CLOEXEC) < 0 || sys2(pipe2, err, O_CLOEXEC) < 0) quit(EXIT_BROKEN);
  /* The lowest free fds were taken, so the child's table, made before, can count on these numbers. */
  if (out[1] != FD_CHILD_STDOUT || err[1] != FD_CHILD_STDERR) quit(EXIT_BROKEN);
  start_journal((u64)end, number(argv[5]));
  i64 signal_fd = sys4(signalfd4, -1, &all_signals, SIGSET_BYTES, O_CLOEXEC);
  if (signal_fd < 0 || sys2(pipe2, report_pipe, O_CLOEXEC) < 0) quit(EXIT_BROKEN);
  if (timeout_ms && (timer_fd = sys2(timerfd_create, CLOCK_MONOTONIC, O_CLOEXEC)) < 0) quit(EXIT_BROKEN);
  start_program(number(argv[2]));
  drop_privileges(number(argv[6]));
  const i32 of_child[] = {FD_TABLE, FD_CGROUP, FD_STDIN, FD_USERS, FD_CHILD_STDOUT, FD_CHILD_STDERR, report_pipe[1]};
  close_all(of_child, sizeof of_child / sizeof *of_child);
  /* Before any output is looked at, so "started" is stored first; the program's bytes wait in their pipes. */
  on_report(timeout_ms);
  supervise(signal_fd);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call run\n  hlt\n");
#else
__asm__(".globl _start\n_start:\n  mov x29, xzr\n  mov x0, sp\n  bl run\n  brk #1\n");
#endif
