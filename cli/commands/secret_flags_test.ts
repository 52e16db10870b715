import assert from "node:assert/strict";
import { fakeCli } from "../testing/fake_cli.ts";

const ID = "0fb570a0-6753-4486-b3e5-9e84cd0a03ca";
const VALUE = "correct horse";

/** Runs a command line that starts a job. @returns what was sent, and what was said */
async function start(...words: string[]) {
  const sent: unknown[] = [];
  const cli = fakeCli({
    runJob: ({ spec }) => {
      sent.push({ env: spec?.env, secretEnv: spec?.secretEnv, secretFiles: spec?.secretFiles, args: spec?.args });
      return { job: { id: ID } };
    },
  });
  const code = await cli.run(...words);
  return { code, sent: sent[0], err: cli.err(), out: cli.out() };
}

async function withFile(bytes: Uint8Array, body: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${dir}/tls.key`, bytes);
    await body(`${dir}/tls.key`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("--secret-env takes a value from the environment, or as given, and leaves the job's own words alone", async () => {
  Deno.env.set("JOBLET_TEST_A", VALUE);
  try {
    for (const command of [["run", "-d"], ["job", "run"]]) {
      const words = ["-s", "JOBLET_TEST_A", "--secret-env", "B=c=d", "-s", "E=", "x", "-s", "y"];
      const { code, sent, out, err } = await start(...command, ...words);
      assert.equal(code, 0, err);
      const secretEnv = { JOBLET_TEST_A: VALUE, B: "c=d", E: "" };
      assert.deepEqual(sent, { env: {}, secretEnv, secretFiles: {}, args: ["-s", "y"] });
      assert(!out.includes(VALUE));
    }
  } finally {
    Deno.env.delete("JOBLET_TEST_A");
  }
});

Deno.test("--secret-file reads bytes as they are, under the name given or the file's own", () =>
  withFile(new Uint8Array([0, 10, 255]), async (path) => {
    const { code, sent, err } = await start("run", "-d", "--secret-file", path, "--secret-file", `b=${path}`, "x");
    assert.equal(code, 0, err);
    const content = new Uint8Array([0, 10, 255]);
    assert.deepEqual(sent, { env: {}, secretEnv: {}, secretFiles: { "tls.key": content, b: content }, args: [] });
  }));

Deno.test("--secret-file takes 1 MiB, and no more of a file without an end", async () => {
  await withFile(new Uint8Array(1 << 20), async (path) => {
    assert.equal((await start("run", "-d", "--secret-file", path, "x")).code, 0);
  });
  const { code, err } = await start("run", "--secret-file", "a=/dev/zero", "x");
  assert.equal(code, 2);
  assert.match(err, /'\/dev\/zero': it is larger than 1048576 bytes/);
});

const REFUSED: readonly [string, string[], RegExp][] = [
  ["a variable that is not set", ["--secret-env", "JOBLET_TEST_NONE"], /'JOBLET_TEST_NONE': there is no such variable/],
  ["a value without a name", ["--secret-env", `=${VALUE}`], /without a name: it must look like NAME/],
  ["a plain value without a name", ["--env", `=${VALUE}`], /--env '': it must look like NAME=VALUE/],
  ["a file that is not there", ["--secret-file", "/no/such"], /Cannot read --secret-file '\/no\/such': No such file/],
  ["a folder", ["--secret-file", "x=/"], /Cannot read --secret-file '\/': Is a directory/],
  ["a folder's own name", ["--secret-file", "/etc/"], /must look like NAME=PATH or PATH/],
  ["two files of one name", ["--secret-file", "/a/x", "--secret-file", "/b/x"], /'x' twice: name one of them/],
];

for (const [name, words, message] of REFUSED) {
  Deno.test(`run refuses ${name} before it sends anything, and repeats no value`, async () => {
    const { code, sent, err } = await start("run", ...words, "x");
    assert.equal(sent, undefined);
    assert.notEqual(code, 0);
    assert.match(err, message);
    assert(!err.includes(VALUE));
  });
}
