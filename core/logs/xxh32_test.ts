import assert from "node:assert/strict";
import fc from "fast-check";
import { xxh32, xxh32Range } from "./xxh32.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const counting = (length: number, step: number) => Uint8Array.from({ length }, (_, i) => i * step);

/** The algorithm as its specification words it, in big integers, to compare with. */
function slowXxh32(input: readonly number[], seed: bigint): number {
  const [p1, p2, p3, p4, p5] = [2654435761n, 2246822519n, 3266489917n, 668265263n, 374761393n] as const;
  const u32 = (value: bigint) => BigInt.asUintN(32, value);
  const rotl = (value: bigint, bits: bigint) => u32(value << bits) | value >> (32n - bits);
  const word = (at: number) =>
    input.slice(at, at + 4).reduce((sum, byte, i) => sum + (BigInt(byte) << BigInt(8 * i)), 0n);
  let at = 0;
  let hash = u32(seed + p5);
  if (input.length >= 16) {
    const lanes = [seed + p1 + p2, seed + p2, seed, seed - p1].map(u32);
    for (; at + 16 <= input.length; at += 16) {
      lanes.forEach((lane, i) => lanes[i] = u32(rotl(u32(lane + word(at + 4 * i) * p2), 13n) * p1));
    }
    hash = u32([1n, 7n, 12n, 18n].reduce((sum, bits, i) => sum + rotl(lanes[i]!, bits), 0n));
  }
  hash = u32(hash + BigInt(input.length));
  for (; at + 4 <= input.length; at += 4) hash = u32(rotl(u32(hash + word(at) * p3), 17n) * p4);
  for (; at < input.length; at++) hash = u32(rotl(u32(hash + BigInt(input[at]!) * p5), 11n) * p1);
  hash = u32((hash ^ hash >> 15n) * p2);
  hash = u32((hash ^ hash >> 13n) * p3);
  return Number(hash ^ hash >> 16n);
}

Deno.test("xxh32 gives the values of the reference implementation", () => {
  const cases: [Uint8Array, number, number][] = [
    [ascii(""), 0, 0x02cc5d05],
    [ascii(""), 0x9e3779b1, 0x36b78ae7],
    [ascii("a"), 0, 0x550d7456],
    [ascii("abc"), 0, 0x32d153ff],
    [ascii("abc"), 1, 0xaa3da8ff],
    [ascii("Nobody inspects the spammish repetition"), 0, 0xe2293b2f],
    [counting(1000, 1), 0, 0xfacc21a4],
    [counting(1000, 1), 0xffffffff, 0xad3b2d68],
    [counting(65560, 7), 64, 0xb6b5750e],
  ];
  for (const [bytes, seed, expected] of cases) assert.equal(xxh32(bytes, seed), expected);
});

Deno.test("xxh32 agrees with a slow implementation for any bytes, place in the buffer and seed", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(7), fc.nat(0xffffffff), (bytes, shift, seed) => {
    const buffer = new Uint8Array(shift + bytes.length + 3).fill(0xaa);
    buffer.set(bytes, shift);
    const expected = slowXxh32([...bytes], BigInt(seed));
    assert.equal(xxh32(buffer.subarray(shift, shift + bytes.length), seed), expected);
    assert.equal(xxh32Range(new DataView(buffer.buffer), shift, shift + bytes.length, seed), expected);
  }));
});

Deno.test("xxh32 takes the low 32 bits of a larger seed", () => {
  assert.equal(xxh32(ascii("abc"), 2 ** 40 + 1), xxh32(ascii("abc"), 1));
});
