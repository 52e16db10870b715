import assert from "node:assert/strict";
import { LaunchTable, type TableCall } from "./launch_table.ts";
import { syscallNumber } from "./syscall_numbers.ts";

const HEADER = 32;
const ENTRY = 80;

function words(table: LaunchTable): DataView {
  return new DataView(table.bytes.buffer);
}

function textAt(table: LaunchTable, offset: number): string {
  const end = table.bytes.indexOf(0, offset);
  return new TextDecoder().decode(table.bytes.subarray(offset, end));
}

Deno.test("LaunchTable encodes number, minimum and flags of each call", () => {
  const calls: TableCall[] = [
    { call: "close", args: [-1] },
    { call: "execve", args: [1n, 2, 3], min: 5, search: true },
  ];
  const view = words(new LaunchTable(calls));
  assert.equal(view.getBigInt64(HEADER, true), BigInt(syscallNumber("close")));
  assert.equal(view.getBigInt64(HEADER + 8, true), -1n);
  assert.equal(view.getBigInt64(HEADER + ENTRY, true), BigInt(syscallNumber("execve")));
  assert.equal(view.getBigInt64(HEADER + ENTRY + 56, true), 5n);
  assert.equal(view.getBigUint64(HEADER + ENTRY + 72, true), 1n);
  assert.equal(view.getBigInt64(HEADER + 2 * ENTRY, true), -1n, "the end mark");
});

Deno.test("LaunchTable.relocate adds the address to strings, arrays and what the arrays point at", () => {
  const table = new LaunchTable([{ call: "execve", args: ["/bin/é", ["a", ""], []] }]);
  const view = words(table);
  const base = 0x7000_0000_0000n;
  const path = view.getBigUint64(HEADER + 8, true);
  const argv = view.getBigUint64(HEADER + 16, true);
  table.relocate(base);
  assert.equal(view.getBigUint64(HEADER + 8, true), base + path);
  assert.equal(textAt(table, Number(path)), "/bin/é");
  const first = view.getBigUint64(Number(argv), true) - base;
  const second = view.getBigUint64(Number(argv) + 8, true) - base;
  assert.equal(textAt(table, Number(first)), "a");
  assert.equal(textAt(table, Number(second)), "");
  assert.equal(view.getBigUint64(Number(argv) + 16, true), 0n, "argv ends with NULL");
});

Deno.test("LaunchTable lists its relocations, so that other code can make them", () => {
  const table = new LaunchTable([{ call: "chdir", args: ["/x"] }]);
  const view = words(table);
  const list = Number(view.getBigUint64(16, true));
  assert.equal(view.getBigUint64(24, true), 1n);
  assert.equal(view.getBigUint64(list, true), BigInt(HEADER + 8));
  assert.equal(table.tableBytes, list + 8);
});

Deno.test("LaunchTable.result of a call that was not reached is undefined", () => {
  const table = new LaunchTable([{ call: "setsid", args: [] }]);
  assert.equal(table.current, -1);
  assert.equal(table.result(0), undefined);
  assert.equal(table.result(7), undefined);
});

Deno.test("LaunchTable refuses a string that holds a NUL and a seventh argument", () => {
  assert.throws(() => new LaunchTable([{ call: "chdir", args: ["a\0b"] }]), /NUL/);
  assert.throws(() => new LaunchTable([{ call: "mount", args: [0, 0, 0, 0, 0, 0, 0] }]), /at most 6/);
});

Deno.test("syscallNumber gives the numbers of both architectures", () => {
  assert.equal(syscallNumber("mount", "x86_64"), 165);
  assert.equal(syscallNumber("mount", "aarch64"), 40);
  assert.equal(syscallNumber("clone3", "aarch64"), 435);
});

Deno.test("LaunchTable holds arguments and texts of any size, and numbers over 32 bits", () => {
  const long = "é".repeat(100_000);
  const table = new LaunchTable([{ call: "execve", args: ["/x", Array(50).fill(long), []] }, {
    call: "unshare",
    args: [0x2_0000_0001, -5, -(2 ** 40), 0xffff_ffff_ffff_ffffn],
  }]);
  const view = words(table);
  const entry = HEADER + ENTRY;
  assert.deepEqual([1, 2, 3, 4].map((index) => view.getBigInt64(entry + index * 8, true)), [
    0x2_0000_0001n,
    -5n,
    -(1n << 40n),
    -1n,
  ]);
  const argv = Number(view.getBigUint64(HEADER + 16, true));
  for (const index of [0, 49]) assert.equal(textAt(table, Number(view.getBigUint64(argv + index * 8, true))), long);
});

Deno.test("LaunchTable.wipe leaves nothing of what the calls were given", () => {
  const table = new LaunchTable([{ call: "write", args: [1, new Uint8Array(40_000).fill(7), 40_000] }], 100);
  assert(table.bytes.includes(7));
  table.wipe();
  assert(table.bytes.every((byte) => byte === 0));
});
