import assert from "node:assert/strict";
import { idRange, IdRanges, rangeOfInit } from "./id_ranges.ts";

async function withFolder(body: (folder: string, cgroup: (name: string, inits: string) => string) => void) {
  const folder = await Deno.makeTempDir({ prefix: "joblet-ids-" });
  try {
    body(`${folder}/ids`, (name, inits) => {
      Deno.mkdirSync(`${folder}/${name}/inits`, { recursive: true });
      Deno.writeTextFileSync(`${folder}/${name}/inits/cgroup.procs`, inits);
      return `${folder}/${name}`;
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("idRange gives ranges that overlap neither each other nor any init's id", () => {
  const [a, b] = [idRange(0), idRange(1)];
  assert.equal(a.first, 2 ** 31);
  assert(a.first + 65_536 <= a.initId && a.initId < b.first);
  assert(idRange(8191).initId < 2 ** 32 - 1);
});

Deno.test("rangeOfInit finds a range by its init's id and nothing by another id", () => {
  assert.deepEqual(rangeOfInit(idRange(77).initId), idRange(77));
  for (const id of [0, 1000, idRange(77).first, idRange(8192).initId, NaN]) assert.equal(rangeOfInit(id), undefined);
});

Deno.test("IdRanges gives no range twice until it is given back, also beyond one chunk", () =>
  withFolder((folder, cgroup) => {
    using ranges = new IdRanges(folder, cgroup("a", ""));
    const taken = Array.from({ length: 200 }, () => ranges.take().index);
    assert.equal(new Set(taken).size, 200);
    ranges.give(taken[7]!);
    assert.equal(ranges.take().index, taken[7]);
  }));

Deno.test("IdRanges of two servers never overlap, and what a closed one had is free if none of its jobs runs", () =>
  withFolder((folder, cgroup) => {
    const a = new IdRanges(folder, cgroup("a", ""));
    const first = a.take().index;
    const b = new IdRanges(folder, cgroup("b", ""));
    assert.notEqual(b.take().index, first);
    a[Symbol.dispose]();
    using next = new IdRanges(folder, cgroup("c", ""));
    assert.equal(next.take().index, first);
    b[Symbol.dispose]();
  }));

Deno.test("IdRanges leaves alone what jobs of a server that is down have, and that server's next one takes it back", () =>
  withFolder((folder, cgroup) => {
    const path = cgroup("a", "");
    const a = new IdRanges(folder, path);
    const held = a.take().index;
    cgroup("a", "4711\n");
    a[Symbol.dispose]();
    using other = new IdRanges(folder, cgroup("b", ""));
    const taken = Array.from({ length: 64 }, () => other.take().index);
    assert(!taken.includes(held));
    assert.throws(() => other.adopt(held), /another server holds/);
    using again = new IdRanges(folder, path);
    again.adopt(held);
    assert(!Array.from({ length: 63 }, () => again.take().index).includes(held));
  }));

Deno.test("IdRanges says when there is no range left", () =>
  withFolder((folder, cgroup) => {
    using ranges = new IdRanges(folder, cgroup("a", ""));
    for (let i = 0; i < 8192; i++) ranges.take();
    assert.throws(() => ranges.take(), /all 8192 ranges of user ids are in use/);
  }));
