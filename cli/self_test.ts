import assert from "node:assert/strict";
import { programName } from "./self.ts";
import type { BuildKind } from "./version.ts";

async function nameAs(kind: BuildKind | undefined, exe = "/usr/local/bin/rnx"): Promise<string> {
  const before = { kind: globalThis.JOBLET_BUILD, exe: Deno.env.get("JOBLET_EXE") };
  globalThis.JOBLET_BUILD = kind;
  Deno.env.set("JOBLET_EXE", exe);
  try {
    return await programName();
  } finally {
    globalThis.JOBLET_BUILD = before.kind;
    if (before.exe === undefined) Deno.env.delete("JOBLET_EXE");
    else Deno.env.set("JOBLET_EXE", before.exe);
  }
}

Deno.test("the name that a self-extracting file was called by is the last part of what its header tells", async () => {
  assert.equal(await nameAs("self-extracting"), "rnx");
  assert.equal(await nameAs("self-extracting", "jobc"), "jobc");
});

Deno.test("the name that a compiled file was called by is the kernel's word for it, whatever the environment says", async () => {
  const called = (await Deno.readTextFile("/proc/self/cmdline")).split("\0")[0]!;
  assert.equal(await nameAs("compiled"), called.split("/").at(-1));
});

Deno.test("from the sources there is no such name", async () => {
  assert.equal(await nameAs(undefined), "");
});
