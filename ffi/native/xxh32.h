/* XXH32 of the xxHash family (little endian). */
#ifndef XXH32_H
#define XXH32_H
#include "syscall.h"

#define XXH_P1 0x9E3779B1u
#define XXH_P2 0x85EBCA77u
#define XXH_P3 0xC2B2AE3Du
#define XXH_P4 0x27D4EB2Fu
#define XXH_P5 0x165667B1u

static inline u32 xxh_rotl(u32 x, int r) { return (x << r) | (x >> (32 - r)); }

static inline u32 xxh_load(const u8 *p) {
  u32 word;
  __builtin_memcpy(&word, p, 4);
  return word;
}

static inline u32 xxh_round(u32 acc, u32 word) { return xxh_rotl(acc + word * XXH_P2, 13) * XXH_P1; }

static u32 xxh32(const u8 *p, u64 length, u32 seed) {
  const u8 *end = p + length;
  u32 h;
  if (length >= 16) {
    u32 a = seed + XXH_P1 + XXH_P2, b = seed + XXH_P2, c = seed, d = seed - XXH_P1;
    for (; p + 16 <= end; p += 16) {
      a = xxh_round(a, xxh_load(p));
      b = xxh_round(b, xxh_load(p + 4));
      c = xxh_round(c, xxh_load(p + 8));
      d = xxh_round(d, xxh_load(p + 12));
    }
    h = xxh_rotl(a, 1) + xxh_rotl(b, 7) + xxh_rotl(c, 12) + xxh_rotl(d, 18);
  } else {
    h = seed + XXH_P5;
  }
  h += (u32)length;
  for (; p + 4 <= end; p += 4) h = xxh_rotl(h + xxh_load(p) * XXH_P3, 17) * XXH_P4;
  for (; p < end; p++) h = xxh_rotl(h + *p * XXH_P5, 11) * XXH_P1;
  h = (h ^ (h >> 15)) * XXH_P2;
  h = (h ^ (h >> 13)) * XXH_P3;
  return h ^ (h >> 16);
}

#endif
