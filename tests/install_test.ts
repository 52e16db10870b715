/** install.sh and the self-extracting file, black box. JOBLET_DIST names a self-extracting file that is built already. */
import assert from "node:assert/strict";
import { freePort } from "./harness/free_port.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const isRoot = Deno.uid() === 0;
/** Names of the program besides its own. */
const FACES = ["rnx", "jobworker", "jobc"];
const hasSystemd = exists("/run/systemd/system");

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Result> {
  const output = await new Deno.Command(command, { args: [...args], env, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code: output.code, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A folder that goes with the test. */
async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "joblet-install-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A self-extracting file, built once for all tests of this file. */
const distFile = lazily(async () => {
  const given = Deno.env.get("JOBLET_DIST");
  if (given) return given;
  const output = `${ROOT}/dist/test/joblet`;
  const args = ["run", "-A", "--quiet", `${ROOT}/packaging/build.ts`, "--kind", "self-extracting", "--output", output];
  const built = await run(Deno.execPath(), args, {});
  assert.equal(built.code, 0, built.stderr);
  return output;
});

function lazily<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => value ??= make();
}

/** Runs `joblet --version` of a file with a cache folder, and nowhere else to unpack unless `spare` is given. */
async function version(file: string, cache: string, spare = "/proc/nowhere"): Promise<Result> {
  return await run(file, ["--version"], { JOBLET_CACHE_DIR: cache, TMPDIR: spare });
}

function unpacked(cache: string): string[] {
  return [...Deno.readDirSync(cache)].map(({ name }) => name);
}

Deno.test("install.sh, run twice, installs the program and certificates once; --uninstall leaves the home folder", async () => {
  await using folder = await temporaryFolder();
  const home = `${folder.path}/home`;
  const exe = `${folder.path}/prefix/bin/joblet`;
  const env = { JOBLET_CACHE_DIR: `${folder.path}/cache` };
  const install = (...args: string[]) =>
    run(`${ROOT}/install.sh`, ["--prefix", `${folder.path}/prefix`, `--home=${home}`, "--no-service", ...args], env);

  const first = await install();
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, new RegExp(`export JOBLET_HOME=${home}`));
  const installed = await Deno.stat(exe);
  const config = await Deno.readTextFile(`${home}/config/joblet-config.yml`);
  assert.equal((await Deno.stat(`${home}/config`)).mode! & 0o777, 0o700);
  assert.equal((await Deno.stat(`${home}/config/joblet-config.yml`)).mode! & 0o777, 0o600);

  const second = await install();
  assert.equal(second.code, 0, second.stderr);
  assert.equal((await Deno.stat(exe)).ino, installed.ino, "an equal program is not replaced");
  assert.equal(await Deno.readTextFile(`${home}/config/joblet-config.yml`), config, "the certificates stay");

  assert.match(
    (await run(exe, ["--version"], env)).stdout,
    /^joblet \d+\.\d+\.\d+ \((self-extracting|compiled), Deno /,
  );

  for (const name of FACES) {
    const link = `${folder.path}/prefix/bin/${name}`;
    assert.equal(await Deno.readLink(link), "joblet");
    assert.match((await run(link, ["--version"], env)).stdout, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ `));
    assert.match((await run(link, [], env)).stdout, new RegExp(`^USAGE\\n {2}${name} `));
  }
  // Here and not in the tests of the sources, as a bundle's classes have other names.
  const wrong = await run(exe, ["run", "--max-memry", "5", "true"], env);
  assert.deepEqual([wrong.code, wrong.stdout, wrong.stderr], [
    2,
    "",
    "joblet: Cannot use --max-memry: there is no such flag; did you mean --max-memory? (see 'joblet --help')\n",
  ]);

  const removed = await install("--uninstall");
  assert.equal(removed.code, 0, removed.stderr);
  assert.deepEqual([exe, ...FACES.map((name) => `${folder.path}/prefix/bin/${name}`)].filter(exists), []);
  assert.equal(await Deno.readTextFile(`${home}/config/joblet-config.yml`), config);
  assert.equal((await install("--uninstall")).code, 0, "a second --uninstall finds nothing and does not mind");
});

Deno.test("install.sh leaves a foreign program of one of its names as it is, says so, and does not uninstall it", async () => {
  await using folder = await temporaryFolder();
  const bin = `${folder.path}/bin`;
  await Deno.mkdir(bin);
  await Deno.writeTextFile(`${bin}/rnx`, "#!/bin/sh\n", { mode: 0o755 });
  await Deno.symlink("/nowhere/jobc", `${bin}/jobc`);
  const env = { JOBLET_CACHE_DIR: `${folder.path}/cache` };
  const where = ["--prefix", folder.path, "--home", `${folder.path}/home`, "--no-service"];
  const installed = await run(`${ROOT}/install.sh`, where, env);
  assert.equal(installed.code, 0, installed.stderr);
  for (const name of ["rnx", "jobc"]) {
    assert.match(installed.stdout, new RegExp(`^Left ${bin}/${name} as it is, .*'joblet ${name}'`, "m"));
  }
  assert.equal((await run(`${ROOT}/install.sh`, [...where, "--uninstall"], env)).code, 0);
  assert.equal(await Deno.readTextFile(`${bin}/rnx`), "#!/bin/sh\n");
  assert.equal(await Deno.readLink(`${bin}/jobc`), "/nowhere/jobc");
  assert.equal(exists(`${bin}/jobworker`), false);
});

Deno.test({
  name: "install.sh starts a server in the background, leaves it when run again, and --uninstall stops it",
  ignore: !isRoot || hasSystemd,
  fn: async () => {
    await using folder = await temporaryFolder();
    const home = `${folder.path}/home`;
    const env = { JOBLET_CACHE_DIR: `${folder.path}/cache`, JOBLET_HOME: home };
    const where = ["--prefix", folder.path, "--home", home];
    const prepared = await run(`${ROOT}/install.sh`, [...where, "--no-service"], env);
    assert.equal(prepared.code, 0, prepared.stderr);
    const port = ["certs", "init", "--force", "--port", String(freePort())];
    const certs = await run(`${folder.path}/bin/joblet`, port, env);
    assert.equal(certs.code, 0, certs.stderr);
    try {
      const first = await run(`${ROOT}/install.sh`, where, env);
      assert.equal(first.code, 0, first.stderr + first.stdout);
      const pid = /The server runs \(pid (\d+)\), listening on /.exec(first.stdout)?.[1];
      assert(pid, first.stdout);
      const second = await run(`${ROOT}/install.sh`, where, env);
      assert.match(second.stdout, new RegExp(`The server runs already \\(pid ${pid}\\)`), second.stderr);
    } finally {
      const removed = await run(`${ROOT}/install.sh`, [...where, "--uninstall"], env);
      assert.equal(removed.code, 0, removed.stderr);
    }
    const pid = (await Deno.readTextFile(`${home}/run/server.lock`)).trim();
    const status = exists(`/proc/${pid}`) ? await Deno.readTextFile(`/proc/${pid}/status`) : "";
    assert.doesNotMatch(status, /^State:\s*[^Z\s]/m, "the server has ended");
  },
});

for (
  const [args, code, message] of [
    [["--prefix"], 1, /Cannot read '--prefix' without a folder after it/],
    [["--home", "/a b", "--uninstall"], 1, /Cannot use '\/a b': letters, digits/],
    [["--frob"], 2, /^usage: /],
  ] as const
) {
  Deno.test(`install.sh ${args.join(" ")} is refused before anything happens`, async () => {
    const result = await run(`${ROOT}/install.sh`, args, {});
    assert.equal(result.code, code);
    assert.match(result.stderr, message);
  });
}

Deno.test("a self-extracting file works when several start at once on an empty cache folder, and unpacks once", async () => {
  await using folder = await temporaryFolder();
  const file = await distFile();
  const results = await Promise.all([1, 2, 3].map(() => version(file, `${folder.path}/cache`)));
  for (const { code, stdout, stderr } of results) {
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^joblet .*self-extracting/);
  }
  assert.equal(unpacked(`${folder.path}/cache`).length, 1, "no half-unpacked folder is left");
});

Deno.test("a self-extracting file falls back to the folder for temporary files if its cache can't be written", async () => {
  await using folder = await temporaryFolder();
  const result = await version(await distFile(), "/proc/nowhere", folder.path);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(unpacked(`${folder.path}/joblet-${Deno.uid()}`).length, 1);
});

Deno.test("a self-extracting file says in one line that there is no folder to unpack into", async () => {
  const { code, stdout, stderr } = await version(await distFile(), "/proc/nowhere");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^joblet: Cannot unpack '.*': '\/proc\/nowhere' can't be written.*\n$/);
});

Deno.test("a truncated self-extracting file says in one line that it is damaged, and leaves nothing", async () => {
  await using folder = await temporaryFolder();
  const whole = await Deno.readFile(await distFile());
  for (const length of [20_000, whole.length - 2000]) {
    const file = `${folder.path}/joblet-${length}`;
    await Deno.writeFile(file, whole.subarray(0, length), { mode: 0o755 });
    const { code, stderr } = await version(file, `${folder.path}/cache`);
    assert.equal(code, 1);
    assert.match(stderr, /^joblet: Cannot unpack .*\n$/);
    assert.match(stderr, /damaged|unexpected end|EOF/i);
    assert.deepEqual(unpacked(`${folder.path}/cache`), []);
  }
});

Deno.test("a self-extracting file does not run from a cache folder that others may write to", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/open`);
  await Deno.chmod(`${folder.path}/open`, 0o777);
  const { code, stderr } = await version(await distFile(), `${folder.path}/open`);
  assert.equal(code, 1);
  assert.match(stderr, /not safe to run from: others may write to it/);
});

Deno.test({
  name: "a self-extracting file does not run from a cache folder of another user",
  ignore: !isRoot,
  fn: async () => {
    await using folder = await temporaryFolder();
    const cache = `${folder.path}/cache`;
    const file = await distFile();
    assert.equal((await version(file, cache)).code, 0);
    await Deno.chown(cache, 65534, 65534);
    const { code, stderr } = await version(file, cache);
    assert.equal(code, 1);
    assert.match(stderr, /belongs to another user/);
  },
});

Deno.test("unpacking removes all versions but the newest two, and none that is running", async () => {
  await using folder = await temporaryFolder();
  const cache = `${folder.path}/cache`;
  const olds = ["a", "b", "c"].map((letter) => `${cache}/${letter.repeat(16)}-deno`);
  for (const [index, old] of olds.entries()) {
    await Deno.mkdir(old, { recursive: true });
    await Deno.copyFile("/bin/sleep", `${old}/deno`);
    await Deno.utime(old, 1000 * (index + 1), 1000 * (index + 1));
  }
  const [oldest = ""] = olds;
  await using running = new Deno.Command(`${oldest}/deno`, { args: ["60"] }).spawn();
  const result = await version(await distFile(), cache);
  running.kill();
  assert.equal(result.code, 0, result.stderr);
  const left = unpacked(cache);
  assert.equal(left.length, 3, left.join(" "));
  assert(left.includes(`${"a".repeat(16)}-deno`), "the oldest is running");
  assert(left.includes(`${"c".repeat(16)}-deno`), "the second newest stays");
});
