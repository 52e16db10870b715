import assert from "node:assert/strict";
import { TAR_END, tarMembers } from "./tar.ts";

Deno.test("tarMembers makes an archive that tar unpacks, joined from parts, with modes and bytes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "joblet-tar-" });
  try {
    const odd = Uint8Array.from({ length: 1025 }, (_, index) => index % 256);
    const parts = [
      tarMembers([{ name: "a", mode: 0o755, bytes: odd }]),
      tarMembers([{ name: "b/c", mode: 0o644, bytes: new Uint8Array() }]),
      TAR_END,
    ];
    await Deno.writeFile(`${folder}/x.tar`, await new Response(new Blob(parts)).bytes());
    const args = ["-xf", "x.tar"];
    const { code, stderr } = await new Deno.Command("tar", { args, cwd: folder }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(code, 0);
    assert.deepEqual(await Deno.readFile(`${folder}/a`), odd);
    assert.equal((await Deno.stat(`${folder}/a`)).mode! & 0o777, 0o755);
    assert.equal((await Deno.stat(`${folder}/b/c`)).size, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tarMembers refuses a name that does not fit the header", () => {
  assert.throws(
    () => tarMembers([{ name: "a".repeat(100), mode: 0o644, bytes: new Uint8Array() }]),
    /^RangeError: Cannot pack/,
  );
});
