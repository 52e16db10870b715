/*
 * A table of system calls and the loop that makes them: the stretch between clone and execve as data.
 *
 * All fields are 64 bits wide (launch_table.ts writes them):
 *
 *   header   0 current   index of the entry under way, -1 before the first
 *            8 fail_fd   on failure {u32 errno, u32 index} is written here, -1 for none
 *           16 relocs    offset of the list of offsets at which the table's address is to be added
 *           24 relocs_n  its length
 *           32 entries   ...
 *   entry    0 nr        system call number, -1 ends the table with exit_group(0)
 *            8 args[6]
 *           56 min       the entry fails if its result is below
 *           64 result    -2^63 until the call has returned
 *           72 flags     bit 0: after ENOENT, ENOTDIR or EACCES go on with the next entry (search of a program in PATH)
 *                        bit 1: the first argument is the result of an earlier entry, whose index args[0] is
 */
#ifndef WALK_H
#define WALK_H
#include "syscall.h"

struct entry {
  u64 nr;
  u64 args[6];
  i64 min;
  i64 result;
  u64 flags;
};

struct table {
  volatile i64 current;
  i64 fail_fd;
  u64 relocs, relocs_n;
  struct entry entries[];
};

enum { FLAG_SEARCH = 1, FLAG_RESULT_OF = 2, ENOENT = 2, EACCES = 13, ENOTDIR = 20, EXIT_SETUP_FAILED = 125 };

static inline __attribute__((noreturn)) void walk(struct table *table) {
  int denied = 0;
  for (i64 i = 0;; i++) {
    struct entry *e = &table->entries[i];
    table->current = i;
    if (e->nr == (u64)-1) break;
    if (e->flags & FLAG_RESULT_OF) e->args[0] = table->entries[e->args[0]].result;
    i64 result = syscall6(e->nr, e->args[0], e->args[1], e->args[2], e->args[3], e->args[4], e->args[5]);
    e->result = result;
    if (result >= e->min) continue;
    if (result == -ENOENT || result == -ENOTDIR || result == -EACCES) {
      if (result == -EACCES && (e->flags & FLAG_SEARCH)) denied = 1;
      if (e->flags & FLAG_SEARCH) continue;
      /* Found somewhere but not executable tells more than not found in the last folder. */
      if (denied) result = -EACCES;
    }
    if (table->fail_fd >= 0) {
      u32 report[2] = {result < 0 ? (u32)-result : 0, (u32)i};
      sys3(write, table->fail_fd, report, sizeof report);
    }
    for (;;) sys1(exit_group, EXIT_SETUP_FAILED);
  }
  for (;;) sys1(exit_group, 0);
}

#endif
