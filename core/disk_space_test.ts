import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { checkDiskSpace } from "./disk_space.ts";
import { EngineError } from "./errors.ts";

Deno.test("checkDiskSpace passes while there is room for the reserve, of a small disk for a twentieth of it", () => {
  const dir = Deno.makeTempDirSync();
  try {
    checkDiskSpace([dir], 0);
    const { bavail, bsize, blocks } = statfsSync(dir);
    // A reserve that is larger than the disk is cut to its twentieth.
    if (bavail * 20 > blocks) checkDiskSpace([dir], blocks * bsize * 2);
  } finally {
    Deno.removeSync(dir);
  }
});

Deno.test("checkDiskSpace refuses a disk without room, and says where and how much is free", () => {
  const full = { bavail: 3, bsize: 4096, blocks: 1_000_000, files: 100, ffree: 90 };
  assert.throws(
    () => checkDiskSpace(["/a"], 1 << 20, () => full),
    (error) =>
      error instanceof EngineError && error.kind === "exhausted" && /12 KiB are free.*'\/a'/.test(error.message),
  );
  checkDiskSpace(["/a"], 4096, () => full);
});

Deno.test("checkDiskSpace refuses a disk that can hold no more files, but not one that counts none", () => {
  const disk = { bavail: 1000, bsize: 4096, blocks: 1000, files: 100, ffree: 3 };
  assert.throws(() => checkDiskSpace(["/a"], 4096, () => disk), /no more files/);
  checkDiskSpace(["/a"], 4096, () => ({ ...disk, files: 0, ffree: 0 }));
});
