/*
 * init's journal (core/logs/frame.ts has the format), and its cap, at least 1 MiB: before it takes more than that, the
 * oldest frames are removed, an eighth of the cap at a time. Offsets of kept frames never change.
 *
 * The order makes it safe to read at any moment: first ONE frame "removed" is written over the first frame of all; it tells
 * what is gone and where the kept frames begin. Only then are the blocks between given back to the file system. So who
 * finds a hole also finds the frame that tells of it.
 */
#ifndef JOURNAL_TRIM_H
#define JOURNAL_TRIM_H
#include "syscall.h"
#include "xxh32.h"

enum { FD_JOURNAL = 3, HEADER = 24, PAYLOAD_MAX = 65536, BLOCK = 4096 };
enum {
  FRAME_STDOUT = 1,
  FRAME_STDERR,
  FRAME_STARTED,
  FRAME_START_FAILED,
  FRAME_EXIT,
  FRAME_GAP,
  FRAME_TIMEOUT,
  FRAME_REMOVED
};
/* What a journal may take beyond its kept frames: the frame that makes it too long, and blocks that are partly used. */
enum { SLACK = HEADER + PAYLOAD_MAX + 4 * BLOCK };
enum { KEEP_SIZE = 1, PUNCH_HOLE = 2, REMOVED_TIMEOUT = 1 };

struct frame_header {
  u32 checksum, length;
  u64 time_ns;
  u16 type, flags;
  u32 sequence;
};

static struct {
  struct frame_header header;
  u8 payload[PAYLOAD_MAX];
} frame __attribute__((aligned(16)));

/* Payload of a frame "removed": bytes of output from the journal's beginning on, and where the kept frames begin. */
struct removed {
  u64 bytes[2], next_offset, started_ns;
};
enum { REMOVED_BYTES = HEADER + sizeof(struct removed) };

static u64 journal_size, journal_start;
/* 0: no cap. */
static u64 log_bytes;
/* The journal is trimmed when it is longer than this. */
static u64 trim_at = -1ul;
static struct removed removed;
static u16 removed_flags;
/* Where the last hole ends. */
static u64 punched;

static void put(const void *bytes, u32 length) {
  for (u32 i = 0; i < length; i++) frame.payload[i] = ((const u8 *)bytes)[i];
}

/* Writes the frame in the buffer, as pwrite says it. */
static i64 write_frame(u64 offset) {
  u32 length = HEADER + frame.header.length;
  frame.header.checksum = xxh32((u8 *)&frame + 4, length - 4, (u32)offset);
  return sys4(pwrite64, FD_JOURNAL, &frame, length, offset);
}

static void start_journal(u64 size, u64 cap) {
  journal_size = journal_start = removed.next_offset = size;
  punched = (size + REMOVED_BYTES + BLOCK - 1) / BLOCK * BLOCK;
  log_bytes = cap ? cap - SLACK : 0;
  if (cap) trim_at = size + log_bytes;
}

/* Adds a frame to what is removed. @param gap its payload, for a gap */
static void count(struct removed *to, u16 *flags, const struct frame_header *header, const u8 *gap) {
  if (header->type == FRAME_STDOUT || header->type == FRAME_STDERR) {
    to->bytes[header->type - FRAME_STDOUT] += header->length;
  } else if (header->type == FRAME_GAP) {
    u32 stream;
    u64 missing;
    __builtin_memcpy(&stream, gap, sizeof stream);
    __builtin_memcpy(&missing, gap + 8, sizeof missing);
    to->bytes[stream == FRAME_STDERR] += missing;
  } else if (header->type == FRAME_STARTED) {
    to->started_ns = header->time_ns;
  } else if (header->type == FRAME_TIMEOUT) {
    *flags |= REMOVED_TIMEOUT;
  }
  to->next_offset += HEADER + header->length;
}

/* Goes over whole frames to the first one at or after `target`; 0 if that fails. Uses the frame buffer's payload. */
static int walk_frames(struct removed *to, u16 *flags, u64 target, u64 *time_ns) {
  u32 large = 0;
  while (to->next_offset < target) {
    /* Behind a large frame there may be more of them, of which only the headers are wanted. */
    i64 got = sys4(pread64, FD_JOURNAL, frame.payload, large ? 2 * HEADER : PAYLOAD_MAX, to->next_offset);
    struct frame_header header;
    i64 at = 0;
    while (to->next_offset < target && at + HEADER <= got) {
      __builtin_memcpy(&header, frame.payload + at, HEADER);
      if (header.length > PAYLOAD_MAX || !header.type || header.type > FRAME_TIMEOUT) return 0;
      if (header.type == FRAME_GAP && at + 2 * HEADER > got) break;
      count(to, flags, &header, frame.payload + at + HEADER);
      at += HEADER + header.length;
    }
    if (at == 0) return 0;
    large = header.length > BLOCK;
    *time_ns = header.time_ns;
  }
  return 1;
}

/* Removes the oldest frames. Called between two frames, when the buffer is free. */
static void trim_journal(void) {
  struct removed next = removed;
  u16 flags = removed_flags;
  u64 time_ns = 0;
  /* Tried beyond the end, where it changes nothing: a file system without holes must not lose frames for no gain. There, and
   * where the own frames can't be read, the journal just grows from now on. */
  i64 can = sys4(fallocate, FD_JOURNAL, PUNCH_HOLE | KEEP_SIZE, (journal_size + BLOCK) / BLOCK * BLOCK, BLOCK);
  if (can < 0 || !walk_frames(&next, &flags, removed.next_offset + log_bytes / 8, &time_ns)) {
    trim_at = -1ul;
    return;
  }
  put(&next, sizeof next);
  frame.header = (struct frame_header){0, sizeof next, time_ns, FRAME_REMOVED, flags, 0};
  if (write_frame(journal_start) != REMOVED_BYTES) {
    trim_at = journal_size + log_bytes / 8;
    return;
  }
  removed = next;
  removed_flags = flags;
  trim_at = removed.next_offset + log_bytes;
  u64 end = removed.next_offset / BLOCK * BLOCK;
  if (end > punched && sys4(fallocate, FD_JOURNAL, PUNCH_HOLE | KEEP_SIZE, punched, end - punched) == 0) punched = end;
}

#endif
