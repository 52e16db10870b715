import assert from "node:assert/strict";
import { bundle } from "./bundle.ts";

/** A repository in miniature. */
async function project(main: string): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "joblet-project-" });
  await Deno.mkdir(`${root}/packaging`);
  await Deno.mkdir(`${root}/core/deep`, { recursive: true });
  await Deno.writeTextFile(`${root}/deno.json`, "{}");
  await Deno.writeTextFile(`${root}/deno.lock`, '{"version":"5"}');
  await Deno.writeTextFile(`${root}/text.txt`, "a text");
  await Deno.writeTextFile(`${root}/core/deep/worker.ts`, "postMessage('from the worker');");
  await Deno.writeTextFile(`${root}/core/deep/lazy.ts`, main);
  await Deno.writeTextFile(`${root}/packaging/entry.ts`, 'await import("../core/deep/lazy.ts");');
  return root;
}

const MAIN = `import text from "../../text.txt" with { type: "text" };
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
worker.onmessage = (event) => { console.log(text, event.data); worker.terminate(); };`;

Deno.test("bundle keeps texts and workers, and main.js starts it from any folder", async () => {
  const root = await project(MAIN);
  try {
    const members = await bundle(root, "packaging/entry.ts", ["core/deep/worker.ts"]);
    for (const { name, bytes } of members) {
      await Deno.mkdir(`${root}/out/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(`${root}/out/${name}`, bytes);
    }
    const args = ["run", "-A", "--quiet", "--no-config", "--no-lock", "--cached-only", `${root}/out/main.js`];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: "/" }).output();
    assert.equal(new TextDecoder().decode(stdout), "a text from the worker\n", new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("bundle refuses a worker that is not listed, which would be missing only at run time", async () => {
  const root = await project(MAIN);
  try {
    await assert.rejects(bundle(root, "packaging/entry.ts", []), /list the module '.\/worker.ts' in WORKERS/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
