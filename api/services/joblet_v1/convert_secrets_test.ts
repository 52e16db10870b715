import assert from "node:assert/strict";
import { setUp } from "../../testing/in_memory.ts";

Deno.test("runJob hands secrets to the engine and answers with their names alone, as every other method does", async () => {
  const { engine, as } = setUp();
  const ann = as("ann", "admin");
  const file = new Uint8Array([0, 255]);
  const asked = { command: "x", secretEnv: { A: "one" }, secretFiles: { f: file } };
  const { job } = await ann.runJob({ spec: asked });
  assert.deepEqual(engine.inputs[0]?.secretEnv, { A: "one" });
  assert.deepEqual(engine.inputs[0]?.secretFiles, { f: file });
  const answers = [job, (await ann.getJob({ id: job!.id })).job, (await ann.listJobs({})).jobs[0]];
  for (const answer of answers) {
    assert.deepEqual(answer?.spec?.secretEnv, { A: "" });
    assert.deepEqual(answer?.spec?.secretFiles, { f: new Uint8Array() });
  }
});
